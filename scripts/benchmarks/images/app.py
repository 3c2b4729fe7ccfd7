"""The service whose line is changed."""

print("served")

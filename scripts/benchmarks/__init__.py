"""What nixdock and its peers need for the same work, side by side."""

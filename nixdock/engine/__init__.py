"""The engine: whatever answers the Docker Engine API."""

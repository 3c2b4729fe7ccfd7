"""What the integration tests stand on: real engines, and other Debian releases' packages."""

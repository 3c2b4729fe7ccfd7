"""Images on their way into an engine and out of it again, and what nixdock knows of those that it loaded."""

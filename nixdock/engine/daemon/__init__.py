"""An engine of nixdock's own, for machines that have none."""

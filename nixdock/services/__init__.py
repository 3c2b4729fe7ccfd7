"""One life of a service, the container that stays: created, started, ready, asked, told about, stopped."""

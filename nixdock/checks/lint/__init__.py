"""The faults that images without a distribution typically have, and finding them."""

"""One network over its training."""

"""A layer's channels as pictures."""

"""From what a user names to a network."""

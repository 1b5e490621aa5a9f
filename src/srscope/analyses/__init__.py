"""One file or folder a kind of analysis."""

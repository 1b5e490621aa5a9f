"""The kinds of analysis."""

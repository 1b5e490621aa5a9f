"""A finished study in the formats of other tools."""

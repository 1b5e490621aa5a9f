"""What layers of a network put out: tapped, reduced to vectors, stored on disk.

Import from the modules: reading a store needs no torch, and must not load it.
"""

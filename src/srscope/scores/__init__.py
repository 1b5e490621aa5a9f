"""Scores of labelled points and of crossed designs: NumPy arrays in, frozen records out."""

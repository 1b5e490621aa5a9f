"""Training: recipes, pairs, the loop, checkpoints, and the export of finished weights."""

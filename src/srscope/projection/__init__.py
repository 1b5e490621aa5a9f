"""Feature vectors to points: exact PCA, then t-SNE with every parameter pinned."""

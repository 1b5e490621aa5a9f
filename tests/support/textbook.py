"""t-SNE as its paper writes it, slow and plain: what the engines are held to."""

import numpy as np


def textbook(joint, config, start):
    """Descend as the t-SNE paper says, one pair at a time, with openTSNE's rule for the gains."""
    points = start.copy()
    step, gains = np.zeros_like(points), np.ones_like(points)
    for iteration in range(config.iterations):
        early = iteration < config.early_iterations
        if iteration == config.early_iterations:
            step, gains = np.zeros_like(points), np.ones_like(points)
        offset = points[:, None] - points[None]
        freedom = max(1, points.shape[1] - 1)
        near = 1 / (1 + (offset**2).sum(axis=2) / freedom)
        kernel = near ** ((freedom + 1) / 2)
        np.fill_diagonal(kernel, 0)
        pull = joint * (config.early_exaggeration if early else 1) - kernel / kernel.sum()
        gradient = 2 * (1 + 1 / freedom) * np.einsum("ij,ij,ije->ie", pull, near, offset)
        turned = np.sign(step) != np.sign(gradient)
        gains = np.where(turned, gains + 0.2, gains * 0.8 + 0.01)
        momentum = config.early_momentum if early else config.momentum
        step = momentum * step - config.learning_rate * gains * gradient
        points = points + step
        points -= points.mean(axis=0)
    return points

"""Networks: one architecture a file, the bundled weights, checkpoint files."""

"""The paper's experiments and claims, on top of everything else."""

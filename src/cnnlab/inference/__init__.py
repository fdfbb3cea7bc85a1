"""What one does with a trained network: it is loaded from a run's folder, and from nothing else."""

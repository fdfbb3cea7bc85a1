"""What trainer.limit_*_batches mean."""


def limited(batches: int, limit: float) -> int:
    """So many of the batches: a float is a share, of which at least one is left; an int is a number."""
    return max(1, int(batches * limit)) if isinstance(limit, float) else min(batches, limit)

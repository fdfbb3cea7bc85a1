"""What data parallelism on many GPUs should bring: predicted from a step's compute time and its gradients' bytes.

Every GPU has a batch of its own, and after each step all gradients are summed by a ring all-reduce: what is added is
cut in N parts, which go round the ring twice (Patarasuk and Yuan, 2009). GPUs of a node sum among themselves first,
then the nodes, over one link each. Not in it: stragglers, slow input, other traffic, congestion, several buckets'
latencies, and that kernels of communication slow those of computing down.
"""

from dataclasses import dataclass

BACKWARD = 2 / 3  # of a step's compute: what an all-reduce can hide behind


@dataclass(frozen=True)
class Links:
    """What a cluster is joined with; bandwidths in bytes a second in each direction, latencies in seconds a message."""

    inside: float  # of a GPU, to others in its node
    between: float  # of a node, to other nodes
    inside_latency: float = 5e-6
    between_latency: float = 20e-6
    node: int = 8  # GPUs in one


@dataclass(frozen=True)
class Prediction:
    """Shares of what N GPUs would do without communication, at worst and at best."""

    gpus: int
    all_reduce_seconds: float
    worst: float  # all of the all-reduce comes after the step's compute
    best: float  # it runs beside the whole of backward, and only what is left comes after


def ring_seconds(members: int, size: float, bandwidth: float, latency: float) -> float:
    """2 (N - 1) / N * bytes / bandwidth + 2 (N - 1) * latency."""
    return 2 * (members - 1) / members * size / bandwidth + 2 * (members - 1) * latency


def all_reduce_seconds(gpus: int, size: float, links: Links) -> float:
    """A ring in each node, and where there are several, a ring of the nodes besides; the last may be part full."""
    nodes = -(-gpus // links.node)
    inside = ring_seconds(min(gpus, links.node), size, links.inside, links.inside_latency)
    return inside + ring_seconds(nodes, size, links.between, links.between_latency)


def predict(gpus: int, compute_seconds: float, size: float, links: Links) -> Prediction:
    """Efficiency = compute / (compute + what of the all-reduce is not hidden).

    compute_seconds: of one GPU's step, forward, backward and optimizer, without communication.
    size: of the gradients, in bytes.
    """
    reduce = all_reduce_seconds(gpus, size, links)
    exposed = max(0.0, reduce - BACKWARD * compute_seconds)
    worst, best = (compute_seconds / (compute_seconds + more) for more in (reduce, exposed))
    return Prediction(gpus, reduce, worst, best)

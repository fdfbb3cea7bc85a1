"""`cnnlab bench`: which part is to be measured."""

from cnnlab.allowed import allow
from cnnlab.commands import require_overrides, talk
from cnnlab.errors import UserError, did_you_mean


def bench(arguments: list[str]) -> None:
    """Measures a part of cnnlab against what one would have without it."""
    known = ("data", "ddp", "grid", "levers", "models")
    if not arguments:
        raise UserError(f"bench: what is to be measured? There is: {', '.join(known)}")
    what, *rest = arguments
    if what not in known:
        near = did_you_mean(what, known)
        raise UserError(f"bench {what}: there is nothing of that name to measure.{near} There is: {', '.join(known)}")
    require_overrides(rest)
    allow(rest)
    talk()
    if what == "data":
        from cnnlab.bench.data import bench_data  # imports torch

        bench_data(rest)
    elif what == "ddp":
        from cnnlab.bench.ddp import bench_ddp

        bench_ddp(rest)
    elif what == "levers":
        from cnnlab.bench.levers import bench_levers

        bench_levers(rest)
    elif what == "models":
        from cnnlab.bench.models import bench_models

        bench_models(rest)
    else:
        from cnnlab.bench.grid import bench_grid

        bench_grid(rest)

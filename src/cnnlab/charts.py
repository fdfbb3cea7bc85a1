"""Charts as files that need no browser (Vega, through Altair and vl-convert)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnlab.atomic import whole


def save(chart: Any, path: Path, config: Mapping[str, Any] | None = None) -> None:
    """As PNG and SVG, in the colours of a Vega configuration, which the chart's own settings override."""
    import vl_convert

    spec = {**chart.to_dict(), "background": "white"}
    settings = {"config": dict(config or {}), "vl_version": "6.4"}
    with whole(path.with_suffix(".svg")) as partial:
        partial.write_text(vl_convert.vegalite_to_svg(spec, **settings), encoding="utf-8")
    with whole(path.with_suffix(".png")) as partial:
        partial.write_bytes(vl_convert.vegalite_to_png(spec, ppi=144, **settings))

"""Charts as files that need no browser (Vega, through Altair and vl-convert)."""

from pathlib import Path
from typing import Any

from cnnlab.atomic import whole

VEGA_LITE = "6.4"  # what Altair's specifications are written for


def save(chart: Any, path: Path, config: dict[str, Any] | None = None) -> None:
    """As PNG and SVG. config: of Vega; what the chart itself says goes before it."""
    import vl_convert

    spec = {**chart.to_dict(), "background": "white"}
    with whole(path.with_suffix(".svg")) as partial:
        partial.write_text(vl_convert.vegalite_to_svg(spec, VEGA_LITE, config or {}), encoding="utf-8")
    with whole(path.with_suffix(".png")) as partial:
        partial.write_bytes(vl_convert.vegalite_to_png(spec, VEGA_LITE, ppi=144, config=config or {}))

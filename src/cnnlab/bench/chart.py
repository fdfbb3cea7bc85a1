"""Charts of measurements, as files that need no browser (Vega, through Altair and vl-convert)."""

from pathlib import Path

from cnnlab.atomic import whole
from cnnlab.bench.paired import Rates


def bars(measured: Rates, unit: str, title: str, path: Path) -> None:
    """A bar for each contender, of its median, with a line from its slowest to its fastest round; PNG and SVG."""
    import altair

    rows = [
        {"who": name, "rate": measured.median(name), "low": min(rates), "high": max(rates)}
        for name, rates in measured.rates.items()
    ]
    base = altair.Chart.from_dict({"data": {"values": rows}, "mark": "bar"}).encode(
        y=altair.Y("who:N", sort=None, title=None)
    )
    axis = altair.Axis(format="~s", grid=True)
    bar = base.mark_bar(color="#4c78a8").encode(x=altair.X("rate:Q", title=unit, axis=axis))
    spread = base.mark_rule(color="black").encode(x="low:Q", x2="high:Q")
    words = base.mark_text(align="left", dx=6).encode(x="high:Q", text=altair.Text("rate:Q", format=",.0f"))
    chart = (bar + spread + words).properties(title=title, width=520)
    chart = chart.configure_axisY(labelLimit=320).configure_view(stroke=None)
    for ending in ("png", "svg"):
        with whole(path.with_suffix(f".{ending}")) as partial:
            chart.save(partial, format=ending, ppi=144)

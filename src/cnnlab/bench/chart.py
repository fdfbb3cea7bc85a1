"""Charts of measurements, as files that need no browser (Vega, through Altair and vl-convert)."""

from pathlib import Path

from cnnlab.bench.paired import Rates
from cnnlab.charts import save


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
    save(chart, path)


def curve(measured: Rates, title: str, path: Path) -> None:
    """Medians against the number of ranks, lines from slowest to fastest round, and N times one rank dashed."""
    import altair

    one = measured.median("1")
    rows = [
        {"ranks": int(name), "rate": measured.median(name), "low": min(rates), "high": max(rates)}
        for name, rates in measured.rates.items()
    ]
    lines = [{"ranks": row["ranks"], "rate": row["rate"], "line": "measured"} for row in rows]
    lines += [{"ranks": row["ranks"], "rate": row["ranks"] * one, "line": "ideal"} for row in rows]
    x = altair.X(
        "ranks:Q",
        title="ranks",
        scale=altair.Scale(domain=[0, 1.12 * max(map(int, measured.rates))], nice=False),
        axis=altair.Axis(values=[row["ranks"] for row in rows], format="d", grid=False),
    )
    y = altair.Y("rate:Q", title="images per second, all ranks together", scale=altair.Scale(domainMin=0))
    names = ["measured", "ideal"]
    color = altair.Color("line:N", title=None, scale=altair.Scale(domain=names, range=["#4c78a8", "#888888"]))
    dash = altair.StrokeDash("line:N", title=None, scale=altair.Scale(domain=names, range=[[1, 0], [6, 4]]))
    points = altair.Chart.from_dict({"data": {"values": rows}, "mark": "point"}).encode(x=x, y=y)
    line = altair.Chart.from_dict({"data": {"values": lines}, "mark": "line"}).encode(
        x=x, y=y, color=color, strokeDash=dash
    )
    spread = points.mark_rule(color="black").encode(y=altair.Y("low:Q"), y2="high:Q")
    dots = points.mark_point(color="#4c78a8", filled=True, size=70, opacity=1)
    words = points.mark_text(align="left", baseline="top", dx=8, dy=4).encode(text=altair.Text("rate:Q", format=",.0f"))
    chart = (line + spread + dots + words).properties(title=title, width=560, height=300)
    save(chart.configure_view(stroke=None).configure_legend(orient="top-left", offset=12, symbolSize=500), path)

"""Images a second of many networks, as one picture."""

from pathlib import Path
from typing import Any

from cnnlab.charts import save

COLOURS = {"training": "#4c78a8", "inference": "#f58518"}


def chart(rows: list[dict[str, Any]], title: str, path: Path) -> None:
    """A line for each network, the fastest at the top, with a dot each for training and inference; PNG and SVG."""
    import altair

    keys = {"training": "train_samples_per_sec", "inference": "infer_samples_per_sec"}
    values = [{"model": row["model"], "what": what, "rate": row[key]} for row in rows for what, key in keys.items()]
    base = altair.Chart.from_dict({"data": {"values": values}, "mark": "point"})
    y = altair.Y("model:N", sort=[row["model"] for row in rows], title=None, axis=altair.Axis(grid=True))
    x = altair.X("rate:Q", title="images per second", scale=altair.Scale(type="log"), axis=altair.Axis(format="~s"))
    colour = altair.Color(
        "what:N", title=None, scale=altair.Scale(domain=list(COLOURS), range=list(COLOURS.values())), sort=list(COLOURS)
    )
    dots = base.mark_point(filled=True, size=55, opacity=1).encode(x=x, y=y, color=colour)
    line = base.mark_line(color="#bbbbbb").encode(x=x, y=y, detail="model:N")
    whole = (line + dots).properties(title=title, width=520, height=altair.Step(14))
    save(whole.configure_axisY(labelLimit=200).configure_view(stroke=None).configure_legend(orient="top"), path)

"""What networks say of single images: how sure they are, what they take for what."""

from collections.abc import Sequence

import altair as alt

from cnnlab.report import chart_parts as parts
from cnnlab.report.content import Images, Report
from cnnlab.report.wording import value

PANELS = 12  # reliability diagrams
CLASSES = 30  # that can still be named along an axis
HARDEST = 24


def reliability(report: Report) -> alt.TopLevelMixin | None:
    """A diagram for each of the best conditions: how often it is right where it is so sure."""
    of = {one["condition"]: one for one in report["images"] if one["bins"]}
    kept = parts.best(report, list(of), PANELS)
    if not kept:
        return None
    rows = [row for place in kept for row in _bins(report, of[place])]
    base = alt.Chart()
    percent = alt.Axis(format="~%", values=[0, 0.5, 1], labelFlush=False)
    x = alt.X("confidence:Q", title="confidence", scale=alt.Scale(domain=[0, 1]), axis=percent.copy())
    y = alt.Y("accuracy:Q", title="accuracy", scale=alt.Scale(domain=[0, 1]), axis=percent)
    diagonal = base.mark_rule(strokeDash=[4, 3], aria=False, color="gray").encode(
        x=alt.datum(0), y=alt.datum(0), x2=alt.datum(1), y2=alt.datum(1)
    )
    line = base.mark_line(strokeWidth=1.2, aria=False).encode(x=x, y=y)
    dots = base.mark_point(filled=True, opacity=1).encode(
        x=x,
        y=y,
        size=alt.Size("share:Q", title="share of images", legend=_shares(), scale=alt.Scale(range=[12, 180])),
        **parts.told(),
    )
    chart = alt.layer(diagonal, line, dots, data=parts.data(rows)).properties(width=160, height=160)
    order = list(dict.fromkeys(row["panel"] for row in rows))
    header = alt.Header(labelExpr=parts.LINES, labelFontSize=11, labelAnchor="start", labelLineHeight=14)
    return chart.facet(
        alt.Facet("panel:N", title=None, sort=order, header=header), columns=min(3, len(kept)), spacing=34
    ).properties(
        title=parts.titled(
            "Are they as often right as they are sure?",
            "Below the diagonal: too sure of itself. ECE: expected calibration error, 15 bins.",
            *parts.left_out(len(kept), len(of)),
            width=36 * min(3, len(kept)),
        ),
        description=f"Reliability diagrams of {len(kept)} conditions: accuracy against confidence, with the diagonal.",
    )


def _shares() -> alt.Legend:
    return alt.Legend(orient="bottom", format=".0%", symbolFillColor="gray", symbolStrokeWidth=0, tickCount=4)


def _bins(report: Report, of: Images) -> list[parts.Row]:
    name = parts.name(report, of["condition"])
    return [
        {
            "panel": parts.wrapped(f"{name}\nECE {value('accuracy', of['ece'])}", 27),
            "confidence": parts.rounded(one["confidence"]),
            "accuracy": parts.rounded(one["accuracy"]),
            "share": parts.rounded(one["share"]),
            "says": f"{name}: where it is {one['confidence']:.0%} sure ({one['share']:.1%} of the images), "
            f"it is right in {one['accuracy']:.0%}",
        }
        for one in of["bins"]
    ]


def confusion(report: Report) -> alt.TopLevelMixin | None:
    """Of the best condition: what images of a class are taken for."""
    of = {one["condition"]: one for one in report["images"] if one["confusion"]}
    kept = parts.best(report, list(of), 1)
    if not kept:
        return None
    name, images = parts.name(report, kept[0]), of[kept[0]]
    classes = _hardest(images["per_class"])
    names = [report["classes"][k] for k in classes]
    rows = [
        {
            "label": report["classes"][a],
            "predicted": report["classes"][b],
            "share": parts.rounded(share := images["confusion"][a][b]),
            "text": f"{100 * share:.0f}" if share >= 0.005 else "",
            "says": f"{report['classes'][a]} taken for {report['classes'][b]}: {share:.1%}",
        }
        for a in classes
        for b in classes
    ]
    axis = alt.Axis(domain=False, ticks=False, labelLimit=140)
    base = alt.Chart().encode(
        x=alt.X("predicted:N", title="predicted", sort=names, axis=axis.copy()),
        y=alt.Y("label:N", title="label", sort=names, axis=axis),
    )
    cells = base.mark_rect().encode(
        # a square root: errors are few, and they are what one looks for
        color=alt.Color("share:Q", scale=alt.Scale(type="sqrt", domain=[0, 1], interpolate="rgb"), legend=None),
        **parts.told(),
    )
    text = base.mark_text(aria=False, fontSize=10).encode(**parts.printed("datum.share"))
    step = alt.Step(34 if len(classes) <= 10 else 24)
    return alt.layer(cells, text, data=parts.data(rows)).properties(
        width=step,
        height=step,
        title=parts.titled(
            "What is taken for what",
            f"{name}, the best condition: of each label's images, the percentage that is given each prediction.",
            *_which(len(classes), images),
            width=70,
        ),
        description=f"Confusion matrix of {name}, {len(classes)} classes.",
    )


def per_class(report: Report) -> alt.TopLevelMixin | None:
    """Accuracy of each class: the best condition, and the range of all others."""
    of = {one["condition"]: one for one in report["images"] if one["per_class"]}
    kept = parts.best(report, list(of), 1)
    if not kept:
        return None
    name, images = parts.name(report, kept[0]), of[kept[0]]
    rows = []
    for k, accuracy in sorted(_hardest(images["per_class"]).items(), key=lambda one: one[1]):
        others = sorted(other for one in of.values() if (other := one["per_class"][k]) is not None)
        rows.append(
            {
                "class": report["classes"][k],
                "best": parts.rounded(accuracy),
                "lowest": parts.rounded(others[0]),
                "highest": parts.rounded(others[-1]),
                "says": f"{report['classes'][k]}: {accuracy:.1%}; "
                f"all conditions from {others[0]:.1%} to {others[-1]:.1%}",
            }
        )
    order = [str(row["class"]) for row in rows]
    axis = alt.Axis(ticks=False, domain=False, grid=True, labelPadding=8)
    base = alt.Chart().encode(y=alt.Y("class:N", title=None, sort=order, axis=axis))
    span = base.mark_rule(strokeWidth=1.4, aria=False).encode(
        x=parts.measured("lowest", "accuracy", alt.X), x2=alt.X2("highest:Q")
    )
    dots = base.mark_point(filled=True, size=70, opacity=1, shape="diamond").encode(x=alt.X("best:Q"), **parts.told())
    return alt.layer(span, dots, data=parts.data(rows)).properties(
        width=460,
        height=alt.Step(20),
        title=parts.titled(
            "Which classes are hard",
            f"Diamonds: accuracy of {name}, the best condition; lines: the range of all {len(of)}.",
            *_which(len(order), images),
            width=80,
        ),
        description=f"Accuracy of {len(rows)} classes, hardest first.",
    )


def _hardest(per_class: Sequence[float | None]) -> dict[int, float]:
    """Accuracy of all classes that have images, in their order; of many, of the hardest."""
    known = {k: accuracy for k, accuracy in enumerate(per_class) if accuracy is not None}
    kept = sorted(known, key=lambda k: known[k])[: len(known) if len(known) <= CLASSES else HARDEST]
    return {k: known[k] for k in sorted(kept)}


def _which(kept: int, images: Images) -> list[str]:
    known = sum(accuracy is not None for accuracy in images["per_class"])
    return parts.left_out(kept, known, "classes", "hardest")

"""How charts look in the light and in the dark: Vega configurations, which specifications know nothing of."""

from typing import Any

# Okabe and Ito (2008), told apart by all kinds of colour vision; yellow only where the ground is dark
LIGHT = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#56b4e9", "#e69f00"]
DARK = ["#56b4e9", "#e69f00", "#2fc69b", "#e3a0c6", "#ffffff", "#ff8848", "#f0e442"]
# 7 colours, 6 dashes, 6 shapes: each cycles for itself, so that 42 lines or points differ from one another
DASHES = [[1, 0], [7, 3], [2, 2], [9, 3, 2, 3], [5, 2, 1, 2, 1, 2], [1, 4]]
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"]
# little is near the ground's colour, so that what is printed in a cell stands out from it
HEAT_LIGHT = ["#f4f7fa", "#9ecae1", "#3182bd", "#08306b"]
HEAT_DARK = ["#23272c", "#1d4a73", "#3f86bd", "#cfe6f7"]
DIVERGING_LIGHT = ["#6a51a3", "#b9b3d8", "#f5f5f2", "#f7bf73", "#d07200"]
DIVERGING_DARK = ["#b7a5e8", "#66559a", "#2a2a2c", "#8c5a16", "#f2a541"]
FONT = "system-ui, 'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif"


def config(dark: bool) -> dict[str, Any]:
    """For vegaEmbed, or a file."""
    ink, faint, grid = ("#e6e6e3", "#a9a9a5", "#3b3b39") if dark else ("#1c1c1a", "#5b5b58", "#e4e4e0")
    colours = DARK if dark else LIGHT
    return {
        "background": "transparent",
        "font": FONT,
        "mark": {"color": colours[0]},
        "point": {"color": colours[0]},
        "rule": {"color": ink},
        "tick": {"color": ink},
        "text": {"color": ink},
        "style": {"cell": {"stroke": None}, "guide-label": {"fill": ink}, "guide-title": {"fill": ink}},
        "axis": {
            "domainColor": faint,
            "tickColor": faint,
            "gridColor": grid,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "titleColor": faint,
            "titlePadding": 8,
            "labelLimit": 380,
        },
        "header": {"labelColor": ink, "labelFontSize": 12, "labelLimit": 600, "titleColor": ink},
        "legend": {"labelColor": ink, "titleColor": faint, "labelLimit": 330, "titleFontWeight": "normal"},
        "title": {
            "anchor": "start",
            "frame": "group",
            "color": ink,
            "subtitleColor": faint,
            "fontSize": 14,
            "fontWeight": 600,
            "subtitleFontSize": 11,
            "subtitlePadding": 4,
            "offset": 14,
        },
        "range": {
            "category": colours,
            "symbol": SHAPES,
            "diverging": DIVERGING_DARK if dark else DIVERGING_LIGHT,
            "heatmap": HEAT_DARK if dark else HEAT_LIGHT,
        },
    }

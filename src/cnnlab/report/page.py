"""index.html: one file that holds the whole report and asks no server for anything."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from cnnlab import __version__
from cnnlab.report.chart_theme import config
from cnnlab.report.content import Report
from cnnlab.report.page_tables import page_tables
from cnnlab.report.sheets import Sheet, results
from cnnlab.report.sheets_of_costs import costs
from cnnlab.report.sheets_of_effects import effects

HERE = Path(__file__).parent
PLOTS = ("effects", "interactions", "learning_curves", "cost", "gap", "seeds")  # then all others, in their own order
OF_IMAGES = ("reliability", "confusion", "per_class")


def page(report: Report, charts: Mapping[str, alt.TopLevelMixin], refresh: float | None = None) -> str:
    """The page. refresh: seconds after which it loads itself again, while cells are trained."""
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    tables = page_tables(report)
    specifications = {name: chart.to_dict() for name, chart in charts.items()}
    data = {
        "tables": {name: table.as_data() for name, table in tables.items() if table.rows},
        "charts": specifications,
        "config": {"light": config(dark=False), "dark": config(dark=True)},
    }
    return environment.get_template("page.html").render(
        report=report,
        version=__version__,
        refresh=refresh,
        css=Markup((HERE / "page.css").read_text(encoding="utf-8")),
        script=_script((HERE / "page.js").read_text(encoding="utf-8")),
        vega=_script(vega()) if charts else "",
        data=data,
        sheets=_sheets(report),
        tables={name: table for name, table in tables.items() if table.rows},
        plots=_ordered(specifications, PLOTS, without=OF_IMAGES),
        plots_of_images=[name for name in OF_IMAGES if name in specifications],
        descriptions={name: of.get("description", "") for name, of in specifications.items()},
    )


def _sheets(report: Report) -> dict[str, Sheet]:
    """Those that are read rather than searched."""
    found = {"results": results(report), "effects": effects(report), "costs": costs(report)}
    return {name: sheet for name, sheet in found.items() if sheet is not None}


def _ordered(names: Mapping[str, Any], first: tuple[str, ...], without: tuple[str, ...]) -> list[str]:
    return [name for name in dict.fromkeys((*first, *names)) if name in names and name not in without]


@lru_cache(maxsize=1)
def vega() -> str:
    """Vega, Vega-Lite and vega-embed, which the charts are drawn with, from Altair's own converter."""
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version="6.4"))


def _script(code: str) -> Markup:
    """Fit to stand between <script> and </script>."""
    return Markup(code.replace("</script", "<\\/script").replace("<!--", "<\\!--"))

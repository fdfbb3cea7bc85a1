"""index.html: one file that holds the whole report and asks no server for anything."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from cnnlab import __version__
from cnnlab.report.chart_numbers import numbers
from cnnlab.report.chart_theme import config
from cnnlab.report.content import Report
from cnnlab.report.page_summary import sentences
from cnnlab.report.page_tables import page_tables
from cnnlab.report.sheets import Sheet, results
from cnnlab.report.sheets_of_costs import costs
from cnnlab.report.sheets_of_effects import effects

HERE = Path(__file__).parent
PLOTS = ("effects", "interactions", "learning_curves", "cost", "gap", "seeds")  # then all others, in their own order
OWN = ("places", "tables", "fitted", "charts", "live")  # page_*.js: each uses what those before it define
OF_IMAGES = ("reliability", "confusion", "per_class")


def page(
    report: Report, charts: Mapping[str, alt.TopLevelMixin], refresh: float | None = None, folder: Path = Path()
) -> str:
    """The page. refresh: seconds after which it looks for a newer one in its place, while cells are trained.

    folder: where it will lie.
    """
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    tables = page_tables(report)
    specifications = {name: chart.to_dict() for name, chart in charts.items()}
    data = {
        "tables": {name: table.as_data() for name, table in tables.items() if table.rows},
        "charts": specifications,
        "numbers": {name: numbers(of) for name, of in specifications.items()},
        "config": {"light": config(dark=False), "dark": config(dark=True)},
    }
    scripts = {"stamp": _part("stamp"), "vega": _script(vega()) if charts else Markup()}
    scripts["own"] = Markup("\n").join(_part(name) for name in OWN)
    return environment.get_template("page.html").render(
        report=report,
        version=__version__,
        refresh=refresh,
        policy=policy(scripts.values()),
        css=Markup((HERE / "page.css").read_text(encoding="utf-8")),
        scripts=scripts,
        data=data,
        sentences=sentences(report),
        sheets=_sheets(report),
        tables={name: table for name, table in tables.items() if table.rows},
        plots=_ordered(specifications, PLOTS, without=OF_IMAGES),
        plots_of_images=[name for name in OF_IMAGES if name in specifications],
        pictures={Path(file).stem.replace("_", " "): _embedded(folder / file) for file in report["pictures"]},
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


def policy(scripts: Iterable[str]) -> str:
    """The page's Content-Security-Policy: these scripts alone, and no network; a frame of itself, to see if it is new.

    Styles are free, since Vega's SVG is full of them.
    """
    hashes = " ".join(f"'sha256-{b64encode(sha256(of.encode()).digest()).decode()}'" for of in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "frame-src 'self' file:; base-uri 'none'; form-action 'none'"
    )


def _embedded(picture: Path) -> str:
    """As an address that holds the whole PNG."""
    return f"data:image/png;base64,{b64encode(picture.read_bytes()).decode()}"


def _part(name: str) -> Markup:
    return _script((HERE / f"page_{name}.js").read_text(encoding="utf-8"))


def _script(code: str) -> Markup:
    """Fit to stand between <script> and </script>."""
    return Markup(code.replace("</script", "<\\/script").replace("<!--", "<\\!--"))

"""The sentences at the top of the page, also while there is nothing to compare."""

from cnnlab.report.content import Report
from cnnlab.report.wording import mean_and_std, seeds, words


def sentences(report: Report) -> list[str]:
    """Those of the tests; before there are any, what is true."""
    counts = ", ".join(f"{count:,} {state}" for state, count in report["counts"].items() if count)
    known = [one for one in report["conditions"] if one["mean"] is not None]
    if not known and report["counts"].get("done"):
        return [f"No cell that is done has a {words(report['metric'])}: {counts}."]
    if not known:
        hope = report["counts"].get("running") or report["counts"].get("missing")
        return [f"Nothing is done{' yet' if hope else ''}: {counts}."]
    if report["summary"]:
        return report["summary"]
    if report["factors"]:
        return [f"Too little is done to compare anything: {counts}."]
    mean = f"{words(report['metric'])} {mean_and_std(report['metric'], known[0])} ({seeds(known[0])})"
    if report["configuration"]:
        return [f"{words(report['metric']).capitalize()} {mean_and_std(report['metric'], known[0])}."]
    return [f"{mean[:1].upper()}{mean[1:]}; all cells have one configuration, so that there is nothing to compare."]

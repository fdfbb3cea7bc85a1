"""A study's workspace and report in W&B, as wandb-workspaces describes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import wandb_workspaces.reports.v2 as wr
import wandb_workspaces.workspaces as ws
from wandb_workspaces.expr import And

from cnnlab.loggers.flat import dotted
from cnnlab.report.cells import ReportedCell
from cnnlab.report.content import Report
from cnnlab.report.tables import table_md

# groups, as factors are called, and what W&B is told of them: a key without dots can be grouped by
LABELS = {"model": "network", "optim": "optimizer", "regularizer": "regularizers", "datamodule": "dataset"}
HALF, WHOLE = 12, 24  # of a line of panels


@dataclass(frozen=True)
class Place:
    """Where the study's runs are. entity: empty where W&B is not asked for it."""

    project: str
    entity: str
    group: str


class FlatColumns(wr.ParallelCoordinatesPlot):  # type: ignore[misc]
    """Its columns are keys with dots, as runs have them; the class above takes dots for mappings in mappings."""

    def _to_model(self) -> Any:
        model = super()._to_model()
        for column in model.config.columns:
            if column.accessor.startswith("config:"):
                column.accessor = f"{column.accessor.replace('.value', '', 1)}.value"
        return model


def varied(made: Report, cells: Sequence[ReportedCell]) -> list[str]:
    """What differs between cells, by the keys of W&B's configuration."""
    known = {key for cell in cells for key, _ in dotted(cell.config)}
    names = [factor["name"] for factor in made["factors"]]
    found = [LABELS.get(name, name) for name in names if name in LABELS or name in known]
    behind = [] if len(found) == len(names) else ["regularizers"]  # levels that a design names
    return list(dict.fromkeys([*found, *behind]))


def key_of(metric: str) -> str:
    """Of a run's summary, where val/... is the last epoch's, and reports tell the best one's."""
    return metric if metric.startswith("test/") else f"best/{metric}"


def trained(place: Place) -> Any:
    """The study's cells, without those that only help."""
    return And(ws.Metric("Group") == place.group, ws.Metric("JobType") == "train")


def curves() -> list[Any]:
    """Over epochs, a line a network: the mean of its runs, and their range."""
    wanted = ("val/accuracy", "val/loss", "train/accuracy", "train/loss")
    return [
        wr.LinePlot(
            title=metric,
            x="epoch",
            y=[metric],
            groupby=wr.Config("network"),
            groupby_aggfunc="mean",
            groupby_rangefunc="minmax",
            layout=wr.Layout(x=HALF * (n % 2), y=6 * (n // 2), w=HALF, h=6),
        )
        for n, metric in enumerate(wanted)
    ]


def what_did_what(made: Report, keys: Sequence[str]) -> list[Any]:
    """Parallel coordinates of all that differs, and how important each is."""
    metric = key_of(made["metric"])
    shown = [*map(wr.Config, keys), wr.SummaryMetric(metric)]
    columns = [wr.ParallelCoordinatesPlotColumn(one, log=one.name == "optim.lr" or None) for one in shown]
    return [
        FlatColumns(title="what differs", columns=columns, layout=wr.Layout(x=0, y=0, w=WHOLE, h=8)),
        wr.ParameterImportancePlot(with_respect_to=metric, layout=wr.Layout(x=0, y=8, w=WHOLE, h=8)),
    ]


def costs(made: Report) -> list[Any]:
    """The metric against operations of a forward pass, and against seconds of training."""
    y = wr.SummaryMetric(key_of(made["metric"]))
    return [
        wr.ScatterPlot(
            title=f"{made['metric']} against {name}",
            x=wr.SummaryMetric(f"cost/{name}"),
            y=y,
            log_x=True,
            layout=wr.Layout(x=HALF * n, y=0, w=HALF, h=8),
        )
        for n, name in enumerate(("flops", "fit_seconds"))
    ]


def bars(made: Report, keys: Sequence[str]) -> list[Any]:
    """Means of the metric, for each of what differs."""
    metric = key_of(made["metric"])
    return [
        wr.BarPlot(
            title=f"{made['metric']} by {key}",
            metrics=[metric],
            groupby=f"{key}.value",  # as it is: else a dot would be taken for a mapping
            groupby_aggfunc="mean",
            groupby_rangefunc="stddev",
            layout=wr.Layout(x=HALF * (n % 2), y=6 * (n // 2), w=HALF, h=6),
        )
        for n, key in enumerate(keys)
    ]


def workspace(made: Report, place: Place, keys: Sequence[str]) -> Any:
    """The study's runs on the left, sections with panels on the right."""
    table = wr.MarkdownPanel(markdown=table_md(made), layout=wr.Layout(x=0, y=0, w=WHOLE, h=10))
    sections = {
        "Ablation": [table, *bars(made, keys)],
        "Curves": curves(),
        "What did what": what_did_what(made, keys),
        "Cost": costs(made),
    }
    return ws.Workspace(
        entity=place.entity,
        project=place.project,
        name=f"Study {place.group}",
        sections=[ws.Section(name=name, panels=panels, is_open=True) for name, panels in sections.items()],
        settings=ws.WorkspaceSettings(x_axis="epoch", max_runs=100),
        runset_settings=ws.RunsetSettings(
            filters=trained(place),
            groupby=[ws.Config("network")],
        ),
    )


def report(made: Report, place: Place, keys: Sequence[str]) -> Any:
    """The same as a page to read, from the summary on."""

    def runs() -> Any:
        return wr.Runset(entity=place.entity, project=place.project, name=place.group, filters=trained(place))

    return wr.Report(
        project=place.project,
        entity=place.entity,
        title=f"Study {place.group}"[:128],
        description="; ".join(made["summary"][:1]),
        width="fluid",
        blocks=[
            wr.MarkdownBlock(text="\n".join(f"- {line}" for line in [*made["summary"], *made["warnings"]])),
            wr.H2("Ablation"),
            wr.MarkdownBlock(text=table_md(made)),
            wr.PanelGrid(runsets=[runs()], panels=bars(made, keys)),
            wr.H2("Curves"),
            wr.PanelGrid(runsets=[runs()], panels=curves()),
            wr.H2("What did what"),
            wr.PanelGrid(runsets=[runs()], panels=what_did_what(made, keys)),
            wr.H2("Cost"),
            wr.PanelGrid(runsets=[runs()], panels=costs(made)),
            wr.H2("Commands"),
            wr.MarkdownBlock(text="\n".join(["```", *made["commands"], "```"])),
        ],
    )

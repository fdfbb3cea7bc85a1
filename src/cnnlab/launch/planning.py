"""A launcher that trains nothing and says what training would be."""

from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn, configure_log, setup_globals
from rich.console import Console

from cnnlab.errors import UserError
from cnnlab.explain import explain
from cnnlab.launch.code_change import sort_out
from cnnlab.launch.launcher import each_once
from cnnlab.launch.local import Local
from cnnlab.launch.rehearsal import TIMED, kind, rehearse
from cnnlab.run import Run
from cnnlab.sweep.cells import Composer
from cnnlab.sweep.design import Part
from cnnlab.sweep.plan import Planned, summary, table, totals


class Planning(Local):
    """Composes all cells, trains a few steps of each kind that is not done, and shows what the sweep would take.

    rows: of the table; None for all. The other keys are those of hydra/launcher=local.
    """

    trains = False

    def __init__(self, rows: int | None, **local: Any) -> None:
        super().__init__(**local)
        self.rows = rows
        self.refused: list[tuple[Part, str]] = []

    def refuse(self, part: Part, error: Exception) -> None:
        self.refused.append((part, explain(error) or f"{type(error).__name__}: {error}"))

    def launch_parts(
        self, composer: Composer, fixed: Sequence[str], parts: Sequence[Part], exclude: Sequence[str]
    ) -> Sequence[JobReturn]:
        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        self.refused.clear()
        cells = self._compose_all(composer, fixed, parts, exclude)
        once = each_once(cells)
        out = sort_out({folder: cell.config for folder, cell in once.items()})
        todo = {folder: self._work(once[folder]) for folder in out.todo}
        rehearsed = rehearse(self.pool, todo.values(), TIMED) if todo and self.rehearses else {}
        planned: list[Planned] = []
        for cell in cells:
            twin = once[cell.folder] is not cell
            like = rehearsed.get(kind(cell.config)) if cell.folder in todo and not twin else None
            planned.append(Planned(cell, Run(cell.folder), twin, like, cell.folder in out.anew))
        console = Console(highlight=False)
        if out.said:
            console.print(out.said, markup=False, soft_wrap=True)
        console.print(table(planned, self.refused, self.rows))
        listed = min(len(planned), self.rows or len(planned)) + min(len(self.refused), self.rows or len(self.refused))
        if more := len(planned) + len(self.refused) - listed:
            console.print(f"... and {more:,} more; --all lists them")
        for line in totals(planned, self.refused, self.excluded, self.places.jobs):
            console.print(line, markup=False, soft_wrap=True)
        wrong = [*(words for _, words in self.refused), *summary(planned, self.places.jobs, self.places.shares)]
        if wrong:
            raise UserError("this sweep would not come to its end:\n" + "\n".join(dict.fromkeys(wrong)))
        return []

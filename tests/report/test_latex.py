"""LaTeX that compiles, whatever the names are."""

import shutil
import subprocess
from pathlib import Path

import pytest
from example import example

from cnnlab.report.latex import escaped, latex
from cnnlab.report.sheets import BEST, NOT_WORSE, SIGNIFICANT, Entry, Sheet
from cnnlab.report.tables import table_tex

DOCUMENT = "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n%s\n\\end{document}\n"
ODD = [
    "weight_decay 50% & #1 {a} $b$ ~c ^d \\e",
    "[none,dropout] <x> |y| \"z\" `w` 'v' a--b ---",
    "*starred",
    "café naïve Straße Łódź Ångström çelik őr šř ø œ",
    "\u03b1 = 0.1 β₁ Ω Δ ± ≈ ≤ \u00d7 µ ∞ → ★ “quoted” …",
    "汉字 🙂 Ж א \x07 \u200b",
    "-" * 5,
    "",
]


def sheet(*rows: list[Entry], head: tuple[str, ...] = ("name", "x"), title: str = "title") -> Sheet:
    return Sheet(title, 1, list(head), list(rows), ["A note."])


def compiled(tex: str, folder: Path) -> str:
    """The log; fails where pdflatex does."""
    if not shutil.which("pdflatex") or not shutil.which("kpsewhich"):
        pytest.skip("there is no pdflatex")
    if subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True).returncode:
        pytest.skip("this LaTeX has no booktabs")
    (folder / "table.tex").write_text(DOCUMENT % tex, encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "table.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]
    assert (folder / "table.pdf").stat().st_size > 1000
    return done.stdout


def test_each_special_character_is_escaped() -> None:
    assert escaped("a_b%c&d#e$f{g}h") == r"a\_b\%c\&d\#e\$f\{g\}h"
    assert escaped("~^\\") == r"\textasciitilde{}\textasciicircum{}\textbackslash{}"
    assert escaped("é Å ß β") == r"\'{e} \r{A} \ss{} $\beta$"
    assert escaped("e\u0301") == escaped("é")
    assert escaped("--") == "-{}-"


def test_letters_that_latex_lacks_are_named() -> None:
    assert escaped("汉") == "{[}U+6C49{]}"


def test_figures_and_marks_are_typeset() -> None:
    told = latex(
        sheet(
            [Entry("best-of_all"), Entry("93.1 ± 0.3", BEST)],
            [Entry("tied"), Entry("93.0 ± 0.3", NOT_WORSE)],
            [Entry("tied, with less"), Entry("93.0", NOT_WORSE, "n = 1 of 3")],
            [Entry("- BatchNorm"), Entry("-3.1 [-3.6, -2.5]", SIGNIFICANT)],
        )
    )
    assert r"best-of\_all & \textbf{93.1 $\pm$ 0.3} \\" in told
    assert r"tied & 93.0 $\pm$ 0.3\rlap{$^{\approx}$} \\" in told
    assert r"tied, with less & 93.0$^{\approx}$ (n = 1 of 3) \\" in told
    assert r"- BatchNorm & $-$3.1 {[}$-$3.6, $-$2.5{]}\rlap{$^{*}$} \\" in told


def test_odd_names_compile_everywhere_in_a_table(tmp_path: Path) -> None:
    rows = [[Entry(odd), Entry(odd, BEST), Entry(odd, NOT_WORSE, odd), Entry(odd, SIGNIFICANT)] for odd in ODD]
    compiled(latex(sheet(*rows, head=(ODD[0], ODD[1], ODD[3], ODD[4]), title=" ".join(ODD))), tmp_path)


def test_the_report_compiles(tmp_path: Path) -> None:
    report = example(models=3)
    compiled(table_tex(report), tmp_path)
    assert "1 failed" in table_tex(report)
    assert "5 missing" in table_tex(report)

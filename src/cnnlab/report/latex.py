"""Tables in LaTeX: booktabs, and nothing else that a document must load."""

import re
from unicodedata import normalize

from cnnlab.report.sheets import BEST, NOT_WORSE, SIGNIFICANT, Entry, Sheet

LETTERS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''", "`": r"\textasciigrave{}",
    "[": "{[}", "]": "{]}", "*": "{*}",  # at the start of a row they would belong to the \\ before it
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}", "Ø": r"\O{}",
    "ł": r"\l{}", "Ł": r"\L{}", "\u0131": r"\i{}", "\u2013": "--", "—": "---",
    "\u2018": "`", "\u2019": "'", "“": "``", "”": "''",
    "…": r"\ldots{}", "±": r"$\pm$", "≈": r"$\approx$", "≤": r"$\leq$", "≥": r"$\geq$", "\u00d7": r"$\times$",
    "·": r"$\cdot$", "\u2212": "$-$", "→": r"$\rightarrow$", "∞": r"$\infty$", "★": r"$\star$", "°": r"$^{\circ}$",
    "²": "$^2$", "³": "$^3$", "µ": r"$\mu$",
}  # fmt: skip
SMALL = (
    "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon varphi chi "
    "psi omega"
)
CAPITAL = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
GREEK = dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", f"{SMALL} {CAPITAL}".split(), strict=True))
ACCENTS = dict(
    zip("\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327", "`'^~=u.\"rHvc", strict=True)
)
MARKS = {NOT_WORSE: r"\approx", SIGNIFICANT: "*"}


def latex(sheet: Sheet) -> str:
    """A table environment; the best in bold."""
    align = "l" * sheet.labels + "r" * (len(sheet.head) - sheet.labels)
    notes = " ".join(sheet.notes).replace(BEST, "Bold")
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{escaped(sheet.title[:1].upper() + sheet.title[1:])}. {escaped(notes)}}}",
        r"  \medskip",
        rf"  \begin{{tabular}}{{{align}}}",
        r"    \toprule",
        f"    {' & '.join(map(escaped, sheet.head))} \\\\",
        r"    \midrule",
        *(f"    {' & '.join(_cells(row, sheet.labels))} \\\\" for row in sheet.rows),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """As it is to be read, with any compiler and encoding; letters that plain LaTeX lacks as [U+4E2D]."""
    letters = normalize("NFC", re.sub(r"\s+", " ", text))
    parts = re.split("(?<=-)(?=-)", letters)  # two hyphens are no dash
    return "{}".join("".join(map(_letter, part)) for part in parts)


def _letter(letter: str) -> str:
    if letter in LETTERS:
        return LETTERS[letter]
    if letter in GREEK:
        return rf"$\{GREEK[letter]}$"
    if letter.isascii() and letter.isprintable():
        return letter
    base, *accents = list(normalize("NFD", letter))
    if len(accents) == 1 and accents[0] in ACCENTS and base.isascii():
        return rf"\{ACCENTS[accents[0]]}{{{base}}}"
    return f"{{[}}U+{ord(letter):04X}{{]}}"


def _cells(row: list[Entry], labels: int) -> list[str]:
    return [escaped(entry.text) for entry in row[:labels]] + [_figure(entry) for entry in row[labels:]]


def _figure(entry: Entry) -> str:
    text = re.sub(r"-(?=\d)", "$-$", escaped(entry.text))
    shown = rf"\textbf{{{text}}}" if entry.mark == BEST else text
    if entry.mark in MARKS:
        sign = f"$^{{{MARKS[entry.mark]}}}$"
        shown += sign if entry.aside else rf"\rlap{{{sign}}}"  # beside the column, whose figures stay in line
    return f"{shown} ({escaped(entry.aside)})" if entry.aside else shown

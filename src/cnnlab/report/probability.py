"""How p values are written."""

LEAST = 1e-300  # below it doubles soon end at 0, which no test has found


def p_value(p: float) -> str:
    """'0.034', '4.1e-09', '< 1e-300'."""
    return f"{p:.2g}" if p >= LEAST else f"< {LEAST:.0e}"

"""Money as people read it; inside the platform an amount is always a whole number of fen."""

from __future__ import annotations


def yuan(fen: int) -> str:
    """Write an amount of fen in yuan with groups of three and without the unit; fen are shown where there are any."""
    whole, rest = divmod(abs(fen), 100)
    written = f"{whole:,}.{rest:02d}" if rest else f"{whole:,}"
    return f"-{written}" if fen < 0 else written

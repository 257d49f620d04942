"""Intervals of time as text: ``"30s"``, ``"10m"``, ``"2h"``."""

from __future__ import annotations

import re

__all__ = ["seconds_in"]

SECONDS = {"s": 1, "m": 60, "h": 3600}


def seconds_in(text: str) -> float | None:
    """Return the seconds that a text stands for, or None if it is no time above 0."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    return (float(found[1]) * SECONDS[found[2]] or None) if found else None

"""Vectors as objects and files of other libraries, which are imported only where they are used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["library"]


def library(name: str, what: str, extra: str) -> Any:
    """Import a library; raise ImportError with the extra that has it if it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        if error.name is not None and error.name.partition(".")[0] != name.partition(".")[0]:
            raise  # the library is there, and something that it needs is not
        package = name.partition(".")[0]
        raise ImportError(f"{what} needs {package}: pip install 'fastvec[{extra}]'") from None

"""Vectors as objects and files of other libraries, which are imported only where they are used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["library"]


def library(name: str, what: str, extra: str, package: str | None = None) -> Any:
    """Import a library; raise ImportError with the extra that has it if it is not installed.

    Errors call it `package`, which by default is the name of its module.
    """
    try:
        return import_module(name)
    except ImportError as error:
        module = name.partition(".")[0]
        if error.name is not None and error.name.partition(".")[0] != module:
            raise  # the library is there, and something that it needs is not
        raise ImportError(f"{what} needs {package or module}: pip install 'fastvec[{extra}]'") from None

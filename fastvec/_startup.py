"""Loaded first: a signal ends the command at once and without a traceback while the other modules are loaded.

That takes half a second, in which nothing can be lost. Programs that import fastvec are left as they are.
"""

import sys
from pathlib import Path

from fastvec import _signals

__all__: list[str] = []


def _is_command() -> bool:
    if sys.argv[:1] == ["-m"]:  # as long as Python looks for the module
        return sys.orig_argv[-len(sys.argv)] in ("fastvec", "-mfastvec")
    return bool(sys.argv) and Path(sys.argv[0]).stem == "fastvec"


# Until the process ends: what the command sets instead is taken back when it is done.
_while_loading = _signals.end_at_once()
if _is_command():
    _while_loading.__enter__()

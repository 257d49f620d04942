"""Loaded first: a signal ends the command at once and without a traceback while the other modules are loaded.

That takes half a second, in which nothing can be lost. Programs that import fastvec are left as they are.
"""

# Nothing that takes time: signal itself would take milliseconds.
import _signal  # type: ignore[import-not-found]
import os
import sys

__all__ = ["end", "exit_status"]


def exit_status(number: int) -> int:
    """Return the exit status of a command that a signal has ended, as shells give it."""
    return 128 + number


def end(number: int, _: object) -> None:
    """End the process: the handler of a signal."""
    os._exit(exit_status(number))


def _is_command() -> bool:
    if sys.argv[:1] == ["-m"]:  # as long as Python looks for the module
        return sys.orig_argv[-len(sys.argv)] in ("fastvec", "-mfastvec")
    return bool(sys.argv) and os.path.basename(sys.argv[0]) in ("fastvec", "fastvec.exe")  # noqa: PTH119


# Handlers that are not the default, such as that of nohup, stay.
if _is_command():
    for _name, _default in (("SIGINT", _signal.default_int_handler), ("SIGTERM", 0), ("SIGHUP", 0)):
        if hasattr(_signal, _name) and _signal.getsignal(getattr(_signal, _name)) == _default:
            _signal.signal(getattr(_signal, _name), end)

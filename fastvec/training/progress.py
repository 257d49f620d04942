"""What is shown while something works: a bar on a terminal or in a notebook, lines in a log, warnings.

None of it ends the work. Where standard error cannot be written (its reader has left, its disk is full, it is
closed, or there is none), what would be shown is lost, and the work goes on.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, TypeVar

__all__ = ["Progress", "tell", "warn"]

Item = TypeVar("Item")

# Seconds between two lines about the same work in a log.
EVERY = 60.0


class Progress:
    """How far some work is, shown until the end of a ``with`` block.

    A terminal and a notebook get a bar. All else is taken for a log, which gets a line when the work is done,
    or those of `line` instead, and one in a minute before.

    Parameters
    ----------
    what : str
        What is done, such as "reading".
    total : float, optional
        The amount of work, if it is known.
    unit : str
        What is counted: "B" for bytes, " words", ...
    shown : bool
        Whether anything is shown.
    start : float
        How much of it was done earlier.

    Attributes
    ----------
    n : float
        How much is done.
    """

    def __init__(self, what: str, total: float | None, unit: str, shown: bool, start: float = 0) -> None:
        self.n = start
        self.shown = shown
        self._start = start
        self._what = what
        self._total = total
        self._unit = unit
        self._noted = ""
        self._has_lines = False
        self._lock = threading.Lock()
        self._bar = _bar(what, total, unit, start) if shown else None
        self._logs = shown and self._bar is None
        self._started = self._last = time.perf_counter()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, error: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self._logs and error is None and not self._has_lines:
            seconds = time.perf_counter() - self._started
            speed = _amount((self.n - self._start) / max(seconds, 1e-9), self._unit)
            self._write(f"{_amount(self.n, self._unit)} in {seconds:,.1f} s ({speed}/s)")

    def update(self, n: float = 1) -> None:
        """Add work that was done; any thread may."""
        with self._lock:
            if self._total is not None:
                n = min(n, self._total - self.n)  # which sums of fractions may miss
            self.n += n
            if self._bar is not None:
                self._bar.update(n)
            elif self._logs and time.perf_counter() - self._last >= EVERY:
                of_all = "" if self._total is None else f" of {_amount(self._total, self._unit)}"
                seconds = time.perf_counter() - self._started
                self._write(f"{_amount(self.n, self._unit)}{of_all} in {seconds:,.0f} s{self._noted}")

    def over(self, items: Iterable[Item]) -> Iterable[Item]:
        """Return the same items, each counted when the next one is taken."""
        return self._counted(items) if self.shown else items

    def describe(self, what: str) -> None:
        """Say what is done from now on."""
        self._what = what
        if self._bar is not None:
            self._bar.set_description(what)

    def note(self, text: str) -> None:
        """Show something beside the amount of work."""
        self._noted = f", {text}"
        if self._bar is not None:
            self._bar.set_postfix_str(text, refresh=False)

    def line(self, text: str) -> None:
        """Write a line about a part of the work that is done to a log, and to the logger "fastvec"."""
        import logging

        logging.getLogger("fastvec").info("%s: %s", self._what, text)
        self._has_lines = True
        if self._logs:
            self._write(text)

    def above(self, text: str) -> None:
        """Write a line about what is not the progress of the work, above the bar if there is one."""
        if self._bar is None:
            tell(text)
        else:
            self._bar.write(text, file=self._bar.fp)

    def _counted(self, items: Iterable[Item]) -> Iterator[Item]:
        for item in items:
            yield item
            self.update()

    def _write(self, text: str) -> None:
        self._last = time.perf_counter()
        tell(f"{self._what}: {text}")


def tell(text: str) -> None:
    """Write a line to standard error, if that can be written."""
    stream = _Unfailing(sys.stderr)
    stream.write(f"{text}\n")
    stream.flush()


def warn(message: str) -> None:
    """Issue a UserWarning about the line that called fastvec, perhaps through scikit-learn.

    Standard error does not turn it into another error.
    """
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in ("fastvec", "sklearn"):
        level, frame = level + 1, frame.f_back
    try:
        warnings.warn(message, stacklevel=level)
    except Warning:  # because a filter says so
        raise
    except Exception:  # the warning is lost: standard error raises more than the module expects
        return


class _Unfailing:
    """A stream without errors: after the first one, which may be any, nothing is written to it any more.

    Buffers are passed by: what stays in one that cannot be written would make Python end with status 120.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)  # tqdm asks for the encoding and the width

    def write(self, text: str) -> int:
        try:
            if self._stream is not None:
                self._stream.flush()
                raw = getattr(getattr(self._stream, "buffer", None), "raw", None)
                if raw is None:
                    self._stream.write(text)
                else:
                    raw.write(text.encode(self._stream.encoding, self._stream.errors))
        except Exception:
            self._stream = None
        return len(text)

    def flush(self) -> None:
        try:
            if self._stream is not None:
                self._stream.flush()
        except Exception:
            self._stream = None


def _bar(what: str, total: float | None, unit: str, start: float) -> Any:
    """Return a bar, or None where a log is written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # in a notebook without ipywidgets
        from tqdm import auto

    options: dict[str, Any] = {
        "desc": what,
        "total": total,
        "initial": start,
        "unit": unit,
        "unit_scale": True,
    }
    if auto.notebook_tqdm is not auto.std_tqdm:
        return auto.tqdm(**options)
    if not _is_terminal(sys.stderr):
        return None
    return auto.tqdm(**options, file=_Unfailing(sys.stderr), dynamic_ncols=_has_width(sys.stderr))


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except Exception:  # None, closed, or an object of a kind of its own
        return False


def _has_width(stream: Any) -> bool:
    try:
        return os.get_terminal_size(stream.fileno()).columns > 0  # 0 where it is not set
    except Exception:
        return False


def _amount(n: float, unit: str) -> str:
    return f"{n / 1e6:,.1f} MB" if unit == "B" else f"{n:,.0f}{unit}"

"""Signals that ask a program to end: Ctrl-C (SIGINT), SIGTERM and SIGHUP.

They would lose what was learned: a KeyboardInterrupt at an arbitrary line, the others by ending the process.
Training stops at the next chunk instead, a file that is being saved is completed first, and a command ends as
after Ctrl-C, with its temporary files removed.

Only the main thread receives signals. A handler set by the program is not replaced, nor is a signal that is
ignored, as ``nohup`` does with SIGHUP.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Any

from fastvec.training.startup import end, exit_status

__all__ = [
    "Held",
    "Stopped",
    "end_at_once",
    "hold",
    "hold_after_training",
    "raise_stopped",
    "set_a_flag",
]

# Windows has no SIGHUP.
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Stopped(KeyboardInterrupt):
    """A signal asks the command to end.

    Attributes
    ----------
    number : int
        The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class Held:
    """Signals that wait.

    Attributes
    ----------
    number : int, optional
        The first signal that has arrived.
    """

    def __init__(self) -> None:
        self.number: int | None = None

    @property
    def status(self) -> int:
        """The exit status of a command that has saved its results: 0 without a signal."""
        return 0 if self.number is None else exit_status(self.number)

    def begin(self) -> None:
        """Let signals wait from now on, if they do not yet."""
        _replace(self.receive)

    def receive(self, number: int, _: FrameType | None) -> None:
        """Note a signal: its handler."""
        if self.number is None:
            self.number = number


Handler = Callable[[int, "FrameType | None"], Any]

# What holds the signals from the end of the current training on, if anything does.
_after_training: Held | None = None


@contextmanager
def set_a_flag() -> Iterator[threading.Event]:
    """Make signals set a flag."""
    flag = threading.Event()

    def receive(number: int, frame: FrameType | None) -> None:
        flag.set()
        if _after_training is not None:
            _after_training.receive(number, frame)

    replaced = _replace(receive)
    try:
        yield flag
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler if _after_training is None else _after_training.receive)


@contextmanager
def hold() -> Iterator[None]:
    """Let signals wait until the end of the ``with`` block, and then do what they do."""
    held = Held()
    replaced = _replace(held.receive)
    try:
        yield
    finally:
        _restore(replaced)
        if held.number is not None:
            signal.raise_signal(held.number)


@contextmanager
def hold_after_training() -> Iterator[Held]:
    """Let signals wait from the end of the first training in the ``with`` block until the end of the block.

    Until a training begins, they do what they did before. What is yielded knows of those that came while it
    went on and after it; they do nothing else. Where no training does the work, its `begin` ends it.
    """
    global _after_training
    if threading.current_thread() is not threading.main_thread():
        yield Held()
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    held = _after_training = Held()
    try:
        yield held
    finally:
        _after_training = None
        _restore({number: was for number, was in before.items() if signal.getsignal(number) == held.receive})


def raise_stopped() -> AbstractContextManager[None]:
    """Make signals raise `Stopped` in the main thread."""
    return _handled(_raise)


def end_at_once() -> AbstractContextManager[None]:
    """Make signals end the process without a word, while there is nothing to lose and nothing to remove."""
    return _handled(end)


@contextmanager
def _handled(handler: Handler) -> Iterator[None]:
    replaced = _replace(handler)
    try:
        yield
    finally:
        _restore(replaced)


def _raise(number: int, _: FrameType | None) -> None:
    raise Stopped(number)


def _replace(handler: Handler) -> dict[int, Any]:
    """Set the handler of the signals whose handler is the default, and return their handlers until now."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    defaults = dict.fromkeys(SIGNALS, signal.SIG_DFL) | {signal.SIGINT: signal.default_int_handler}
    own = [_raise, end, *([] if _after_training is None else [_after_training.receive])]
    replaced = {number: was for number, was in handlers.items() if was in (defaults[number], *own)}
    for number in replaced:
        signal.signal(number, handler)
    return replaced


def _restore(handlers: dict[int, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)

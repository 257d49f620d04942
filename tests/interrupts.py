"""Ctrl-C and other signals while something works: at a call that is counted, or once training has begun."""

import os
import signal
import threading
from contextlib import contextmanager

import pytest
from commands import HANGS
from inside import wrap

can_be_interrupted = pytest.mark.skipif(
    os.name == "nt", reason="on Windows os.kill ends a process, whatever the signal"
)


def control_c():
    """Send Ctrl-C to this process."""
    os.kill(os.getpid(), signal.SIGINT)


def interrupt_at(monkeypatch, kernel, name, call, noticed):
    """Send Ctrl-C when a kernel's function is called for the `call`-th time, not counting what only scores.

    A thread that calls it then, or later, is held up until the event that `noticed` returns is set: what is
    called after that was not stopped. The main thread is not held up, a KeyboardInterrupt ends it there.

    Returns
    -------
    list
        The arguments of every call; it grows.
    """
    calls, real = [], getattr(kernel, name)

    def watched(*arguments, **named):
        if named.get("learning_rate") == 0:
            return real(*arguments, **named)
        calls.append((arguments, named))
        if len(calls) == call:
            control_c()
        if len(calls) >= call and threading.current_thread() is not threading.main_thread():
            assert noticed().wait(HANGS)
        return real(*arguments, **named)

    monkeypatch.setattr(kernel, name, watched)
    return calls


def when_training_begins(monkeypatch, begun):
    """Call `begun` with the flag that Ctrl-C sets, as soon as it sets that and raises nothing."""

    @contextmanager
    def seen(set_a_flag):
        with set_a_flag() as flag:
            begun(flag)
            yield flag

    wrap(monkeypatch, "set_a_flag", seen)


def interrupt_training_at(monkeypatch, kernel, call):
    """Send Ctrl-C when training calls a kernel for the `call`-th time; see `interrupt_at`."""
    flags = []
    when_training_begins(monkeypatch, flags.append)
    return interrupt_at(monkeypatch, kernel, "train", call, lambda: flags[-1])


def interrupt_training_after(monkeypatch, seconds):
    """Send Ctrl-C some time after training has begun."""
    when_training_begins(monkeypatch, lambda _: threading.Timer(seconds, control_c).start())

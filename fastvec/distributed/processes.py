"""Calls in processes of this machine, each of which has a pipe to this one.

A process that ends, killed or not, closes its pipe; what it was calling is called again in a new one. All
others go on, and the results that are here already stay.

Large arrays go around the pipes, as files that all processes map.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
import traceback
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.distributed.engine import LOST_WORKERS, Engine, Handle, Setting, lost, of_parts
from fastvec.formats.spool import ADVICE, naming_full_disk
from fastvec.training.threads import Report

__all__ = ["Processes"]

# Arrays of results that have as many bytes are files.
LARGE = 1 << 16

# Without copies of this process, whose threads and locks they would not have.
SPAWN = multiprocessing.get_context("spawn")


class Processes(Engine):
    """Calls functions in processes of this machine; see `connect`."""

    def __init__(self, n: int, threads: int, setting: Setting) -> None:
        self.threads = threads
        self.workers = n
        self._setting = setting
        self._waiting: deque[_Call] = deque()
        self._n_calls = 0
        self._started: dict[Any, _Worker] = {}
        self._n_lost_early = 0
        self._error: Exception | None = None
        self._shared = tempfile.TemporaryDirectory(prefix="fastvec-", ignore_cleanup_errors=True)
        self._n_shared = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        for worker in self._started.values():
            worker.stop()
        for worker in self._started.values():
            worker.end()
        self._started.clear()
        self._shared.cleanup()

    def share(self, array: NDArray[Any]) -> Handle:
        """Write an array to a temporary file, which all processes map.

        Raises
        ------
        OSError
            If the disk is full.
        """
        path = Path(self._shared.name, f"{self._n_shared}.npy")
        self._n_shared += 1
        with naming_full_disk("a shared array", array.nbytes, path.parent.parent, ADVICE):
            np.save(path, array, allow_pickle=False)
        handle = Handle("a shared array", _File(path))
        weakref.finalize(handle, _remove, path)
        return handle

    def _call(
        self, name: str, parts: int | None, function: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> list[Handle]:
        handles = [Handle(name, _PENDING) for _ in range(parts or 1)]
        self._waiting.append(_Call(name, parts, function, arguments, [*map(weakref.ref, handles)]))
        self._n_calls += 1
        self._start()
        return handles

    def results(self, handles: Sequence[Handle], report: Report = lambda n: None) -> list[Any]:
        """Return the results once they are there."""
        pending = list(handles)
        while True:
            n = len(pending)
            pending = [handle for handle in pending if handle.value is _PENDING]
            if len(pending) < n:
                report(n - len(pending))
            if not pending:
                return [_opened(handle.value) for handle in handles]
            if self._error is not None and all(worker.is_idle for worker in self._started.values()):
                raise self._error  # of a call that they wait for
            for connection in wait(list(self._started)):
                self._take(self._started[connection])
            self._start()

    def _start(self) -> None:
        """Start the workers that there is work for, and give calls whose arguments are there to idle ones."""
        while len(self._started) < min(self.workers, self._n_calls):
            worker = _Worker(self._shared.name)
            self._started[worker.connection] = worker
        for worker in [worker for worker in self._started.values() if worker.is_idle]:
            call = next((call for call in self._waiting if call.is_ready), None)
            if call is None:
                return
            self._waiting.remove(call)
            if not worker.begin(call, self._setting):
                self._waiting.appendleft(call)
                self._lose(worker)

    def _take(self, worker: _Worker) -> None:
        """Take what a worker says: that it has begun, a result or an error; or that it is no more."""
        try:
            results, error, where = worker.connection.recv()
        except (EOFError, OSError):
            self._lose(worker)
            return
        call, worker.call, worker.has_begun = worker.call, None, True
        self._n_lost_early = 0
        if error is not None:
            self._error = error
            raise error from RuntimeError(f"in a worker process:\n{where}")
        if call is not None:
            call.finish(results)

    def _lose(self, worker: _Worker) -> None:
        """Put the call of a worker that is no more first in the queue; another one is started for it."""
        del self._started[worker.connection]
        status = worker.end()
        why = f"it was killed by signal {-status}" if status < 0 else f"it ended with status {status}"
        if worker.call is not None:
            worker.call.n_lost += 1
            if worker.call.n_lost > LOST_WORKERS:
                raise lost(worker.call.name, why)
            self._waiting.appendleft(worker.call)
        elif not worker.has_begun:
            self._n_lost_early += 1
            if status >= 0:
                raise RuntimeError(
                    f"a worker process could not begin: {why}; a script that starts them must do so under "
                    "if __name__ == '__main__':, since each of them imports it"
                )
            if self._n_lost_early > LOST_WORKERS:
                raise lost("starting a worker", why)


@dataclass
class _Call:
    """A call that waits for its arguments or for a worker; the handles of its results may be gone."""

    name: str
    parts: int | None
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    handles: list[weakref.ref[Handle]]
    n_lost: int = 0

    @property
    def is_ready(self) -> bool:
        return all(not isinstance(item, Handle) or item.value is not _PENDING for item in self.arguments)

    def finish(self, results: list[Any]) -> None:
        for reference, item in zip(self.handles, results, strict=True):
            handle = reference()
            if handle is not None:
                handle.value = item
            for file in _files(item):
                _remove(file.path) if handle is None else weakref.finalize(handle, _remove, file.path)


class _Worker:
    """A process that calls functions, one after the other, and the end of its pipe here."""

    def __init__(self, folder: str) -> None:
        self.connection, other = SPAWN.Pipe()
        self.call: _Call | None = None
        self.has_begun = False
        self._process = SPAWN.Process(target=_work, args=(other, folder), daemon=True)
        self._process.start()
        other.close()  # so that the pipe ends with the process

    @property
    def is_idle(self) -> bool:
        return self.has_begun and self.call is None

    def begin(self, call: _Call, setting: Setting) -> bool:
        """Hand over a call, and return whether the process is there to take it."""
        arguments = [item.value if isinstance(item, Handle) else item for item in call.arguments]
        try:
            self.connection.send((setting, call.parts, call.function, arguments))
        except OSError:
            return False
        except Exception as error:  # of pickling
            raise TypeError(
                f"{call.name}: functions and arguments that go to other processes must be those of modules, "
                f"got {error}"
            ) from error
        self.call = call
        return True

    def stop(self) -> None:
        """Let the process end, whatever it does."""
        self.connection.close()
        if not self.is_idle:
            self._process.kill()

    def end(self) -> int:
        """End the process, and return its exit status."""
        self.stop()
        self._process.join()
        status = self._process.exitcode
        self._process.close()
        return status or 0


class _Pending:
    """The value of a handle whose result is not there yet."""


_PENDING = _Pending()


@dataclass(frozen=True)
class _File:
    """An array in a file."""

    path: Path


def _opened(value: Any) -> Any:
    """Return what a worker is given, or a result, with the arrays of files."""
    if isinstance(value, _File):
        return np.load(value.path, mmap_mode="r", allow_pickle=False)
    return _with_items(value, map(_opened, value)) if _files(value) else value


def _stored(value: Any, folder: str) -> Any:
    """Return a result whose large arrays are in files: the result itself, or items of a tuple."""
    if isinstance(value, tuple):
        return _with_items(value, [_stored(item, folder) for item in value])
    if not isinstance(value, np.ndarray) or value.nbytes < LARGE:
        return value
    with naming_full_disk("a result", value.nbytes, Path(folder).parent, ADVICE):
        number, name = tempfile.mkstemp(dir=folder)
        with os.fdopen(number, "wb") as file:  # one that NumPy writes to without copies
            np.save(file, value, allow_pickle=False)
    return _File(Path(name))


def _files(value: Any) -> list[_File]:
    """Return the files in a result."""
    if isinstance(value, _File):
        return [value]
    return [file for item in value for file in _files(item)] if isinstance(value, tuple) else []


def _with_items(value: Any, items: Iterable[Any]) -> Any:
    """Return a tuple of the same kind with other items."""
    return value._make(items) if hasattr(value, "_make") else tuple(items)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # Windows removes it with its folder, when no process maps it any more
        path.unlink()


def _work(connection: Any, folder: str) -> None:
    """Call what comes through a pipe until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    with contextlib.suppress(EOFError, OSError):  # that process is no more
        connection.send(([], None, ""))
        while True:
            setting, parts, function, arguments = connection.recv()
            results: list[Any] = []
            error: Exception | None = None
            where = ""
            try:
                value = setting.call(function, *map(_opened, arguments))
                results = [_stored(item, folder) for item in of_parts(value, parts)]
                del value
            except Exception as raised:
                error, where = raised, traceback.format_exc()
            del function, arguments
            connection.send((results, error, where))
            del results

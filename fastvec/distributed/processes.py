"""Calls in processes of this machine, each of which has a pipe to this one.

A process that ends, killed or not, closes its pipe; what it was calling is called again in a new one. All
others go on, and the results that are here already stay. A call that is slow is given to a second process
when that has nothing else to do.

Large arrays go around the pipes, as files that all processes map.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
import threading
import traceback
import weakref
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fastvec.distributed.calls import PENDING, Call, Handle, Siblings
from fastvec.distributed.engine import LOST_WORKERS, Engine, Setting, lost, of_parts
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
        self._waiting: deque[Call] = deque()
        self._siblings = Siblings()
        self._n_calls = 0
        self._started: list[_Worker] = []
        self._heard: SimpleQueue[tuple[_Worker, Any]] = SimpleQueue()
        self._n_lost_early = 0
        self._error: Exception | None = None
        self._shared = tempfile.TemporaryDirectory(prefix="fastvec-", ignore_cleanup_errors=True)
        self._n_shared = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        for worker in self._started:
            worker.stop()
        for worker in self._started:
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
        place = path.parent.parent
        with naming_full_disk("a shared array", array.nbytes, place, ADVICE), path.open("wb") as file:
            _save(file, array)
        handle = Handle("a shared array", _File(path))
        weakref.finalize(handle, _remove, path)
        return handle

    def _call(self, call: Call) -> list[Handle]:
        handles = call.promise()
        self._waiting.append(call)
        self._n_calls += 1
        self._start()
        return handles

    def results(self, handles: Sequence[Handle], report: Report = lambda n: None) -> list[Any]:
        """Return the results once they are there."""
        pending = list(handles)
        while True:
            n = len(pending)
            pending = [handle for handle in pending if handle.value is PENDING]
            if len(pending) < n:
                report(n - len(pending))
            if not pending:
                return [_opened(handle.value) for handle in handles]
            if self._error is not None and not self._has_work:
                raise self._error  # of a call that they wait for
            try:
                self._take(*self._heard.get(timeout=self._patience()))
            except Empty:
                self._start(twice=True)
            else:
                self._start()

    @property
    def _has_work(self) -> bool:
        return bool(self._running()) or any(call.is_ready for call in self._waiting)

    def _running(self) -> Counter[Call]:
        """Return the calls that run and are not done, and in how many processes."""
        calls = (worker.call for worker in self._started)
        return Counter(call for call in calls if call is not None and not call.is_done)

    def _next_slow(self) -> tuple[float, Call | None]:
        """Return in how many seconds a call is slow that runs in one process alone, and which."""
        return self._siblings.next_slow(call for call, n in self._running().items() if n == 1)

    def _patience(self) -> float | None:
        """Return how long to wait for the workers until a call is to be started again; None if for ever."""
        seconds, call = self._next_slow()
        return None if call is None or not self._idle() else seconds

    def _idle(self) -> list[_Worker]:
        return [worker for worker in self._started if worker.is_idle]

    def _start(self, twice: bool = False) -> None:
        """Start the workers that there is work for, and give calls whose arguments are there to idle ones.

        If `twice`, the others are given those that are slow.
        """
        while len(self._started) < min(self.workers, self._n_calls):
            self._started.append(_Worker(self._shared.name, self._heard))
        for worker in self._idle():
            call = next((call for call in self._waiting if call.is_ready), None)
            if call is not None:
                self._waiting.remove(call)
                call.begin()
            elif twice:
                seconds, call = self._next_slow()
                call = None if seconds else call
            if call is None:
                return
            if not worker.begin(call, self._setting):
                if call not in self._running():
                    self._waiting.appendleft(call)
                self._lose(worker)

    def _take(self, worker: _Worker, said: Any) -> None:
        """Take what a worker says: that it has begun, a result or an error; None if it is no more."""
        if worker not in self._started:
            return
        if said is None:
            self._lose(worker)
            return
        results, error, where = said
        call, worker.call, worker.has_begun = worker.call, None, True
        self._n_lost_early = 0
        if call is None:
            return
        if call.is_done:  # another worker was faster
            for file in _files(tuple(results)):
                _remove(file.path)
        elif error is None:
            self._siblings.add(call)
            _finish(call, results)
        elif call not in self._running():  # in no other worker, where it may succeed
            self._error = error
            raise error from RuntimeError(f"in a worker process:\n{where}")

    def _lose(self, worker: _Worker) -> None:
        """Put the call of a worker that is no more first in the queue, unless another one has it, too."""
        self._started.remove(worker)
        status = worker.end()
        why = f"it was killed by signal {-status}" if status < 0 else f"it ended with status {status}"
        call = worker.call
        if call is not None:
            call.n_lost += 1
            if call.is_done or call in self._running():
                return
            if call.n_lost > LOST_WORKERS:
                raise lost(call.name, call.n_lost, why)
            self._waiting.appendleft(call)
        elif not worker.has_begun:
            self._n_lost_early += 1
            if status >= 0:
                raise RuntimeError(
                    f"a worker process could not begin: {why}; a script that starts them must do so under "
                    "if __name__ == '__main__':, since each of them imports it"
                )
            if self._n_lost_early > LOST_WORKERS:
                raise lost("starting a worker", self._n_lost_early, why)


class _Worker:
    """A process that calls functions, one after the other, and the end of its pipe here."""

    def __init__(self, folder: str, heard: SimpleQueue[tuple[_Worker, Any]]) -> None:
        self._connection, other = SPAWN.Pipe()
        self.call: Call | None = None
        self.has_begun = False
        self._process = SPAWN.Process(target=_work, args=(other, folder), daemon=True)
        self._process.start()
        other.close()  # so that the pipe ends with the process
        self._listener = threading.Thread(target=self._listen, args=(heard,), daemon=True)
        self._listener.start()

    @property
    def is_idle(self) -> bool:
        return self.has_begun and self.call is None

    def begin(self, call: Call, setting: Setting) -> bool:
        """Hand over a call, and return whether the process is there to take it."""
        try:
            self._connection.send((setting, call.parts, call.function, call.given()))
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
        """Let the process end, whatever it does: one that was stopped by a signal can only be killed."""
        self._process.kill()

    def _listen(self, heard: SimpleQueue[tuple[_Worker, Any]]) -> None:
        """Pass on what the process says, from a thread: when it stops, it may have said the half of it."""
        said: Any = ()
        while said is not None:
            try:
                said = self._connection.recv()
            except (EOFError, OSError):
                said = None
            except Exception as error:  # of an error that cannot be made again here
                said = [], error, traceback.format_exc()
            heard.put((self, said))

    def end(self) -> int:
        """End the process, and return its exit status."""
        self.stop()
        self._process.join()
        self._listener.join()
        self._connection.close()
        status = self._process.exitcode
        self._process.close()
        return status or 0


@dataclass(frozen=True)
class _File:
    """An array in a file."""

    path: Path


def _finish(call: Call, results: list[Any]) -> None:
    """Give results to the handles of a call; their files go away with these."""
    for handle, result in zip(call.finish(results), results, strict=True):
        for file in _files(result):
            _remove(file.path) if handle is None else weakref.finalize(handle, _remove, file.path)


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
        with os.fdopen(number, "wb") as file:
            _save(file, value)
    return _File(Path(name))


def _save(file: BinaryIO, array: NDArray[Any]) -> None:
    """Write an array as `numpy.save` does, whose error of a full disk has no number."""
    array = np.asarray(array, order="C")
    np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
    file.write(array.reshape(-1).view(np.uint8).data)


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

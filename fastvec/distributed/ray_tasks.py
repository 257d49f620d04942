"""Calls as tasks of Ray, on the machines of a cluster.

Ray calls a function again when its worker or its machine is lost, and also those whose results were lost with
it. A call that is slow is a second task when the cluster has processors for it. Calls become tasks when their
arguments are there, which may be the results of either.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import os
import re
import socket
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastvec.distributed.calls import PENDING, Call, Handle, Siblings
from fastvec.distributed.engine import LOST_WORKERS, Engine, Setting, lost, of_parts
from fastvec.training.threads import Report

__all__ = ["RayTasks", "check_address", "check_installed"]

# Seconds to reach an address in: Ray itself tries for minutes, and then ends the process.
PATIENCE = 10.0

NEW = "local"
OWN = "auto"


class _Task(NamedTuple):
    """A call that runs, and what Ray has in the place of its results."""

    call: Call
    results: list[Any]


class RayTasks(Engine):
    """Calls functions on a cluster of Ray; see `connect`."""

    packs = True

    def __init__(self, address: str, threads: int, setting: Setting) -> None:
        check_installed(address)
        import ray

        self.threads = threads
        self._ray = ray
        self._no_room = ray.exceptions.OutOfDiskError, ray.exceptions.ObjectStoreFullError
        self._setting = setting
        self._connected = not ray.is_initialized()
        self._waiting: list[Call] = []
        self._running: dict[Any, _Task] = {}  # by what says that they have ended
        self._siblings = Siblings()
        self._since = 0.0  # all that runs has begun by then, in the order of `time.monotonic`
        if self._connected:
            _connect(ray, address)
        self._processors = int(ray.cluster_resources().get("CPU", 1))
        self.workers = max(1, self._processors // threads)
        self._check_processors(address)
        self._task = ray.remote(max_retries=LOST_WORKERS)(_results)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        for ended in self._running:  # after an error, or since others were faster
            with contextlib.suppress(Exception):  # it has ended
                self._ray.cancel(ended, force=True)
        self._running.clear()
        if self._connected:
            self._ray.shutdown()

    @property
    def machines(self) -> int:
        """How many machines of the cluster have processors."""
        return len(self._processors_of_machines())

    def _processors_of_machines(self) -> list[int]:
        """Return how many processors machines have, of those that have any."""
        found = [int(node["Resources"].get("CPU", 0)) for node in self._ray.nodes() if node["Alive"]]
        return [processors for processors in found if processors]

    def share(self, array: NDArray[Any]) -> Handle:
        """Put an array into Ray's memory, which the workers of a machine share.

        Raises
        ------
        OSError
            If it is full, and the disk, too, on which Ray puts what it has no memory for.
        """
        try:
            return Handle("a shared array", self._ray.put(np.ascontiguousarray(array)))
        except self._no_room as error:
            raise self._full("a shared array", socket.gethostname()) from error

    def _call(self, call: Call) -> list[Handle]:
        handles = call.promise()
        self._waiting.append(call)
        self._start()
        return handles

    def results(self, handles: Sequence[Handle], report: Report = lambda n: None) -> list[Any]:
        """Return the results once they are there."""
        results: dict[Handle, Any] = {}
        pending = list(dict.fromkeys(handles))
        while True:
            for handle in (handle for handle in pending if handle.value is not PENDING):
                results[handle] = self._result(handle)
                report(1)
            pending = [handle for handle in pending if handle not in results]
            if not pending:
                return [results[handle] for handle in handles]
            ended, _ = self._ray.wait([*self._running], timeout=self._patience(), fetch_local=False)
            if ended:
                self._take(*ended)
            else:
                self._begin_again()
            self._start()

    def _start(self) -> None:
        """Make tasks of the calls whose arguments are there."""
        for call in [call for call in self._waiting if call.is_ready]:
            self._waiting.remove(call)
            self._begin(call)

    def _begin(self, call: Call) -> None:
        task = self._task.options(
            name=f"fastvec: {call.name}", num_returns=(call.parts or 1) + 1, num_cpus=call.threads
        )
        *results, ended = task.remote(self._setting, call.parts, call.function, *call.given())
        self._running[ended] = _Task(call, results)
        if self._reserved() <= self._processors:
            call.begun = call.begun or time.monotonic()

    def _take(self, ended: Any) -> None:
        """Take the results of a task, or its error in their place, unless another one has them or may."""
        if self._reserved() > self._processors:
            self._since = time.monotonic()
        call, results = self._running.pop(ended)
        if call.is_done:
            return
        try:
            self._ray.get(ended)
        except self._ray.exceptions.RayError:
            if self._n_tasks()[call]:
                return
        else:
            self._siblings.add(call)
        call.finish(results)

    def _reserved(self) -> int:
        """Return how many processors all that runs asks for."""
        return sum(task.call.threads for task in self._running.values())

    def _n_tasks(self) -> Counter[Call]:
        """Return the calls that run and are not done, and how many tasks they are."""
        return Counter(task.call for task in self._running.values() if not task.call.is_done)

    def _next_slow(self) -> tuple[float, Call | None]:
        """Return in how many seconds a call is slow that is one task alone, and which."""
        alone = (call for call, n in self._n_tasks().items() if n == 1)
        return self._siblings.next_slow(alone, self._since)

    def _patience(self) -> float | None:
        """Return how long to wait for tasks until a call is to be started again; None if for ever."""
        seconds, call = self._next_slow()
        return None if call is None or self._reserved() + call.threads > self._processors else seconds

    def _begin_again(self) -> None:
        """Make a second task of a call that is slow, if there are processors for it now."""
        seconds, call = self._next_slow()
        if call is None or seconds:
            return
        if self._ray.available_resources().get("CPU", 0) >= call.threads:
            self._begin(call)
            return
        self._since = time.monotonic()
        for task in self._running.values():  # which may wait, since others have the processors
            task.call.begun = None

    def _check_processors(self, address: str) -> None:
        """Warn if no machine has the processors of a call, which then waits for one to join the cluster.

        Raises
        ------
        ValueError
            If none can.
        """
        if self.threads <= (most := max(self._processors_of_machines(), default=0)):
            return
        what = f"no machine of the cluster has {self.threads} processors for a worker's threads or lanes"
        if address == NEW and self._connected:
            self._ray.shutdown()
            raise ValueError(
                f"{what}; this one has {most}: ask for fewer, or for processes (cluster=1), which share them"
            )
        warnings.warn(f"{what}: calls wait until one joins", stacklevel=6)

    def _result(self, handle: Handle) -> Any:
        exceptions = self._ray.exceptions
        try:
            return self._ray.get(handle.value)
        except exceptions.RayError as error:
            cause = error
            while isinstance(cause, exceptions.RayTaskError):  # of this call, or of one that it waits for
                cause = cause.cause
            if isinstance(cause, exceptions.RayError):
                if isinstance(cause, self._no_room):
                    hosts = re.findall(r"\bip=([^),]+)", str(error))  # the error has no attribute for it
                    raise self._full(handle.name, hosts[-1] if hosts else "a worker") from error
                raise lost(handle.name, LOST_WORKERS + 1, " ".join(str(cause).split())) from error
            raise cause from error

    def _full(self, what: str, host: str) -> OSError:
        """Return the error of a machine whose memory and disk are full."""
        reason = (
            f"{os.strerror(errno.ENOSPC)}: on {host} there is room for {what} neither in Ray's memory nor in "
            "its folder on the disk; ray start --object-store-memory gives more memory, and "
            "--object-spilling-directory names another folder"
        )
        return OSError(errno.ENOSPC, reason, self._spill_folder())

    def _spill_folder(self) -> str:
        """Return the folder in which Ray puts what it has no memory for."""
        state = importlib.import_module("ray._private.state").state
        config = json.loads(state.get_system_config()["object_spilling_config"])
        folders = config["params"]["directory_path"]
        return str(folders if isinstance(folders, str) else folders[0])


def _results(
    setting: Setting, parts: int | None, function: Callable[..., Any], *arguments: Any
) -> tuple[Any, ...]:
    """Call a function in a worker, and return its results, and what is small and says that it has ended."""
    return (*of_parts(setting.call(function, *arguments), parts), None)


def _connect(ray: Any, address: str) -> None:
    """Connect this process to a cluster, without Ray's own messages.

    Raises
    ------
    OSError
        If there is none.
    ValueError
        If it is no address.
    """
    how: dict[str, Any] = {"logging_level": "error", "log_to_driver": False}
    if address == NEW:
        ray.init(address=address, **how)
        return
    check_address(address)
    try:
        ray.init(address=address, **how)
    except ConnectionError as error:
        where = "" if address == OWN else " on its first machine"
        raise ConnectionError(
            f"no cluster of Ray can be reached at {address!r} ({error}): 'ray start --head'{where} starts "
            "one, and the address 'local' stands for a new one on this machine"
        ) from None


def check_installed(address: str) -> None:
    """Check that Ray is installed, without importing it, which takes a second.

    Raises
    ------
    ImportError
        If it is not.
    """
    if not find_spec("ray"):
        raise ImportError(
            f"{address!r} is the address of a cluster of Ray, which needs Ray: pip install 'fastvec[ray]'"
        )


def check_address(address: str) -> None:
    """Check that something answers at an address.

    Raises
    ------
    OSError
        If nothing does.
    ValueError
        If it is no address.
    """
    place = os.environ.get("RAY_ADDRESS") or OWN if address == OWN else address
    if place not in (OWN, NEW):
        _check_reachable(place)


def _check_reachable(place: str) -> None:
    host, colon, port = place.rpartition("://")[2].rpartition(":")
    if not colon or not port.isdecimal():
        raise ValueError(
            f"the address of a cluster of Ray must be 'auto', 'local' or 'host:port', got {place!r}"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except OSError as error:
        raise ConnectionError(
            f"no cluster of Ray can be reached at {place!r} ({error}): is this its address, and is the port "
            "open from here?"
        ) from None

"""Calls as tasks of Ray, on the machines of a cluster.

Ray calls a function again when its worker or its machine is lost, and also those whose results were lost with
it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import weakref
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.distributed.engine import LOST_WORKERS, Engine, Handle, Setting, lost
from fastvec.training.threads import Report

__all__ = ["RayTasks"]

# Seconds to reach an address in: Ray itself tries for minutes, and then ends the process.
PATIENCE = 10.0

NEW = "local"
OWN = "auto"


class RayTasks(Engine):
    """Calls functions on a cluster of Ray; see `connect`."""

    def __init__(self, address: str, threads: int, setting: Setting) -> None:
        try:
            import ray
        except ImportError:
            raise ImportError(
                f"{address!r} is the address of a cluster of Ray, which needs Ray: pip install 'fastvec[ray]'"
            ) from None
        self.threads = threads
        self._ray = ray
        self._setting = setting
        self._connected = not ray.is_initialized()
        self._handles: weakref.WeakSet[Handle] = weakref.WeakSet()
        if self._connected:
            _connect(ray, address)
        self.workers = max(1, int(ray.cluster_resources().get("CPU", 1)) // threads)
        self._task = ray.remote(max_retries=LOST_WORKERS, num_cpus=threads)(Setting.call)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if error is not None:
            for handle in list(self._handles):
                with contextlib.suppress(Exception):  # it has ended
                    self._ray.cancel(handle.value, force=True)
        if self._connected:
            self._ray.shutdown()

    def share(self, array: NDArray[Any]) -> Handle:
        """Put an array into Ray's memory, which the workers of a machine share."""
        return Handle("a shared array", self._ray.put(np.ascontiguousarray(array)))

    def _call(
        self, name: str, parts: int | None, function: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> list[Handle]:
        values = [item.value if isinstance(item, Handle) else item for item in arguments]
        task = self._task.options(name=f"fastvec: {name}", num_returns=parts or 1)
        references = task.remote(self._setting, function, *values)
        found = [references] if parts is None else references
        handles = [Handle(name, reference) for reference in found]
        self._handles.update(handles)
        return handles

    def results(self, handles: Sequence[Handle], report: Report = lambda n: None) -> list[Any]:
        """Return the results once they are there."""
        by_reference = {handle.value: handle for handle in handles}
        results: dict[Any, Any] = {}
        pending = list(by_reference)
        while pending:
            done, pending = self._ray.wait(pending)
            for reference in done:
                results[reference] = self._result(by_reference[reference])
                report(1)
        return [results[handle.value] for handle in handles]

    def _result(self, handle: Handle) -> Any:
        exceptions = self._ray.exceptions
        try:
            return self._ray.get(handle.value)
        except exceptions.RayError as error:
            cause = error
            while isinstance(cause, exceptions.RayTaskError):  # of this call, or of one that it waits for
                cause = cause.cause
            if isinstance(cause, exceptions.RayError):
                raise lost(handle.name, " ".join(str(cause).split())) from error
            raise cause from error


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
    place = os.environ.get("RAY_ADDRESS", "") if address == OWN else address
    if place not in ("", OWN):
        _check_reachable(place)
    try:
        ray.init(address=address, **how)
    except ConnectionError as error:
        raise ConnectionError(
            f"no cluster of Ray can be reached at {address!r} ({error}): 'ray start --head' starts one, and "
            "the address 'local' stands for a new one on this machine"
        ) from None


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

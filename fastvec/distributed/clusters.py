"""Where functions are called: in this process, in others of this machine, or on a cluster of Ray."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_int
from fastvec.distributed.calls import Call, Handle
from fastvec.distributed.engine import Engine, Setting, of_parts
from fastvec.training.threads import Report, Workers

__all__ = ["check_reachable", "connect", "connecting"]


class Here(Engine):
    """Calls functions in this process, each as soon as it is submitted."""

    workers = 1

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def __exit__(self, *_: object) -> None:
        pass

    def share(self, array: NDArray[Any]) -> Handle:
        """Return a handle of a read-only view."""
        view = array.view()
        view.flags.writeable = False
        return Handle("a shared array", view)

    def _call(self, call: Call) -> list[Handle]:
        result = call.function(*call.given())
        return [Handle(call.name, item) for item in of_parts(result, call.parts)]

    def results(self, handles: Sequence[Handle], report: Report = lambda n: None) -> list[Any]:
        """Return the results."""
        report(len(handles))
        return [handle.value for handle in handles]


def check_reachable(cluster: str | int | None) -> None:
    """Check that something answers where `connect` is to connect to.

    Raises
    ------
    ImportError, OSError, ValueError
        As `connect` does.
    """
    if isinstance(cluster, str):
        from fastvec.distributed.ray_tasks import check_address, check_installed

        check_address(cluster)
        check_installed(cluster)


def connect(cluster: str | int | None = None, *, threads: int = 1, any_backend: bool = False) -> Engine:
    """Return an engine.

    Parameters
    ----------
    cluster : str or int, optional
        Where functions are called: in this process by default, one call after the other; in so many
        processes of this machine; or on a cluster of Ray, of which this is the address: "auto" for the one
        that this machine belongs to, "host:port", or "local" for a new one on this machine. A connection to
        Ray that the program has already is used.
    threads : int
        How many threads a call may use: the processors that Ray reserves for it.
    any_backend : bool
        Whether the results are the same on all backends. If not, all workers compute with the one that this
        process has selected, and those that lack it are refused.

    Returns
    -------
    Engine

    Raises
    ------
    ImportError
        If Ray is not installed.
    OSError
        If there is no cluster at this address.
    TypeError, ValueError
        If a parameter is invalid.
    """
    threads = check_int("threads", threads, 1, 4096)
    if cluster is None:
        return Here(threads)
    setting = Setting.here(any_backend, threads)
    if isinstance(cluster, str):
        from fastvec.distributed.ray_tasks import RayTasks

        return RayTasks(cluster, threads, setting)
    if isinstance(cluster, bool) or not isinstance(cluster, (int, np.integer)):
        raise TypeError(
            "cluster must be None, a number of processes or the address of a cluster of Ray, as 'auto', got "
            f"{cluster!r}"
        )
    from fastvec.distributed.processes import Processes

    return Processes(check_int("cluster", cluster, 1, 4096), threads, setting)


@contextmanager
def connecting(cluster: str | int | None, threads: int, calls: int) -> Iterator[Callable[[], Engine]]:
    """Connect as `connect` does; a new cluster starts meanwhile in a thread, which takes seconds.

    Parameters
    ----------
    cluster, threads : str or int, and int
        As for `connect`.
    calls : int
        How many calls there will be at the same time: as many workers start meanwhile, too.

    Yields
    ------
    callable
        It waits for the engine, and returns it; errors of a new cluster are raised there.
    """
    from fastvec.distributed.ray_tasks import NEW

    check_reachable(cluster)

    def begin() -> Engine:
        engine = stack.enter_context(connect(cluster, threads=threads))
        if workers.stopped.is_set():  # perhaps nobody waits: all is over after a second Ctrl-C
            stack.close()
            return engine
        for _ in range(min(calls, engine.workers)):
            engine.submit("start a worker", _do_nothing)
        return engine

    with ExitStack() as stack, Workers(2 if cluster == NEW else 1) as workers:
        yield workers.submit(begin).result


def _do_nothing() -> None:
    pass

"""The engine: what calls pure functions somewhere, with the same results everywhere.

A function that is handed to `Engine.submit` returns the same for the same arguments, and changes none of
them. It may therefore be called again when the process that called it is lost, or called twice when that
takes long: nothing but its result counts. Results travel to other calls: the `Handle` of one stands for it
among their arguments.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, NamedTuple

from numpy.typing import NDArray

from fastvec import kernels
from fastvec.distributed.calls import Call, Handle
from fastvec.training.threads import Report, limit_file_threads

__all__ = ["LOST_WORKERS", "Engine", "Setting", "lost", "of_parts"]

# How many workers a call may lose, or how many may be lost in a row before they begin.
LOST_WORKERS = 3
# How many results a call of `combine` merges.
MERGED_AT_ONCE = 8


class Setting(NamedTuple):
    """What workers must have in common with the process that they work for.

    Attributes
    ----------
    version : str
        The version of fastvec.
    backend : str, optional
        The backend that they compute with; None if results do not depend on it.
    threads : int
        How many threads a call may use.
    """

    version: str
    backend: str | None
    threads: int = 1

    @classmethod
    def here(cls, any_backend: bool, threads: int = 1) -> Setting:
        """Return the setting of this process."""
        from fastvec import __version__

        return cls(__version__, None if any_backend else kernels.selected(), threads)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in a worker, with the backend of this setting.

        Raises
        ------
        RuntimeError
            If the worker has another version, or its processor lacks the backend: bits would differ.
        """
        here = Setting.here(any_backend=True)
        if here.version != self.version:
            raise RuntimeError(
                f"workers must have the fastvec of the process that they work for, {self.version}, got "
                f"{here.version} on {_host()}: install the same version"
            )
        if self.backend is not None:
            if self.backend not in (usable := kernels.available()):
                raise RuntimeError(
                    "workers must compute with the backend of the process that they work for, or bits would "
                    f"differ: {self.backend}, got {', '.join(usable)} on {_host()}; set FASTVEC_BACKEND to "
                    "one of these in that process"
                )
            os.environ["FASTVEC_BACKEND"] = self.backend
        limit_file_threads(self.threads)
        return function(*arguments)


class Engine(ABC):
    """Calls functions somewhere; a context manager, so that nothing works on after an error.

    Attributes
    ----------
    threads : int
        How many threads a call may use.
    workers : int
        How many calls run at the same time.
    packs : bool
        Whether more calls do if each uses fewer threads.
    """

    threads: int
    workers: int
    packs = False

    def __enter__(self) -> Engine:
        return self

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None: ...

    @property
    def machines(self) -> int:
        """On how many machines it calls functions, between which arguments and results travel."""
        return 1

    @abstractmethod
    def share(self, array: NDArray[Any]) -> Handle:
        """Return a handle of an array that many calls read: it is there once on every machine.

        Parameters
        ----------
        array : ndarray
            The array; it is not changed any more.

        Returns
        -------
        Handle
            The array goes away with it.

        Raises
        ------
        OSError
            If the disk of temporary files is full.
        """

    @abstractmethod
    def _call(self, call: Call) -> list[Handle]:
        """Return a handle of its result, or of each item of a tuple of its `parts`."""

    def submit(
        self,
        name: str,
        function: Callable[..., Any],
        *arguments: Any,
        size: float = 1,
        threads: int | None = None,
    ) -> Handle:
        """Call a function.

        Parameters
        ----------
        name : str
            What errors and Ray's dashboard call it.
        function : callable
            A pure function of a module.
        *arguments : object
            Its arguments; those that are handles stand for what was shared, or for results. Arrays are
            read-only.
        size : float
            How much there is to do, in any unit, beside other calls of the function: how long these took says
            when this one is slow.
        threads : int, optional
            How many threads it uses, if fewer than it may.

        Returns
        -------
        Handle
            It stands for the result, which goes away with it.
        """
        return self._call(Call(name, None, function, arguments, size, threads or self.threads))[0]

    def submit_parts(
        self,
        name: str,
        parts: int,
        function: Callable[..., Any],
        *arguments: Any,
        size: float = 1,
        threads: int | None = None,
    ) -> list[Handle]:
        """Call a function whose result travels in parts.

        Parameters
        ----------
        name : str
            What errors and Ray's dashboard call it.
        parts : int
            How many items the tuple has that the function returns.
        function : callable
            A pure function of a module.
        *arguments : object
            Its arguments, as for `submit`.
        size, threads : optional
            How much there is to do, and in how many threads, as for `submit`.

        Returns
        -------
        list of Handle
            A handle of each part.
        """
        return self._call(Call(name, parts, function, arguments, size, threads or self.threads))

    def combine(
        self,
        name: str,
        function: Callable[..., Any],
        handles: Sequence[Handle],
        at_once: int = MERGED_AT_ONCE,
    ) -> Handle:
        """Merge results as a tree, neighbours first.

        Parameters
        ----------
        name : str
            What errors and Ray's dashboard call it.
        function : callable
            A pure function of several results that returns one of the same kind; it is associative, so that
            `at_once` changes nothing.
        handles : list of Handle
            The results, in their order; one at least.
        at_once : int
            How many results a call merges.

        Returns
        -------
        Handle
        """
        level = list(handles)
        while len(level) > 1:
            groups = [level[begin : begin + at_once] for begin in range(0, len(level), at_once)]
            level = [group[0] if len(group) == 1 else self.submit(name, function, *group) for group in groups]
        return level[0]

    @abstractmethod
    def results(self, handles: Sequence[Handle], report: Report = lambda n: None) -> list[Any]:
        """Wait for results.

        Parameters
        ----------
        handles : list of Handle
            What stands for them.
        report : callable
            Called with how many more results are there, as soon as they are.

        Returns
        -------
        list
            The results, in the order of `handles`.

        Raises
        ------
        Exception
            The one that a function has raised.
        RuntimeError
            If a call has lost its worker too often.
        """


def lost(name: str, n: int, why: str) -> RuntimeError:
    """Return the error of a call that has lost every worker that it was given to, `n`."""
    return RuntimeError(
        f"{name}: lost {n} workers, the last because {why}; the system kills processes that "
        "take too much memory: fewer workers, a smaller memory_limit or smaller shards take less"
    )


def of_parts(result: Any, parts: int | None) -> Sequence[Any]:
    """Return what handles are to stand for: a result, or the items of one that is a tuple of `parts`."""
    if parts is None:
        return (result,)
    if len(result) != parts:
        raise ValueError(f"a call must return {parts} parts, got {len(result)}")
    return tuple(result)


def _host() -> str:
    import socket

    return socket.gethostname()

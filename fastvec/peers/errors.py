"""Errors that say what a parameter or an attribute of another package is called here."""

from __future__ import annotations

import functools
import inspect
import re
from abc import ABCMeta
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeVar, cast

from fastvec._params import check_choice
from fastvec.peers.names import LOSSES, Names

__all__ = ["PeersAttributes", "check_loss", "naming_peers_parameters", "naming_peers_parameters_of"]

Class = TypeVar("Class", bound=type)
Function = TypeVar("Function", bound=Callable[..., Any])


class NamingPeersAttributes(ABCMeta):
    """The type of classes that name what stands here for an attribute of a class of another package."""

    PEERS: Names

    if not TYPE_CHECKING:  # to mypy, every name could be asked for then

        def __getattr__(cls, name: str) -> Any:
            _missing(cls, cls, name)


class PeersAttributes(metaclass=NamingPeersAttributes):
    """The base of classes that name their attribute when they are asked for that of another package."""

    PEERS: ClassVar[Names] = Names()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            cls = type(self)
            own = None if name.startswith("__") else inspect.getattr_static(cls, name, None)
            if isinstance(own, property):  # it has raised an error, which Python forgets
                return own.fget(self)
            return _missing(self, cls, name)


def naming_peers_parameters_of(names: Mapping[str, str]) -> Callable[[Function], Function]:
    """Let a function or method name its parameter when it is given one of those that other packages have."""

    def decorate(function: Function) -> Function:
        own = inspect.signature(function).parameters
        of_class = "self" in own
        named_only = all(name == "self" or own[name].kind is own[name].KEYWORD_ONLY for name in own)

        @functools.wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            if of_class and named_only and len(args) > 1:
                kind = type(args[0]).__name__
                raise TypeError(
                    f"{kind} takes parameters by their names, and what it learns from in `fit`: "
                    f"{kind}(...).fit(...)"
                )
            for name in kwargs:
                if name in names and name not in own:
                    raise TypeError(_sentence(function, args, name, names[name]))
            return function(*args, **kwargs)

        return cast(Function, checked)

    return decorate


def check_loss(loss: Any, choices: Iterable[str]) -> str:
    """Return `loss` when it is one of some losses; else raise, and name ours if it is one of fastText's.

    Raises
    ------
    TypeError, ValueError
        As `check_choice` does.
    """
    choices = tuple(choices)
    try:
        return check_choice("loss", loss, choices)
    except ValueError as error:
        ours = LOSSES.get(loss)
        if ours is None:
            raise
        of_others = "" if ours in choices else " of TextClassifier"
        raise ValueError(f"{error}; it is {ours!r}{of_others} here") from None


def naming_peers_parameters(cls: Class) -> Class:
    """Let the constructor and methods of a class name their parameters when given those of other packages."""
    names: Names = cls.PEERS  # type: ignore[attr-defined]
    for method, others in {"__init__": names.parameters, **names.methods}.items():
        setattr(cls, method, naming_peers_parameters_of(others)(getattr(cls, method)))
    return cls


def _sentence(function: Callable[..., Any], args: tuple[Any, ...], name: str, ours: str) -> str:
    """Return the error of a parameter that a function or method does not have."""
    here, own = function.__name__, inspect.signature(function).parameters
    if "self" in own:
        cls = type(args[0])
        here = cls.__name__ if here == "__init__" else f"{cls.__name__}.{here}"
        ours = _ours(cls, ours, own)
    return f"{here} has no parameter `{name}`: it is {ours}"


def _missing(asked: Any, cls: Any, name: str) -> NoReturn:
    """Raise the error of an attribute that an object, or a class, does not have."""
    here = cls.PEERS.attributes.get(name) or cls.PEERS.parameters.get(name)
    if here is None:
        kind = f"type object {cls.__name__!r}" if asked is cls else f"{cls.__name__!r} object"
        raise AttributeError(f"{kind} has no attribute {name!r}", name=name, obj=asked)
    raise AttributeError(f"{cls.__name__} has no attribute `{name}`: it is {_ours(cls, here)}")


def _ours(cls: Any, name: str, parameters: Iterable[str] = ()) -> str:
    """Return what something is called here, with a remark if a class does not have it."""
    has = {*dir(cls), *parameters, *inspect.signature(cls).parameters}
    has |= {attribute for base in cls.__mro__ for attribute in vars(base).get("__annotations__", ())}
    if hasattr(cls, "fit"):
        has |= {*inspect.signature(cls.fit).parameters}
    own = re.findall(r"`((?!fastvec|vectors_\.)[^`]+)`", name)
    parts = {part for code in own for part in re.findall(r"^\w+|\w+(?==)", code)}
    names_a_class = re.search(r" of [A-Z]", name)
    return name if names_a_class or parts <= has else f"{name}, but not in {cls.__name__}"

"""Errors that say what a parameter or an attribute of another package is called here."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from fastvec.peers.names import Names

__all__ = ["PeersAttributes", "naming_peers_parameters", "naming_peers_parameters_of"]

Class = TypeVar("Class", bound=type)
Method = TypeVar("Method", bound=Callable[..., Any])


class PeersAttributes:
    """The base of classes that name their attribute when they are asked for that of another package."""

    PEERS: ClassVar[Names] = Names()

    if not TYPE_CHECKING:  # to mypy, every name could be asked for then

        def __getattr__(self, name: str) -> Any:
            return _missing(self, name)


def naming_peers_parameters_of(names: Mapping[str, str]) -> Callable[[Method], Method]:
    """Let a method name its parameter when it is given one of those that other packages have."""

    def decorate(method: Method) -> Method:
        own = inspect.signature(method).parameters
        named_only = all(name == "self" or own[name].kind is own[name].KEYWORD_ONLY for name in own)

        @functools.wraps(method)
        def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
            cls = type(self)
            if args and named_only:
                raise TypeError(
                    f"{cls.__name__} takes parameters by their names, and what it learns from in `fit`: "
                    f"{cls.__name__}(...).fit(...)"
                )
            for name in kwargs:
                if name in names and name not in own:
                    here = cls.__name__ if method.__name__ == "__init__" else f"{cls.__name__}.fit"
                    raise TypeError(f"{here} has no parameter `{name}`: it is {_ours(cls, names[name])}")
            return method(self, *args, **kwargs)

        return cast(Method, checked)

    return decorate


def naming_peers_parameters(cls: Class) -> Class:
    """Let the constructor of a class name its parameter when it is given that of another package."""
    own = cls.__init__  # type: ignore[misc]
    cls.__init__ = naming_peers_parameters_of(cls.PEERS.parameters)(own)  # type: ignore[misc, attr-defined]
    return cls


def _missing(asked: Any, name: str) -> Any:
    """Raise the error of an attribute that an object does not have."""
    cls = type(asked)
    own = inspect.getattr_static(cls, name, None)
    if isinstance(own, property):  # it has raised an error, which Python forgets
        assert own.fget is not None
        return own.fget(asked)
    here = cls.PEERS.attributes.get(name) or cls.PEERS.parameters.get(name)
    if here is None:
        raise AttributeError(f"{cls.__name__!r} object has no attribute {name!r}", name=name, obj=asked)
    raise AttributeError(f"{cls.__name__} has no attribute `{name}`: it is {_ours(cls, here)}")


def _ours(cls: Any, name: str) -> str:
    """Return what something is called here, with a remark if a class does not have it."""
    has = {*dir(cls), *inspect.signature(cls).parameters}
    has |= {attribute for base in cls.__mro__ for attribute in vars(base).get("__annotations__", ())}
    if hasattr(cls, "fit"):
        has |= {*inspect.signature(cls.fit).parameters}
    own = re.findall(r"`((?!fastvec|vectors_\.)[^`]+)`", name)
    parts = {part for code in own for part in re.findall(r"^\w+|\w+(?==)", code)}
    names_a_class = re.search(r" of [A-Z]", name)
    return name if names_a_class or parts <= has else f"{name}, but not in {cls.__name__}"

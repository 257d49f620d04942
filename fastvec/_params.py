"""Parameters: by name in estimators, and validated with one wording of errors.

``window must be an int >= 1, got 0``. A value of the wrong type raises `TypeError`, one out of range
`ValueError`, both with the same sentence. What is returned is Python's own bool, int, float or str, whatever
the type of what was given: NumPy's integers overflow where Python's do not, and no JSON file can hold them.
"""

from __future__ import annotations

import inspect
import math
import numbers
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Estimator",
    "PlainAttributes",
    "check_bool",
    "check_choice",
    "check_counts",
    "check_float",
    "check_int",
    "check_item",
    "check_sequences",
    "check_words",
    "plain",
    "shortened",
]

GROUPED = "table.groupby('user')['item'].apply(list)"


class PlainAttributes:
    """The base of estimators: numbers and str of NumPy that are assigned to them become Python's own."""

    if not TYPE_CHECKING:  # to mypy, every name could be assigned to then

        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, plain(value))


class Estimator(PlainAttributes):
    """An estimator whose constructor takes keywords only and stores them."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters of the constructor and their values.

        Parameters
        ----------
        deep : bool
            Ignored; for compatibility with scikit-learn.

        Returns
        -------
        dict of str to object
            The values by name.
        """
        return {name: getattr(self, name) for name in self._defaults()}

    def set_params(self, **params: Any) -> Any:
        """Set parameters by name.

        Parameters
        ----------
        **params : object
            New values by name.

        Returns
        -------
        estimator
            The estimator itself.

        Raises
        ------
        ValueError
            If there is no parameter of that name.
        """
        names = list(self._defaults())
        for name, value in params.items():
            if name not in names:
                raise ValueError(f"params must be among {', '.join(names)}, got {name!r}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        changed = ", ".join(
            f"{name}={getattr(self, name)!r}"
            for name, default in self._defaults().items()
            if getattr(self, name) != default
        )
        return f"{type(self).__name__}({changed})"

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        parameters = inspect.signature(cls).parameters
        return {name: parameter.default for name, parameter in parameters.items()}


def plain(value: Any) -> Any:
    """Return a number or str of another library as Python's own, and anything else as it is."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return _float(value)
    return str.__str__(value) if isinstance(value, str) else value


def check_int(name: str, value: Any, minimum: int, maximum: int | None = None) -> int:
    """Return `value` as an int when it is an integer in [`minimum`, `maximum`], else raise.

    Raises
    ------
    TypeError, ValueError
        With the sentence ``<name> must be an int >= <minimum>, got <value>``.
    """
    rule = f"an int >= {minimum}" if maximum is None else f"an int from {minimum} to {maximum}"
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(_sentence(name, rule, value))
    if number < minimum or (maximum is not None and number > maximum):
        raise ValueError(_sentence(name, rule, value))
    return number


def check_float(
    name: str,
    value: Any,
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
) -> float:
    """Return `value` as a float when it is a finite number within the bounds, else raise.

    `minimum` and `maximum` are allowed values, `above` is not.

    Raises
    ------
    TypeError, ValueError
        With a sentence as ``<name> must be a number > 0, got <value>``.
    """
    bounds = [
        f"{sign} {bound}"
        for sign, bound in ((">=", minimum), (">", above), ("<=", maximum))
        if bound is not None
    ]
    rule = f"a number {' and '.join(bounds)}" if bounds else "a finite number"
    given = plain(value)
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise TypeError(_sentence(name, rule, value))
    number = _float(given)
    if (
        not math.isfinite(number)
        or (minimum is not None and number < minimum)
        or (above is not None and number <= above)
        or (maximum is not None and number > maximum)
    ):
        raise ValueError(_sentence(name, rule, value))
    return number


def check_choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """Return `value` when it is one of the strings `choices`, else raise.

    Raises
    ------
    TypeError, ValueError
        With the sentence ``<name> must be one of 'a', 'b', got <value>``.
    """
    choices = tuple(choices)
    rule = f"one of {', '.join(map(repr, choices))}"
    if not isinstance(value, str):
        raise TypeError(_sentence(name, rule, value))
    if value not in choices:
        raise ValueError(_sentence(name, rule, value))
    return str.__str__(value)


def check_bool(name: str, value: Any) -> bool:
    """Return `value` when it is True or False, else raise.

    Raises
    ------
    TypeError
        With the sentence ``<name> must be True or False, got <value>``.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(_sentence(name, "True or False", value))
    return bool(value)


def check_item(name: str, value: Any) -> str:
    """Return the word that stands for `value`: a str is itself, an int (a product or node id) its digits.

    Raises
    ------
    TypeError
        With the sentence ``<name> must be a str or an int, got <value>``.
    """
    item = plain(value)
    if isinstance(item, str):
        return item
    if isinstance(item, int) and not isinstance(item, bool):
        return str(item)
    raise TypeError(_sentence(name, "a str or an int", value))


def check_counts(counts: ArrayLike, n_words: int) -> NDArray[np.int64]:
    """Return the counts of words as an array of int64, which is the given one if that is of this type.

    Raises
    ------
    TypeError, ValueError
        If they are not integers, or not one for each word.
    """
    given = np.asarray(counts)
    if given.size and given.dtype.kind not in "iu":
        raise TypeError(f"counts must be integers, got {given.dtype}")
    if given.shape != (n_words,):
        raise ValueError(f"counts must have the shape ({n_words},), one for each word, got {given.shape}")
    return given.astype(np.int64, copy=False)


def check_sequences(name: str, rule: str, value: Any) -> None:
    """Validate what is to hold many sentences or texts.

    Parameters
    ----------
    name : str
        The parameter.
    rule : str
        What it must be: "sentences, each a list of words".
    value : object
        What was passed.

    Raises
    ------
    TypeError
        With the sentence ``<name> must be <rule>, got <value>``, followed by the reason and what to pass.
    """
    n_dimensions = getattr(value, "ndim", 1)
    if isinstance(value, (str, bytes, bytearray)) or not isinstance(value, Iterable) or n_dimensions == 0:
        remedy = ""
    elif isinstance(value, Mapping):
        remedy = f": only its keys would be used; pass {name}.values() if its values are meant"
    elif isinstance(value, (set, frozenset)):
        remedy = ": its order differs from run to run; pass a list"
    elif hasattr(value, "get_group"):
        remedy = f": pass its groups as lists, {name}.apply(list)"
    elif hasattr(value, "columns"):
        remedy = f": pass one of its columns, or rows that belong together as lists: {GROUPED}"
    elif n_dimensions > 1:
        shape = tuple(getattr(value, "shape", ()))
        column = " or, if it has one column, array.ravel()" if shape[1:] == (1,) else ""
        remedy = (
            f" of shape {shape}: rows of a table are seldom what is meant (group them: "
            f"{GROUPED}); pass array.tolist() if each row is one{column}"
        )
    elif getattr(getattr(value, "dtype", None), "names", None):
        remedy = ": pass one of its fields"
    else:
        return
    raise TypeError(f"{name} must be {rule}, got {shortened(value)}{remedy}")


def check_words(place: str, value: Any, rule: str = "a list of words") -> list[Any] | tuple[Any, ...]:
    """Return what is to be a sequence of words as a list or tuple; its items are not looked at.

    Parameters
    ----------
    place : str
        Which one it is: "sentence 3 of source".
    value : object
        What is there.
    rule : str
        What it must be.

    Raises
    ------
    TypeError
        With the sentence ``<place> must be <rule>, got <value>``, followed by the reason and what to
        pass.
    """
    if type(value) in (list, tuple):
        return value  # type: ignore[no-any-return]
    if isinstance(value, str):
        remedy = ", whose letters would be taken for words: pass sentence.split()"
    elif isinstance(value, (bytes, bytearray)):
        remedy = ": pass sentence.decode().split()"
    elif isinstance(value, Mapping):
        remedy = ", whose keys would be taken for words: pass list(sentence.values()) if its values are meant"
    elif isinstance(value, (set, frozenset)):
        remedy = ", whose order differs from run to run: pass sorted(sentence)"
    elif isinstance(value, os.PathLike):
        remedy = ": pass a list of all paths, list(paths), if it is to be read"
    elif getattr(value, "_fields", None) or isinstance(value, np.void) or hasattr(value, "columns"):
        remedy = f", a row or part of a table: pass the items that belong together as a list: {GROUPED}"
    elif not isinstance(value, Iterable) or getattr(value, "ndim", 1) != 1:
        remedy = ""
    else:
        return value if isinstance(value, (list, tuple)) else _listed(value)
    raise TypeError(f"{place} must be {rule}, got {shortened(value)}{remedy}")


def _listed(value: Any) -> list[Any]:
    items: list[Any] = value.tolist() if isinstance(value, np.ndarray) else list(value)
    return items


def _float(number: Any) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf


def shortened(value: Any) -> str:
    """Return the repr of a value, or its beginning, in one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:60]}..."


def _sentence(name: str, rule: str, value: Any) -> str:
    return f"{name} must be {rule}, got {shortened(value)}"

"""Parameters: by name in estimators, and validated with one wording of errors.

``window must be an int >= 1, got 0``. A value of the wrong type raises `TypeError`, one out of range
`ValueError`, both with the same sentence. What is returned is Python's own bool, int, float or str, whatever
the type of what was given: NumPy's integers overflow where Python's do not, and no JSON file can hold them.
"""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Iterable, Set
from typing import TYPE_CHECKING, Any, ClassVar

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
    "plain",
    "shortened",
]


class PlainAttributes:
    """The base of estimators: numbers and str of NumPy that are assigned to them become Python's own."""

    if not TYPE_CHECKING:  # to mypy, every name could be assigned to then

        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, plain(value))


class Estimator(PlainAttributes):
    """An estimator whose constructor takes keywords only and stores them."""

    # Parameters that are not kept in files: they do not change what is learned.
    _NOT_KEPT: ClassVar[tuple[str, ...]] = ("memory_limit", "progress", "callbacks")

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

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn, which is there if this is called, asks the steps of a pipeline."""
        from sklearn.utils import Tags, TargetTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=False))

    def __repr__(self) -> str:
        changed = ", ".join(
            f"{name}={getattr(self, name)!r}"
            for name, default in self._defaults().items()
            if getattr(self, name) != default
        )
        return f"{type(self).__name__}({changed})"

    def _repr_html_(self) -> str:
        """Return the estimator as notebooks show it: its parameters, bold where they are not the default."""
        from html import escape

        rows = []
        for name, default in self._defaults().items():
            value = getattr(self, name)
            mark = "td" if shortened(value) == shortened(default) else "th"
            cells = (
                f'<{mark} style="text-align: left">{escape(cell)}</{mark}>'
                for cell in (name, shortened(value))
            )
            rows.append(f"<tr>{''.join(cells)}</tr>")
        summary = f"<summary><code>{escape(repr(self))}</code></summary>"
        return f"<details>{summary}<table><tbody>{''.join(rows)}</tbody></table></details>"

    def _given(self) -> dict[str, Any]:
        """Return the parameters that are kept in files."""
        given = {name: value for name, value in self.get_params().items() if name not in self._NOT_KEPT}
        for name in ("keep", "drop"):
            if given.get(name) is not None:
                words = [*map(plain, given[name])]
                # the order of a set differs from run to run
                given[name] = sorted(words, key=str) if isinstance(given[name], Set) else words
        return given

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

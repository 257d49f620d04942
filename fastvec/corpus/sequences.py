"""What is no sequence of words, sentences or texts, although Python can iterate over it.

The keys of a dict, the columns of a table and the letters of a str would be taken for what was meant.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from fastvec._params import check_item, plain, shortened

__all__ = ["check_sequences", "check_words", "ids_or_words", "kind_of_words"]

GROUPED = "table.groupby('user')['item'].apply(list)"


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
    if hasattr(value, "get_group"):
        remedy = f": pass its groups as lists, {name}.apply(list)"
    elif hasattr(value, "columns") or hasattr(value, "column_names"):
        remedy = f": pass one of its columns, or rows that belong together as lists: {GROUPED}"
    elif isinstance(value, (str, bytes, bytearray)) or not isinstance(value, Iterable) or n_dimensions == 0:
        remedy = ""
    elif isinstance(value, Mapping):
        remedy = f": only its keys would be used; pass {name}.values() if its values are meant"
    elif isinstance(value, (set, frozenset)):
        remedy = ": its order differs from run to run; pass a list"
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
    elif getattr(value, "_fields", None) == ("words", "tags"):  # gensim's
        remedy = (
            ": pass [document.words for document in documents], and their tags as tags= of DocVectors.fit"
        )
    elif isinstance(value, os.PathLike):
        remedy = ": pass a list of all paths, list(paths), if it is to be read"
    elif getattr(value, "_fields", None) or isinstance(value, np.void) or hasattr(value, "columns"):
        remedy = f", a row or part of a table: pass the items that belong together as a list: {GROUPED}"
    elif not isinstance(value, Iterable) or getattr(value, "ndim", 1) != 1:
        remedy = ""
    else:
        return value if isinstance(value, (list, tuple)) else _listed(value)
    raise TypeError(f"{place} must be {rule}, got {shortened(value)}{remedy}")


def ids_or_words(words: Iterable[Any]) -> list[Any]:
    """Return distinct words as a list of int if all of them are, and else of str, an int as its digits.

    Raises
    ------
    TypeError
        If one is neither a str nor an int.
    """
    listed = list(words)
    kinds = {*map(type, listed)}
    if kinds <= {str} or kinds == {int}:
        return listed
    spelled = [check_item("word", word) for word in listed]
    ids = [plain(word) for word in listed]
    return ids if {*map(type, ids)} == {int} else spelled


def kind_of_words(words: Sequence[Any]) -> str:
    """Return "int" if words are ids, else "str"."""
    return "int" if words and isinstance(words[0], int) else "str"


def _listed(value: Any) -> list[Any]:
    items: list[Any] = value.tolist() if isinstance(value, np.ndarray) else list(value)
    return items

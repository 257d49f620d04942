"""From a file back to the estimator that was saved in it."""

from __future__ import annotations

import os
from pathlib import Path

from fastvec.models import _files
from fastvec.models._word_model import WordModel
from fastvec.models.word2vec import CBOW, SkipGram

__all__ = ["load_model"]

ESTIMATORS: dict[str, type[WordModel]] = {estimator.__name__: estimator for estimator in (SkipGram, CBOW)}


def load_model(path: str | os.PathLike[str]) -> WordModel:
    """Load an estimator with all that it has learned; `fit` goes on from there.

    Parameters
    ----------
    path : str or path-like
        A .fvec file that the method `save` of an estimator wrote.

    Returns
    -------
    SkipGram, CBOW or FastText
        The estimator with its parameters and what was learned; `interrupted_` is False.

    Raises
    ------
    OSError
        When the file is missing or cannot be read.
    ValueError
        When it holds vectors only, or is damaged.

    Examples
    --------
    >>> import fastvec
    >>> model = fastvec.SkipGram(vector_size=8, threads=1).fit([["to", "be", "or", "not", "to", "be"]] * 9)
    >>> model.save("be.fvec")
    >>> fastvec.load_model("be.fvec").fit([["not", "to", "be"]] * 9).vectors_
    Vectors(4 words, 8 dimensions)
    """
    path = Path(path)
    contents, tensors, training = _files.read(path)
    if training.estimator not in ESTIMATORS:
        known = ", ".join(ESTIMATORS)
        raise ValueError(f"{path}: it holds a {training.estimator!r}; this fastvec knows {known}")
    try:
        return ESTIMATORS[training.estimator]._from_file(contents, tensors, training)
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(f"{path}: the model is damaged ({error})") from None

"""Loading an estimator from a file."""

from __future__ import annotations

import os

from fastvec._params import check_choice
from fastvec.formats import model
from fastvec.models.fasttext import FastText
from fastvec.models.glove import GloVe
from fastvec.models.paragraphs import DocVectors
from fastvec.models.word2vec import CBOW, SkipGram
from fastvec.models.words import WordModel
from fastvec.peers.errors import naming_peers_parameters_of
from fastvec.peers.names import LOAD_MODEL

__all__ = ["load_model"]

ESTIMATORS: dict[str, type[WordModel | GloVe | DocVectors]] = {
    estimator.__name__: estimator for estimator in (SkipGram, CBOW, FastText, GloVe, DocVectors)
}


@naming_peers_parameters_of(LOAD_MODEL)
def load_model(path: str | os.PathLike[str], *, errors: str = "strict") -> WordModel | GloVe | DocVectors:
    """Load an estimator with everything it has learned; `fit` continues from there, but for `DocVectors`.

    Parameters
    ----------
    path : str or path-like
        A .fvec file written by the `save` method of an estimator, or a .bin file of fastText.
    errors : {"strict", "replace", "ignore"}
        How to handle bytes of a word that are not valid UTF-8, as in `bytes.decode`. Where nothing is left of
        such a word, or it becomes equal to another one, it is dropped with a warning.

    Returns
    -------
    SkipGram, CBOW, FastText, GloVe or DocVectors
        The fitted estimator; `interrupted_` is False.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it holds vectors only, or a model that cannot be trained here (fastText's classifiers and other
        losses), or is damaged.

    Examples
    --------
    >>> import fastvec
    >>> model = fastvec.SkipGram(vector_size=8, threads=1)
    >>> model.fit([["to", "be", "or", "not", "to", "be"]] * 9).save("be.fvec")
    >>> fastvec.load_model("be.fvec").fit([["not", "to", "be"]] * 9).vectors_
    Vectors(4 words, 8 dimensions)
    """
    check_choice("errors", errors, ("strict", "replace", "ignore"))
    saved = model.read(path, errors)
    try:
        return model.class_of(saved.description, ESTIMATORS)._restored(saved)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)}: training cannot continue from it ({error})") from None

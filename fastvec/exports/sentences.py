"""A folder that sentence-transformers and model2vec load: the mean of the vectors of a text's words.

Both read ``tokenizer.json`` and ``model.safetensors``, in which ``embeddings`` has a row for each token; the
first reads ``modules.json`` beside it, the second ``config.json``. A text becomes words by the tokenizer:

1. It is put in lower case, if that is asked for.
2. It is split at white space, and of each piece the punctuation at its beginning and its end is split off:
   ``(don't!)`` is ``(``, ``don't``, ``!``. Inside it stays: ``new_york``.
3. A word of the vocabulary is its token. All others are left out, and do not count in the mean.

For the third, the model of the tokenizer is a byte-pair encoding without merges, in which words begin with a
mark. It takes whole words as they are, and cuts others into the mark and letters that are no tokens; what is
no token is left out. A model of whole words would have a token for all that are unknown, whose row, even of
zeros, sentence-transformers would count.
"""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec._params import check_bool, check_float
from fastvec.formats.atomic import replacing
from fastvec.formats.common import Contents
from fastvec.formats.container import write_tensors
from fastvec.formats.places import on_disk
from fastvec.training.signals import hold

__all__ = ["to_sentence_transformers"]

# Characters without a meaning in Unicode: what words begin with, and what stands before letters inside them.
MARK, INSIDE = "\ue000", "\ue001"
PUNCTUATION = r"^\p{P}+|\p{P}+$"


def to_sentence_transformers(
    contents: Contents, folder: str | os.PathLike[str], *, sif: float | None, lowercase: bool | None
) -> None:
    """Write a folder, which is made if it does not exist; parameters as of the method of `Vectors`."""
    words = [*map(str, contents.words)]
    if lowercase is None:
        lowercase = all(word == word.lower() for word in words)
    check_bool("lowercase", lowercase)
    if not words:
        raise ValueError("vectors must have a word, got none")
    rows = np.asarray(contents.vectors, dtype=np.float32)
    if sif is not None:
        rows = rows * _frequency_weights(contents.counts, check_float("sif", sif, above=0))
    folder = on_disk(folder, "folder")
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "tokenizer.json": _tokenizer(words, lowercase),
        "config.json": {"model_type": "model2vec", "normalize": False, "max_length": None},
        "modules.json": [
            {"idx": 0, "name": "0", "path": ".", "type": "sentence_transformers.models.StaticEmbedding"}
        ],
    }
    with hold():
        write_tensors(folder / "model.safetensors", {"embeddings": rows}, {"format": "pt"})
        for name, content in files.items():
            with replacing(folder / name) as temporary:
                temporary.write_bytes(json.dumps(content, ensure_ascii=False).encode())


def _frequency_weights(counts: NDArray[np.int64] | None, a: float) -> NDArray[np.float32]:
    """Return the weight a / (a + p) of each word, p its part of the text, shape (n, 1).

    Arora, Liang and Ma, "A simple but tough-to-beat baseline for sentence embeddings", ICLR 2017.
    """
    if counts is None or not counts.sum():
        raise ValueError("sif must be None for vectors without counts; load(path, counts=...) reads them")
    weights: NDArray[np.float64] = a / (a + counts / counts.sum())
    return weights.astype(np.float32)[:, np.newaxis]


def _tokenizer(words: list[str], lowercase: bool) -> dict[str, Any]:
    """Return a tokenizer as its JSON."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"} if lowercase else None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "WhitespaceSplit"},
                {
                    "type": "Split",
                    "pattern": {"Regex": PUNCTUATION},
                    "behavior": "Isolated",
                    "invert": False,
                },
                {"type": "Metaspace", "replacement": MARK, "prepend_scheme": "always", "split": False},
            ],
        },
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": INSIDE,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": True,
            "vocab": {MARK + word: row for row, word in enumerate(words)},
            "merges": [],
        },
    }

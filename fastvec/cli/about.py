"""What there is to say of a file that is read or written: what kind it is of, its sizes, and what made it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from fastvec import formats
from fastvec.cli.options import flag, joined
from fastvec.corpus import cache
from fastvec.counts import files as counts_files
from fastvec.counts import glove_files
from fastvec.formats import floret, frequencies, fvec, model, supervised
from fastvec.formats.common import read_head
from fastvec.formats.compact import Compact
from fastvec.formats.container import json_object, map_tensors
from fastvec.formats.kinds import own_format, sizes
from fastvec.formats.wanted import Wanted
from fastvec.formats.words import words_of_json
from fastvec.models import phrases
from fastvec.vectors import load

__all__ = ["about"]

# How many of the labels of a classifier are named.
FIRST_LABELS = 5
# The tensors of classifiers that have rows of words.
OF_WORDS = ("parameters.input_vectors", "parameters.vectors", "vectors")

About = dict[str, Any]


class Kind(NamedTuple):
    """A kind of files.

    Attributes
    ----------
    kind, format : str
        Its name, and that of the format.
    begins : callable
        ``begins(path, head)`` returns whether a file with these first bytes is of this kind.
    describe : callable
        ``describe(path)`` returns sizes and ``metadata``; a ``format`` in it takes precedence.
    """

    kind: str
    format: str
    begins: Callable[[Path, bytes], bool]
    describe: Callable[[Path], About]


def about(path: Path, reading: Mapping[str, Any]) -> About:
    """Return what there is to say of a file.

    Parameters
    ----------
    path : Path
        The file.
    reading : mapping
        Parameters of `load`, which are for vectors only. With a ``format``, the file is read as vectors.

    Returns
    -------
    dict
        ``kind``, ``format`` and ``bytes``, the sizes that such a file has, and ``metadata``, if any.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is of no known kind, or is damaged, or if parameters are given that are not for it.
    """
    head, found = read_head(path), None
    if "format" not in reading:
        found = next((row for row in KINDS if row.begins(path, head)), None)
    if found is not None and reading:
        options = joined([flag(load, name) for name in reading])
        raise ValueError(f"{options} must be left out for {path}: its kind is {found.kind}, not vectors")
    shown = _of_vectors(path, head, reading) if found is None else found.describe(path)
    named = {} if found is None else {"kind": found.kind, "format": found.format}
    size = {"bytes": path.stat().st_size}
    return {**named, **{name: shown[name] for name in ("kind", "format") if name in shown}, **size, **shown}


def _of_vectors(path: Path, head: bytes, reading: Mapping[str, Any]) -> About:
    vectors = load(path, **reading)
    format = formats.format_to_read(path, reading.get("format"))
    if format == "word2vec-text" and sizes(head.partition(b"\n")[0]) is None:
        format = "glove"
    kind: About = {"kind": "vectors", "format": format}
    shape: About = {"words": len(vectors), "vector_size": vectors.vector_size}
    if own_format(head) == fvec.FORMAT:
        kind |= _of_training(path)
        shape |= _of_numbers(vectors._stored().vectors)
    if vectors.counts is not None:
        shape["occurrences"] = int(vectors.counts.sum())
    return {**kind, **shape, "metadata": vectors.metadata}


def _of_training(path: Path) -> About:
    """Return whether a .fvec holds vectors, a whole model, or the state of a training."""
    metadata = map_tensors(path, ())[1]
    if "checkpoint" in metadata:
        state = json_object(path, "training parameters", metadata["checkpoint"])
        return {"kind": "checkpoint", "finished": bool(state.get("finished"))}
    return {"kind": "model"} if "model" in metadata else {}


def _of_numbers(matrix: Any) -> About:
    """Return what the numbers of a matrix are kept as, and how many bytes a row takes."""
    if not isinstance(matrix, Compact):
        return {"dtype": matrix.dtype.name, "vector_bytes": matrix.shape[1] * matrix.itemsize}
    scale = 0 if matrix.scales is None else matrix.scales.itemsize
    return {"dtype": matrix.kind, "vector_bytes": matrix.shape[1] * matrix.codes.itemsize + scale}


def _of_classifier(path: Path) -> About:
    description, tensors, *_ = model.read_classifier(path)
    shape: About = {}
    try:
        metadata = {
            "estimator": description["estimator"],
            **description["parameters"],
            **dict(description.get("provenance") or {}),
            "history": description["history"],
        }
        classes = dict((description.get("learned") or {}).get("classes") or {})
        labels = _labels([*classes.get("values", [])])
        if (matrix := next((tensors[name] for name in OF_WORDS if name in tensors), None)) is not None:
            shape = {"words": len(words_of_json(tensors["words"])), "vector_size": matrix.shape[1]}
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: the classifier is damaged ({error})") from None
    return {**labels, **shape, "metadata": metadata}


def _of_fasttext_classifier(path: Path) -> About:
    header, input_vectors, _ = supervised.read(path)
    quantized, n_words = isinstance(input_vectors, supervised.QuantizedMatrix), len(header.words)
    parameters = {**header.parameters, "buckets": header.n_buckets, "word_ngrams": header.word_ngrams}
    if header.kept_buckets is not None:
        parameters["kept_buckets"] = len(header.kept_buckets)
    return {
        **({"format": "fasttext, quantized"} if quantized else {}),
        **_labels([label.decode(errors="backslashreplace") for label in header.labels]),
        "words": n_words,
        "vector_size": parameters["vector_size"],
        "occurrences": int(header.counts[:n_words].sum()),
        "metadata": parameters,
    }


def _labels(labels: list[Any]) -> About:
    return {"labels": len(labels), "first_labels": labels[:FIRST_LABELS]} if labels else {}


def _of_floret(path: Path) -> About:
    subwords, vector_size = floret.read_header(path)
    return {"vector_size": vector_size, "metadata": asdict(subwords)}


def _of_counts(path: Path) -> About:
    counts = counts_files.read(path)
    return {
        "words": len(counts.vocabulary),
        "occurrences": counts.vocabulary.total,
        "entries": len(counts.counts.columns),
        "metadata": {**counts.parameters, **counts.provenance},
    }


def _of_glove_counts(path: Path) -> About:
    return {"entries": len(glove_files.map_records(path))}


def _of_word_counts(path: Path) -> About:
    words, counts = frequencies.read(path, Wanted())
    return {"words": len(words), "occurrences": sum(counts)}


def _of_phrases(path: Path) -> About:
    found = phrases.Phrases.load(path)
    return {"phrases": len(found.phrases_), "metadata": {**found._given(), **found._provenance}}


def _of_ids(path: Path) -> About:
    (ids, sentence_offsets, vocabulary), metadata = cache.read(path)
    return {
        "words": len(vocabulary),
        "occurrences": len(ids),
        "sentences": len(sentence_offsets) - 1,
        "metadata": metadata,
    }


def _is_of_glove(path: Path, head: bytes) -> bool:
    return path.suffix.lower() == ".bin" and glove_files.begins(head)


def _is_of_fasttext(path: Path, head: bytes) -> bool:
    return path.suffix.lower() == ".ftz" or supervised.begins(head)


def _own(format: str) -> Callable[[Path, bytes], bool]:
    return lambda _, head: own_format(head) == format


KINDS = [
    Kind("classifier", "fvmodel", _own(model.CLASSIFIER), _of_classifier),
    Kind("classifier", "fasttext", _is_of_fasttext, _of_fasttext_classifier),
    Kind("n-grams", "floret", lambda _, head: floret.begins(head), _of_floret),
    Kind("counts", "fvcounts", _own(counts_files.FORMAT), _of_counts),
    Kind("counts", "glove", _is_of_glove, _of_glove_counts),
    Kind("words and counts", "text", lambda _, head: frequencies.begins(head), _of_word_counts),
    Kind("phrases", "json", _own(phrases.FORMAT), _of_phrases),
    Kind("ids of a text", "cache", _own(cache.FORMAT), _of_ids),
]

"""Every reader of the package, and files that it reads."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import json
import lzma
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors_files
from saved_classifiers import EVERY, OPINIONS, SUBWORDS, TEXTS, VECTORS, trained
from vector_files import make_of_2016

import fastvec
from fastvec import classify, evaluate
from fastvec.vectors import Subwords

TEXT = [["to", "be", "or", "not", "to", "be"], ["that", "is", "the", "question"], ["söng", "日本"]] * 3
PLAIN = "".join(f"{' '.join(sentence)}\n" for sentence in TEXT)
TRAINED = {"vector_size": 4, "min_count": 1, "subsample": 0, "threads": 1, "epochs": 1}
MODELS = {
    "SkipGram": fastvec.SkipGram(**TRAINED),
    "SkipGram with a tree": fastvec.SkipGram(**TRAINED, loss="hierarchical_softmax"),
    "CBOW": fastvec.CBOW(**TRAINED, position_weights=True),
    "FastText": fastvec.FastText(**TRAINED, buckets=9),
    "FastText as floret": fastvec.FastText(**TRAINED, buckets=9, hash_count=2),
    "GloVe": fastvec.GloVe(vector_size=4, epochs=1, threads=1),
}
PAIRS = {
    "tabs": "# WordSim\nto\tbe\t9.5\nnot\tthat\t1.25\nsöng\t日本\t0\nTo\tis\t1e1\n",
    "commas": 'Word 1,Word 2,Human (mean)\nto,be,9.5\n"söng","日本",0\nthat,is,3\nnot,the,1\n',
    "columns": "word1 word2 POS SimLex999\nto be V 9.5\nthe question N 1.25\nor not A 0\n",
}
QUESTIONS = ": capital-common\nto be that is\n: gram1\nthe question or not\nTo Be That Is\n"
LABELLED = "__label__good a fine film\n__label__bad,__label__old bad actors\n\n__label__x  y\n"
CONLL = "-DOCSTART- O\n\nIn IN O\nParis NNP B-LOC\n. . O\n\nwe PRP O\n"

# Bytes that a reader may have beside four times its file: blocks for reading, and what Python keeps.
SOME = 9 << 20
# The first blocks of a spool of ids, and of three of counts, of which only what is written takes memory.
CORPUS, COUNTS = SOME + (32 << 20), SOME + (160 << 20)


Files = dict[str, Callable[[Path], object]]


class Reader(NamedTuple):
    """A reader, its files, and what it may take beside them.

    Attributes
    ----------
    name : str
        What is read, and how.
    file : str
        The name of the file.
    write : dict of str to callable
        Functions that write a file at a path, by the name of the file's contents.
    read : callable
        Reads what is at a path and uses it.
    room : int
        Bytes that it may have beside four times the file.
    """

    name: str
    file: str
    write: Files
    read: Callable[[Path], object]
    room: int = SOME


def readers(folder: Path) -> list[Reader]:
    """Return all readers; what they need beside the damaged file is in the folder."""
    text, vocabulary, counts = (folder / name for name in ("text.txt", "vocab.txt", "counts.bin"))
    if not text.exists():
        text.write_text(PLAIN, encoding="utf-8")
        _counts().write_glove(counts, vocabulary)
    return [*_vectors(), *_models(), *_classifiers(), *_counted(counts, vocabulary), *_texts(text)]


def _vectors() -> list[Reader]:
    plain: Files = {"vectors": VECTORS.save}
    both: Files = {**plain, "n-grams": SUBWORDS.save}
    of_fasttext: Files = {"n-grams": SUBWORDS.save, "model": partial(_save_model, "FastText")}
    glove: Files = {"vectors": partial(VECTORS.save, format="glove")}
    of_floret: Files = {"n-grams": _save_of_floret}
    packed: Files = {"vectors": partial(_save_packed, VECTORS.save)}
    some = partial(_load, words=[*VECTORS.words[:2], "to", "be"], dtype="float16")
    return [
        Reader("vectors, .fvec", "v.fvec", both, _load),
        Reader("vectors, .fvec, mapped", "v.fvec", both, _load_mapped),
        Reader("vectors, word2vec .bin", "v.bin", plain, _load),
        Reader("vectors, word2vec .bin, replacing", "v.bin", plain, partial(_load, errors="replace")),
        Reader("vectors, fastText .bin", "v.bin", of_fasttext, _load),
        Reader("vectors, fastText .bin of 2016", "v.bin", {"n-grams": _save_of_2016}, _load),
        Reader("vectors, .vec", "v.vec", plain, _load),
        Reader("vectors, .vec, ignoring", "v.vec", plain, partial(_load, errors="ignore")),
        Reader("vectors, .glove", "v.glove", glove, _load),
        Reader("vectors, .txt", "v.txt", {**plain, **{"headless": glove["vectors"]}}, _load),
        Reader("vectors, .vec.gz", "v.vec.gz", packed, _load),
        Reader("vectors, word2vec .bin, some", "v.bin", plain, some),
        Reader("vectors, fastText .bin, some", "v.bin", of_fasttext, some),
        Reader("vectors, .fvec, some", "v.fvec", both, some),
        Reader("vectors, .vec, latin-1", "v.vec", plain, partial(_load, encoding="latin-1", limit=3)),
        Reader("vectors, .floret", "v.floret", of_floret, some),
        Reader("counts of vectors", "vocab.txt", {"counts": _save_counts_of_vectors}, _load_counts),
        Reader("vectors, .bin.gz", "v.bin.gz", packed, _load),
    ]


def _models() -> list[Reader]:
    return [
        *(
            Reader(f"model, {name}", "m.fvec", {name: partial(_save_model, name)}, _load_model)
            for name in MODELS
        ),
        Reader("model, fastText .bin", "m.bin", {"model": partial(_save_model, "FastText")}, _load_model),
    ]


def _classifiers() -> list[Reader]:
    names = ("softmax", "two", "text", "vectorizer-sif", "vectorizer-tfidf", "window-features", "ranker")
    return [
        Reader(
            f"classifier, {name}", "c.fvmodel", {name: partial(_save_classifier, name)}, partial(_ask, name)
        )
        for name in names
    ] + [
        Reader(
            "classifier, fastText .bin", "c.bin", {"text": partial(_save_for_fasttext, False)}, _ask_fasttext
        ),
        Reader(
            "classifier, fastText .ftz", "c.ftz", {"text": partial(_save_for_fasttext, True)}, _ask_fasttext
        ),
    ]


def _counted(counts: Path, vocabulary: Path) -> list[Reader]:
    def read_glove(path: Path) -> None:
        fastvec.Cooccurrence.read_glove(path, vocabulary)

    def read_vocabulary(path: Path) -> None:
        fastvec.Cooccurrence.read_glove(counts, path)

    def read_phrases(path: Path) -> None:
        fastvec.Phrases.load(path).transform(TEXT)

    return [
        Reader("counts, .fvcounts", "c.fvcounts", {"counts": _save_counts}, fastvec.Cooccurrence.load),
        Reader(
            "counts, GloVe .bin", "c.bin", {"counts": partial(shutil.copyfile, counts)}, read_glove, COUNTS
        ),
        Reader(
            "vocabulary, GloVe",
            "v.txt",
            {"words": partial(shutil.copyfile, vocabulary)},
            read_vocabulary,
            COUNTS,
        ),
        Reader("phrases, .json", "p.json", {"phrases": _save_phrases}, read_phrases, CORPUS),
    ]


def _texts(text: Path) -> list[Reader]:
    def of(content: str) -> Files:
        return {"text": lambda path: path.write_text(content, encoding="utf-8")}

    def texts_of(contents: dict[str, str]) -> Files:
        return {name: of(content)["text"] for name, content in contents.items()}

    def cache(path: Path) -> None:
        list(fastvec.Corpus(text, cache=path))

    lines = partial(_corpus, tokenizer=str.split, errors="ignore")
    return [
        Reader("text", "t.txt", of(PLAIN), _corpus, CORPUS),
        Reader(
            "text, replacing", "t.txt", of(PLAIN), partial(_corpus, errors="replace", lowercase=True), CORPUS
        ),
        Reader("text, by lines", "t.txt", of(PLAIN), lines, CORPUS),
        *(
            Reader(f"text, {name}", f"t.{name}", {"text": partial(_save_compressed, pack)}, _corpus, CORPUS)
            for name, pack in (("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress))
        ),
        Reader("text, cache of ids", "t.ids", {"text": cache}, cache, CORPUS),
        Reader("similarities", "s.txt", texts_of(PAIRS), lambda path: evaluate.similarity(_known(), path)),
        Reader("analogies", "a.txt", of(QUESTIONS), lambda path: evaluate.analogies(_known(), path)),
        Reader("labelled lines", "l.txt", of(LABELLED), classify.read_labelled_lines),
        Reader(
            "labelled lines, replacing",
            "l.txt",
            of(LABELLED),
            partial(classify.read_labelled_lines, errors="replace"),
        ),
        Reader("CoNLL", "c.conll", of(CONLL), classify.read_conll),
    ]


def without_checksums(content: bytes, path: Path) -> bytes | None:
    """Return a file of fastvec's own without the checksums, which would refuse nearly all damage at once."""
    path.write_bytes(content)
    if path.suffix == ".json":
        phrases = json.loads(content)
        del phrases["crc32"]
        return json.dumps(phrases, ensure_ascii=False).encode()
    if b"header_crc32" not in content:
        return None
    safetensors_files.write(path, *safetensors_files.read(path))
    return path.read_bytes()


def _load(path: Path, **options: Any) -> None:
    _use(fastvec.load(path, **options))


def _save_of_floret(path: Path) -> None:
    rows = np.linspace(-1, 1, 9 * 4).reshape(9, 4)
    fastvec.SubwordVectors(VECTORS.words, rows, Subwords(2, 3, 9, hash_count=2)).save(path)


def _save_of_2016(path: Path) -> None:
    SUBWORDS.save(path)
    make_of_2016(path)


def _save_counts_of_vectors(path: Path) -> None:
    path.write_text("".join(f"{word} {n}\n" for n, word in enumerate(VECTORS.words)), encoding="utf-8")


def _load_counts(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        VECTORS.save(Path(folder) / "v.vec")
        fastvec.load(Path(folder) / "v.vec", counts=path)


def _load_mapped(path: Path) -> None:
    vectors = fastvec.load(path, mmap=True)
    with contextlib.suppress(ValueError):  # what is not finite is noticed only in use
        _use(vectors)


def _load_model(path: Path) -> None:
    model = fastvec.load_model(path)
    with contextlib.suppress(ValueError):  # means of numbers near the end of float32's range are not finite
        _use(model.vectors_)


def _use(vectors: fastvec.Vectors) -> None:
    for word in vectors.words[:1]:
        vectors.most_similar(word, topn=3)


def _ask(name: str, path: Path) -> None:
    _, X, _, methods = EVERY[name]
    getattr(classify.load(path), methods[0])(X[:2])


def _ask_fasttext(path: Path) -> None:
    classify.load(path).predict_proba(TEXTS[:2])


def _save_for_fasttext(is_quantized: bool, path: Path) -> None:
    params = {"vector_size": 4, "epochs": 1, "threads": 1}
    model = classify.TextClassifier(**params, word_ngrams=2, min_n=2, max_n=3, buckets=40)
    model.fit(TEXTS, OPINIONS)
    if is_quantized:
        model = model.quantize(cutoff=20, separate_norms=True)
    model.save(path)


def _corpus(path: Path, **options: Any) -> None:
    list(fastvec.Corpus(path, **options))


def _save_model(name: str, path: Path) -> None:
    MODELS[name].fit(_counts() if name == "GloVe" else TEXT).save(path)


def _save_classifier(name: str, path: Path) -> None:
    path.write_bytes(trained(name)[1])


def _save_counts(path: Path) -> None:
    _counts().save(path)


def _save_phrases(path: Path) -> None:
    fastvec.Phrases(min_count=1, threshold=0.1).fit(TEXT).save(path)


def _save_packed(save: Callable[[Path], object], path: Path) -> None:
    plain = path.with_suffix("")
    save(plain)
    path.write_bytes(gzip.compress(plain.read_bytes()))


def _save_compressed(pack: Callable[[bytes], bytes], path: Path) -> None:
    path.write_bytes(pack(PLAIN.encode()))


def _counts() -> fastvec.Cooccurrence:
    return fastvec.Cooccurrence(min_count=1, window=2, threads=1).fit(TEXT)


def _known() -> fastvec.Vectors:
    words = sorted({word for sentence in TEXT for word in sentence})
    return fastvec.Vectors(words, np.eye(len(words), dtype=np.float32))

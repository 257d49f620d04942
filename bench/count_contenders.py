"""The programs that count pairs of words and factorise the counts; workers as in ``contenders.py``.

Counting is timed from a text as ids on; GloVe C's `cooccur` reads words, which is part of what it does.
GloVe's speed is entries of the counts per second of training, on the same counts for everyone. SVD is timed
with the counts in a file.
"""

from __future__ import annotations

import resource
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import glove_c
import numpy as np

__all__ = ["WORKERS"]

Job = dict[str, Any]
Figures = dict[str, Any]

# Entries that the reference is timed on: it takes them one by one, in Python.
REFERENCE_ENTRIES = 20_000


def fastvec_counting(job: Job) -> tuple[Figures, Callable[[], Any]]:
    import fastvec

    corpus = fastvec.Corpus(job["text"])
    options = {name: job[name] for name in ("window", "min_count", "threads")}
    if "memory_limit" in job:
        options["memory_limit"] = job["memory_limit"]
    started = time.perf_counter()
    counts = fastvec.Cooccurrence(**options).fit(corpus)
    seconds = time.perf_counter() - started
    checksum = 0
    for array in (counts.row_offsets_, counts.columns_, counts.units_):
        for begin in range(0, len(array), 1 << 22):
            checksum = zlib.crc32(array[begin : begin + (1 << 22)], checksum)
    figures = {
        "count_seconds": seconds,
        "words_per_second": job["words"] / seconds,
        "entries": counts.n_entries_,
        "checksum": checksum,
    }
    return figures, lambda: None


def glove_c_counting(job: Job) -> tuple[Figures, Callable[[], Any]]:
    glove_c.need("vocab_count", "cooccur")
    with tempfile.TemporaryDirectory() as folder:
        text, vocabulary, records = Path(job["text"]), Path(folder, "vocabulary"), Path(folder, "records")
        glove_c.count_words(text, vocabulary, job["min_count"])
        started = time.perf_counter()
        glove_c.count(text, vocabulary, records, job["window"])
        seconds = time.perf_counter() - started
        entries = records.stat().st_size // 16
    figures = {"count_seconds": seconds, "words_per_second": job["words"] / seconds, "entries": entries}
    return {**figures, "peak_bytes": peak_of_programs()}, lambda: None


def fastvec_glove(job: Job) -> tuple[Figures, Callable[[], Any]]:
    import fastvec
    from fastvec import kernels

    counts = fastvec.Cooccurrence.load(job["counts"])
    estimator = fastvec.GloVe()
    estimator.set_params(**{name: job[name] for name in estimator.get_params() if name in job})
    model = estimator.fit(counts)
    seconds = sum(epoch.seconds for epoch in model.history_)
    figures = {
        "backend": kernels.selected(),
        "vocabulary": len(model.vocabulary_),
        "train_seconds": seconds,
        "entries_per_second": sum(epoch.pairs for epoch in model.history_) / seconds,
        "loss": model.history_[-1].loss,
    }
    return figures, lambda: model.vectors_


def glove_c_training(job: Job) -> tuple[Figures, Callable[[], Any]]:
    """Run GloVe C, and once more for no epoch: the difference is its training."""
    glove_c.need("glove")
    import fastvec

    vocabulary, shuffled = Path(job["counts"] + ".vocabulary"), Path(job["counts"] + ".shuffled")
    with tempfile.TemporaryDirectory() as folder:
        seconds = []
        for epochs in (0, job["epochs"]):
            started = time.perf_counter()
            said = glove_c.train(job, vocabulary, shuffled, Path(folder, "vectors"), epochs)
            seconds.append(time.perf_counter() - started)
    entries = fastvec.Cooccurrence.load(job["counts"]).n_entries_
    figures = {
        "train_seconds": seconds[1] - seconds[0],
        "entries_per_second": job["epochs"] * entries / (seconds[1] - seconds[0]),
        "loss": glove_c.cost(said),
        "peak_bytes": peak_of_programs(),
    }
    return figures, lambda: None


def reference_glove(job: Job) -> tuple[Figures, Callable[[], Any]]:
    """Time the NumPy reference on a few entries."""
    import fastvec
    from fastvec.reference import glove

    counts = fastvec.Cooccurrence.load(job["counts"])
    n, stride = len(counts.vocabulary_), -(-(job["vector_size"] + 2) // 16) * 16
    generator = np.random.default_rng(job["seed"])
    vectors = [((generator.random((n, stride)) - 0.5) / stride).astype(np.float32) for _ in range(2)]
    squares = [np.ones((n, stride), np.float32) for _ in range(2)]
    some = np.sort(generator.choice(counts.n_entries_, REFERENCE_ENTRIES, replace=False))
    words = np.searchsorted(counts.row_offsets_, some, side="right") - 1
    logs = np.log(counts.units_[some] / counts.unit_)
    entries = list(zip(words.tolist(), counts.columns_[some].tolist(), logs.tolist(), strict=True))
    started = time.perf_counter()
    for word, context, log_count in entries:
        glove.step(*vectors, *squares, word, context, log_count, 0.1, job["learning_rate"])
    seconds = time.perf_counter() - started
    return {"train_seconds": seconds, "entries_per_second": len(entries) / seconds}, lambda: None


def fastvec_whole_glove(job: Job) -> tuple[Figures, Callable[[], Any]]:
    """Run GloVe from a text; with `one_order`, in one random order of all entries, a tile as large as all."""
    import fastvec
    from fastvec.models import tiles

    if job.get("one_order"):
        tiles.TILE_BYTES, tiles.LARGEST_SHARE, tiles.FEWEST_BLOCKS = 1 << 60, 1.0, 1
    estimator = fastvec.GloVe()
    estimator.set_params(**{name: job[name] for name in estimator.get_params() if name in job})
    model = estimator.fit(fastvec.Corpus(job["text"]))
    model.vectors_.save(job["save"] + ".fvec")
    return {"loss": model.history_[-1].loss}, lambda: model.vectors_


def glove_c_whole(job: Job) -> tuple[Figures, Callable[[], Any]]:
    glove_c.need("vocab_count", "cooccur", "shuffle", "glove")
    text, folder = Path(job["text"]), Path(job["save"]).parent
    vocabulary, records, shuffled = folder / "vocabulary", folder / "records", folder / "shuffled"
    glove_c.count_words(text, vocabulary, job["min_count"])
    glove_c.count(text, vocabulary, records, job["window"])
    glove_c.shuffle(records, shuffled)
    said = glove_c.train(job, vocabulary, shuffled, Path(job["save"]), job["epochs"])

    def vectors() -> Any:
        import fastvec

        return fastvec.load(job["save"] + ".txt", format="glove")

    return {"loss": glove_c.cost(said), "peak_bytes": peak_of_programs()}, vectors


def fastvec_svd(job: Job) -> tuple[Figures, Callable[[], Any]]:
    import fastvec

    counts = fastvec.Cooccurrence.load(job["counts"])
    estimator = fastvec.PPMI_SVD()
    estimator.set_params(**{name: job[name] for name in estimator.get_params() if name in job})
    started = time.perf_counter()
    model = estimator.fit(counts)
    seconds = time.perf_counter() - started
    return {"fit_seconds": seconds, "vocabulary": len(model.vocabulary_)}, lambda: model.vectors_


def peak_of_programs() -> int:
    """Return the most memory that a program run by this process has held."""
    return 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


WORKERS = {
    "fastvec_counting": fastvec_counting,
    "glove_c_counting": glove_c_counting,
    "fastvec_glove": fastvec_glove,
    "glove_c_training": glove_c_training,
    "reference_glove": reference_glove,
    "fastvec_whole_glove": fastvec_whole_glove,
    "glove_c_whole": glove_c_whole,
    "fastvec_svd": fastvec_svd,
}

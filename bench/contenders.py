"""The programs that are compared, each run once in a process of its own.

A worker gets a job (the settings, `threads`, `seed`, `text`: a plain text file, `words` and `lines` in it,
`save`: where to save the vectors or None), does it, and returns its figures and a function that gives the
vectors. Peers are imported inside their workers, so that nobody pays for another.

The figures: `train_seconds`, of training alone, without reading and counting words; `words_per_second`, words
of the text per second of these, the same count of words for everyone; `vocabulary`, the number of words kept.
"""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import classify_contenders
import count_contenders

__all__ = ["WORKERS", "run"]

Job = dict[str, Any]
Figures = dict[str, Any]
Worker = Callable[[Job], tuple[Figures, Callable[[], Any]]]


def fastvec(job: Job) -> tuple[Figures, Callable[[], Any]]:
    import fastvec
    from fastvec import kernels

    corpus = fastvec.Corpus(job["text"])
    estimator = getattr(fastvec, job["estimator"])()
    estimator.set_params(**{name: job[name] for name in estimator.get_params() if name in job})
    model = estimator.fit(corpus)
    if job["save"]:
        model.vectors_.save(job["save"] + ".fvec")
    seconds = sum(epoch.seconds for epoch in model.history_)
    figures = {
        "backend": kernels.selected(),
        "vocabulary": len(model.vocabulary_),
        "train_seconds": seconds,
        "words_per_second": job["epochs"] * job["words"] / seconds,
        "loss": model.history_[-1].loss,
        # The least that its memory can be: two matrices, and the text as ids.
        "matrix_and_id_bytes": 2 * 4 * len(model.vocabulary_) * job["vector_size"] + corpus.ids.nbytes,
    }
    return figures, lambda: model.vectors_


def fastvec_reading(job: Job) -> tuple[Figures, Callable[[], Any]]:
    import fastvec

    path = job["compressed_text"] if job.get("compressed") else job["text"]
    Path(path).read_bytes()  # into the system's cache, whoever came before
    started, cpu_started = time.perf_counter(), time.process_time()
    corpus = fastvec.Corpus(path)
    seconds = time.perf_counter() - started
    figures = {
        "read_seconds": seconds,
        "read_cpu_seconds": time.process_time() - cpu_started,
        "words_per_second": corpus.n_tokens / seconds,
        "vocabulary": len(corpus.vocabulary),
    }
    return figures, lambda: None


def fastvec_phrases(job: Job) -> tuple[Figures, Callable[[], Any]]:
    import fastvec

    Path(job["text"]).read_bytes()  # into the system's cache, whoever came before
    started = time.perf_counter()
    corpus = fastvec.Corpus(job["text"])
    phrases = fastvec.Phrases(min_count=job["min_count"], threshold=job["threshold"], scoring=job["scoring"])
    phrases.fit(corpus)
    found = time.perf_counter()
    words_left = phrases.transform(corpus).n_tokens
    return phrase_figures(job, started, found, len(phrases.phrases_), words_left), lambda: ([], None)


def gensim(job: Job) -> tuple[Figures, Callable[[], Any]]:
    from gensim.models import Word2Vec

    model = Word2Vec(
        sg=int(job["model"] == "skipgram"),
        hs=int(job["loss"] == "hierarchical_softmax"),
        vector_size=job["vector_size"],
        window=job["window"],
        negative=job["negatives"] if job["loss"] == "negative_sampling" else 0,
        ns_exponent=job["noise_exponent"],
        min_count=job["min_count"],
        sample=job["subsample"],
        alpha=job["learning_rate"],
        min_alpha=job["min_learning_rate"],
        workers=job["threads"],
        seed=job["seed"],
    )
    model.build_vocab(corpus_file=job["text"])
    started = time.perf_counter()
    model.train(
        corpus_file=job["text"],
        total_examples=model.corpus_count,
        total_words=model.corpus_total_words,
        epochs=job["epochs"],
    )
    seconds = time.perf_counter() - started
    if job["save"]:
        model.wv.save(job["save"] + ".kv")
    figures = {
        "vocabulary": len(model.wv),
        "train_seconds": seconds,
        "words_per_second": job["epochs"] * job["words"] / seconds,
    }

    def vectors() -> Any:
        from fastvec import Vectors

        return Vectors(model.wv.index_to_key, model.wv.vectors)

    return figures, vectors


def gensim_phrases(job: Job) -> tuple[Figures, Callable[[], Any]]:
    from gensim.models.phrases import Phrases
    from gensim.models.word2vec import LineSentence

    Path(job["text"]).read_bytes()  # into the system's cache, whoever came before
    started = time.perf_counter()
    sentences = LineSentence(job["text"])
    options = {"min_count": job["min_count"], "threshold": job["threshold"], "scoring": job["scoring"]}
    phrases = Phrases(sentences, **options).freeze()
    found = time.perf_counter()
    words_left = sum(map(len, phrases[sentences]))
    return phrase_figures(job, started, found, len(phrases.phrasegrams), words_left), lambda: ([], None)


def phrase_figures(job: Job, started: float, found: float, n_phrases: int, words_left: int) -> Figures:
    """Return the figures of a run that began, had found the phrases, and has just joined them."""
    ended = time.perf_counter()
    return {
        "find_seconds": found - started,
        "join_seconds": ended - found,
        "words_per_second": job["words"] / (ended - started),
        "phrases": n_phrases,
        "words_left": words_left,
    }


def fasttext(job: Job) -> tuple[Figures, Callable[[], Any]]:
    """Run fastText, with as many n-grams as the job says: without any, the objective is skip-gram's.

    It does not say how long it trained. So it is run once more for 0 epochs, which does everything but train,
    and the difference is taken. Nor is an epoch one pass over the text: words below `minCount` are counted
    for its length but not for its progress, so that it reads on until as many words are trained on. It is
    credited with the words that it has really read.
    """
    import fasttext.FastText as binding

    def train(epochs: int) -> Any:
        arguments = {
            "input": job["text"],
            "model": job["model"],
            "minn": job["min_n"],
            "maxn": job["max_n"],
            "bucket": job["buckets"],
            "dim": job["vector_size"],
            "ws": job["window"],
            "neg": job["negatives"],
            "minCount": job["min_count"],
            "t": job["subsample"],
            "lr": job["learning_rate"],
            "epoch": epochs,
            "thread": job["threads"],
            "seed": job["seed"],  # which train_unsupervised does not take: these are its three lines
            "verbose": 0,
        }
        args = binding._build_args({**binding.unsupervised_default, **arguments}, set(arguments))
        model = binding._FastText(args=args)
        binding.fasttext.train(model.f, args)
        model.set_args(model.f.getArgs())
        return model

    started = time.perf_counter()
    model = train(job["epochs"])
    seconds = time.perf_counter() - started
    if job["save"]:
        model.save_model(job["save"] + ".bin")
    words, counts = model.get_words(include_freq=True)
    passes = (job["words"] + job["lines"]) / int(counts.sum())  # an end of line is a word to fastText
    figures: Figures = {"vocabulary": len(words) - ("</s>" in words), "passes_per_epoch": passes}
    if not job["save"]:
        started = time.perf_counter()
        train(0)
        seconds -= time.perf_counter() - started
        if seconds > 0:  # a text of a few words is lost in the noise
            figures["train_seconds"] = seconds
            figures["words_per_second"] = job["epochs"] * passes * job["words"] / seconds

    def vectors() -> Any:
        import fastvec

        if job["max_n"]:
            return fastvec.load(job["save"] + ".bin")
        kept = [i for i, word in enumerate(words) if word != "</s>"]
        return fastvec.Vectors([words[i] for i in kept], model.get_input_matrix()[kept])

    return figures, vectors


WORKERS: dict[str, Worker] = {
    "fastvec": fastvec,
    "fastvec_reading": fastvec_reading,
    "fastvec_phrases": fastvec_phrases,
    "gensim": gensim,
    "gensim_phrases": gensim_phrases,
    "fasttext": fasttext,
    **count_contenders.WORKERS,
    **classify_contenders.WORKERS,
}


def run(worker: str, job: Job) -> Figures:
    """Do a job, and measure what is measured alike for everyone.

    Parameters
    ----------
    worker : str
        Whose job it is, of `WORKERS`.
    job : dict
        With `started`, the value of ``time.monotonic()`` just before this process was started, and `quality`,
        a dict of names and test files, besides what the workers need.

    Returns
    -------
    dict
        The worker's figures, `wall_seconds` from the start of the process to the saved vectors, `peak_bytes`
        of memory up to then (of the largest program where the worker starts some), and `quality`: scores of
        0 to 100 with how much of each test was covered.
    """
    figures, vectors = WORKERS[worker](job)
    figures["wall_seconds"] = time.monotonic() - job["started"]
    figures.setdefault("peak_bytes", peak_bytes())
    if job["quality"]:
        figures["quality"] = quality(vectors(), job["quality"])
    return figures


def peak_bytes() -> int:
    """Return the most memory that this process has held.

    Linux's ``ru_maxrss`` is not it where there is better: it begins with the size of the process that started
    this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def quality(vectors: Any, tests: dict[str, str]) -> dict[str, dict[str, float | None]]:
    """Return the score of every test file, 0 to 100, by fastvec's evaluation for everyone."""
    from fastvec import evaluate

    scores = {}
    for name, path in tests.items():
        if name == "analogies":
            result = evaluate.analogies(vectors, path, restrict=30_000)
            for part in ("total", "semantic", "syntactic"):
                section = getattr(result, part)
                label = name if part == "total" else part
                scores[label] = _score(section.accuracy, section.covered)
        else:
            pairs = evaluate.similarity(vectors, path)
            scores[name] = _score(pairs.spearman, pairs.covered)
    return scores


def _score(score: float, covered: int) -> dict[str, float | None]:
    return {"score": 100 * score if math.isfinite(score) else None, "covered": covered}

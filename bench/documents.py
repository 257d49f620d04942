"""Vectors of documents, PV-DBOW and PV-DM, against gensim: speed, classes of sentences, halves of paragraphs.

Vectors are *fitted*, those of the documents that were trained on, or *inferred* while all words stay.
"""

import time
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from classifiers import labelled, read_polarity
from measure import Contender, Job, Measurement, estimator_of, named, renamed, timed
from texts import Data

GENSIM = """vector_size window min_count subsample=sample learning_rate=alpha min_learning_rate=min_alpha
threads=workers seed epochs"""

Documents = list[list[str]]

timed_by_processor = partial(timed, clock=time.process_time)


class Learned(NamedTuple):
    """The vectors of the documents that were trained on, fitted and inferred, and of new ones."""

    fitted: Any
    again: Any
    new: Any
    training: float  # seconds of a processor, for all of them
    inferring: float


def fastvec(job: Job, documents: Documents, new: Documents) -> Learned:
    corpus = named("fastvec.Corpus")(documents, keep_empty=True)
    model, training = timed_by_processor(estimator_of(job).fit, corpus)
    again, inferring = timed_by_processor(model.transform, documents)
    return Learned(model.vectors_.vectors, again, model.transform(new), training, inferring)


def gensim(job: Job, documents: Documents, new: Documents) -> Learned:
    from gensim.models.doc2vec import Doc2Vec, TaggedDocument

    tagged = [TaggedDocument(words, [tag]) for tag, words in enumerate(documents)]
    model = Doc2Vec(dm=int(job["model"] == "dm"), negative=job["negatives"], **renamed(job, GENSIM))
    model.build_vocab(tagged)
    _, training = timed_by_processor(model.train, tagged, total_examples=len(tagged), epochs=job["epochs"])

    def infer(documents: Documents) -> Any:
        return np.array(list(map(model.infer_vector, documents)))

    again, inferring = timed_by_processor(infer, documents)
    return Learned(model.dv.vectors, again, infer(new), training, inferring)


def polarity(job: Job) -> dict[str, Any]:
    """Tell the classes of sentences: by folds of those fitted, and of new ones by all inferred."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score

    sentences, labels = read_polarity(job)
    documents, n = [sentence.split() for sentence in sentences], len(sentences) * 4 // 5
    learned = named(job["learn"])(job, documents[:n], documents[n:])
    of_folds = cross_val_score(LogisticRegression(max_iter=1000), scaled(learned.fitted), labels[:n])
    model = LogisticRegression(max_iter=1000).fit(scaled(learned.again), labels[:n])
    scores = {"fitted": 100 * of_folds.mean(), "inferred": 100 * model.score(scaled(learned.new), labels[n:])}
    return {**figures(job, documents[:n], learned), **scores}


def scaled(vectors: Any) -> Any:
    """Return vectors with a mean square of 1, on which the regression's penalty depends."""
    return vectors / np.sqrt(np.mean(vectors**2))


def halves(job: Job) -> dict[str, Any]:
    """Find the second half of a paragraph by the first, among all second halves: 4 of 5 are fitted."""
    lines = Path(job["file"]).read_text(encoding="utf-8").splitlines()
    paragraphs = [words for words in map(str.split, lines) if len(words) >= 2 * job["half"]]
    mixed = [paragraphs[i] for i in np.random.default_rng(0).permutation(len(paragraphs))]
    firsts = [words[: len(words) // 2] for words in mixed]
    seconds = [words[len(words) // 2 :] for words in mixed]
    n = len(mixed) * 4 // 5
    learned = named(job["learn"])(job, firsts[:n] + seconds[:n], firsts[n:] + seconds[n:])
    scores = {}
    for name, vectors in (("fitted", learned.fitted), ("inferred", learned.new)):
        found = ranks(*np.split(vectors, 2))
        scores |= {f"{name}, {k}": 100 * np.mean(found <= k) for k in (1, 10)}
    return {**figures(job, firsts[:n] + seconds[:n], learned), **scores}


def ranks(asked: Any, others: Any) -> Any:
    """Return the rank, from 1, of row i of `others` by its cosine with row i of `asked`."""
    asked, others = (m / np.maximum(np.linalg.norm(m, axis=1, keepdims=True), 1e-9) for m in (asked, others))
    own = np.sum(asked * others, axis=1)
    parts = np.array_split(np.arange(len(asked)), 1 + len(asked) // 1000)
    better = [np.sum(asked[part] @ others.T > own[part, None] + 1e-6, axis=1) for part in parts]
    return 1 + np.concatenate(better)


def figures(job: Job, documents: Documents, learned: Learned) -> dict[str, float]:
    words = job["epochs"] * sum(map(len, documents))
    return {
        "per_second": words / learned.training,
        "inferred_per_second": words / learned.inferring,
        "itself first": 100 * np.mean(ranks(learned.again, learned.fitted) == 1),
    }


SETTINGS = {"estimator": "DocVectors", "vector_size": 100, "window": 5, "negatives": 5, "subsample": 1e-3}
SETTINGS |= {"epochs": 20}
TASKS = {  # with what they need, and the heads of their scores
    "polarity": ("sentence polarity", polarity, labelled, {"min_count": 2}, "fitted | inferred"),
    "halves": (
        "halves of paragraphs",
        halves,
        partial(Data.text, words=1_500_000),
        {"min_count": 5, "half": 50},
        "fitted, 1 | fitted, 10 | inferred, 1 | inferred, 10",
    ),
}
MODELS = {"dbow": ("PV-DBOW", 0.05), "dm": ("PV-DM", 0.025)}  # with the best rate of gensim's
SPEED = "words/s | against {base} | inferring, words/s | against {base}, inferring"


def compared(model: str, task: str) -> Measurement:
    (title, rate), (about, of, data, settings, scores) = MODELS[model], TASKS[task]
    contenders = (
        Contender("fastvec", of, {"learn": "documents.fastvec"}),
        Contender("gensim", of, {"learn": "documents.gensim", "learning_rate": rate}),
    )
    return Measurement(
        f"{model}-{task}",
        f"{title}: {about}",
        contenders,
        f"{SPEED} | {scores} | itself first",
        data,
        {**SETTINGS, "model": model, **settings},
        threads=(1,),
    )


MEASUREMENTS = tuple(compared(model, task) for model in MODELS for task in TASKS)

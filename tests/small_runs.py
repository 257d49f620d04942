"""Small trainings in many chunks, to be interrupted anywhere."""

import numpy as np
from inside import set_sizes, watch_chunks

import fastvec

# One of each kernel and kind of matrix, and one of threads that work together.
FAMILIES = {
    "skipgram": (fastvec.SkipGram, {}),
    "skipgram-unshared": (fastvec.SkipGram, {"negative_sharing": "none"}),
    "skipgram-hs": (fastvec.SkipGram, {"loss": "hierarchical_softmax"}),
    "skipgram-softmax": (fastvec.SkipGram, {"loss": "softmax"}),
    "cbow": (fastvec.CBOW, {}),
    "cbow-positions": (fastvec.CBOW, {"position_weights": True}),
    "cbow-hs": (fastvec.CBOW, {"loss": "hierarchical_softmax"}),
    "fasttext": (fastvec.FastText, {"buckets": 200}),
    "fasttext-cbow": (fastvec.FastText, {"buckets": 200, "model": "cbow"}),
    "fasttext-hs": (fastvec.FastText, {"buckets": 200, "loss": "hierarchical_softmax"}),
    "glove": (fastvec.GloVe, {"threads": 3}),
    "together": (fastvec.CBOW, {"deterministic": True, "vector_size": 40}),
}
# Those whose result is the same for any number of threads.
ANY_THREADS = ("glove", "together")
WORDS = {"min_count": 1, "subsample": 0.01}


def make(family, **params):
    """Return a small estimator of a family."""
    estimator, own = FAMILIES[family]
    common = {"vector_size": 12, "epochs": 4, "threads": 1}
    return estimator(**{**common, **({} if family == "glove" else WORDS), **own, **params})


def corpus(seed=0, n_words=120, n_sentences=500):
    """Return a corpus of sentences of twelve words, by default of 6,000 words, of 120 different ones."""
    random = np.random.default_rng(seed)
    words = [f"word{i}" for i in range(n_words)]
    weights = 1 / np.arange(1, n_words + 1)
    return fastvec.Corpus(random.choice(words, size=(n_sentences, 12), p=weights / weights.sum()).tolist())


def cut_small(monkeypatch):
    """Make an epoch of these trainings about twelve chunks."""
    set_sizes(monkeypatch, words_chunk=512, glove_chunk=512)


def stopped_at(monkeypatch, model, n, text, **arguments):
    """Fit a model that is stopped in its n-th chunk, and return it."""
    chunks = []

    def begun():
        chunks.append(None)
        if len(chunks) == n:
            model.stop()

    with monkeypatch.context() as patch:
        watch_chunks(patch, begun)
        model.fit(text, **arguments)
    assert model.interrupted_
    return model


def learned(model):
    """Return everything that a model has learned, but for times."""
    state = model._state
    history = [(epoch.epoch, epoch.loss, epoch.learning_rate, epoch.pairs) for epoch in state.history]
    arrays = {**state.tensors(), "counts": state.vocabulary.counts}
    return {
        "words": state.vocabulary.words,
        "history": history,
        **{name: (array.shape, array.tobytes()) for name, array in arrays.items()},
    }

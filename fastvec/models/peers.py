"""What other packages call things that estimators have under other names: errors say ours."""

from __future__ import annotations

import functools
import inspect
import re
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["PeersAttributes", "naming_peers_parameters"]

# Parameters of gensim, fastText and word2vec.c.
PARAMETERS = {
    "size": "`vector_size`",
    "dim": "`vector_size`",
    "ws": "`window`",
    "window_size": "`window`",
    "negative": "`negatives`",
    "neg": "`negatives`",
    "minCount": "`min_count`",
    "max_final_vocab": "`max_vocab`",
    "max_vocab_size": "`max_vocab`; counts are exact, and nothing is pruned while counting",
    "sample": "`subsample`",
    "t": "`subsample`",
    "ns_exponent": "`noise_exponent`",
    "alpha": "`learning_rate`",
    "lr": "`learning_rate`",
    "min_alpha": "`min_learning_rate`",
    "iter": "`epochs`",
    "epoch": "`epochs`",
    "workers": "`threads`",
    "thread": "`threads`",
    "random_state": "`seed`",
    "shrink_windows": "`dynamic_window`",
    "trim_rule": "`keep` and `drop`, lists of words",
    "sg": "the choice between SkipGram and CBOW",
    "hs": '`loss="hierarchical_softmax"`',
    "cbow_mean": "CBOW's mean of the contexts; there is no sum",
    "minn": "`min_n` of FastText",
    "maxn": "`max_n` of FastText",
    "bucket": "`buckets` of FastText",
    "word_ngrams": "a parameter of TextClassifier; for words, join Phrases first",
    "wordNgrams": "`word_ngrams` of TextClassifier; for words, join Phrases first",
    "compute_loss": "not needed: `history_` has the loss of every epoch",
    "sentences": "the argument of `fit`",
    "corpus_file": "the argument of `fit`, which may be a path",
    "input": "the argument of `fit`, which may be a path",
    "pretrainedVectors": "`start_from` of `fit`",
    "no_components": "`vector_size`",
    "eta": "`learning_rate`",
    "dm": '`model="dm"` or `model="dbow"` of DocVectors',
    "dm_mean": "DocVectors' mean of document and words; there is no sum",
    "dm_concat": "DocVectors' mean of document and words; nothing is concatenated",
    "documents": "the argument of `fit` of DocVectors, with `tags`",
    "max_iter": "`epochs`",
}
# Attributes of their models.
ATTRIBUTES = {
    "wv": "`vectors_`",
    "train": "`fit`",
    "build_vocab": "done by `fit`; `fit(more, update_vocabulary=True)` adds words",
    "build_vocab_from_freq": "`fit(corpus, vocabulary=counts)`",
    "scan_vocab": "done by `fit`",
    "get_word_vector": "`vectors_[word]`",
    "get_input_vector": "`vectors_.input_vectors[row]`",
    "get_words": "`vectors_.words`",
    "get_dimension": "`vectors_.vector_size`",
    "get_nearest_neighbors": "`vectors_.most_similar(word)`",
    "get_analogies": "`vectors_.analogy(a, b, c)`",
    "get_input_matrix": "`vectors_.vectors`, or `input_vectors_` of FastText",
    "get_output_matrix": "`output_vectors_`",
    "syn1neg": "`output_vectors_`",
    "syn1": "`node_vectors_`",
    "most_similar": "`vectors_.most_similar`",
    "similarity": "`vectors_.similarity`",
    "save_model": "`save`",
    "save_word2vec_format": "`vectors_.save(\"words.vec\")`",
    "load": "`fastvec.load_model(path)`",
    "intersect_word2vec_format": "`start_from` and `freeze` of `fit`",
    "predict_output_word": "`predict`",
    "get_latest_training_loss": "`history_[-1].loss`",
    "running_training_loss": "`history_[-1].loss`",
    "init_sims": "not needed",
    "corpus_count": "not kept; `vocabulary_.total` is the number of words",
    "word_vectors": "`word_vectors_`",
    "dictionary": "`vocabulary_.index`",
}  # fmt: skip
Class = TypeVar("Class", bound=type)


def naming_peers_parameters(cls: Class) -> Class:
    """Let the constructor of a class name its parameter when it is given that of another package."""
    own = cls.__init__  # type: ignore[misc]
    names = inspect.signature(cls).parameters
    ours = PARAMETERS | getattr(cls, "PEERS", {})

    @functools.wraps(own)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        for name in kwargs:
            if name not in names and name in ours:
                raise TypeError(f"{cls.__name__} has no parameter `{name}`: it is {_ours(cls, ours[name])}")
        own(self, *args, **kwargs)

    cls.__init__ = __init__  # type: ignore[misc]
    return cls


class PeersAttributes:
    """The base of models, which name their attribute when they are asked for that of another package."""

    if not TYPE_CHECKING:  # to mypy, every name could be asked for then

        def __getattr__(self, name: str) -> Any:
            return _missing(self, name)


def _missing(model: Any, name: str) -> Any:
    """Raise the error of an attribute that a model does not have."""
    own = inspect.getattr_static(type(model), name, None)
    if isinstance(own, property):  # it has raised an error, which Python forgets
        assert own.fget is not None
        return own.fget(model)
    kind = type(model).__name__
    names = ATTRIBUTES | getattr(type(model), "PEERS", {})
    if name in names:
        raise AttributeError(f"{kind} has no attribute `{name}`: it is {_ours(type(model), names[name])}")
    raise AttributeError(f"{kind!r} object has no attribute {name!r}", name=name, obj=model)


def _ours(cls: Any, name: str) -> str:
    """Return what something is called here, with a remark if a class does not have it."""
    has = {*dir(cls), *inspect.signature(cls).parameters, *inspect.signature(cls.fit).parameters, "fastvec"}
    parts = {part for pair in re.findall(r"`(\w+)|(\w+)=", name) for part in pair if part}
    names_a_class = re.search(r" of [A-Z]", name)
    return name if names_a_class or parts <= has else f"{name}, but not in {cls.__name__}"

"""Sentences for the models of windows: a few with all that is awkward, and a task that can be learned."""

import numpy as np

from fastvec import Vectors

# The rows of parameters_["vectors"] as its documentation has them.
PADDING, UNKNOWN, FIRST_WORD = 0, 1, 2

WORDS = ["the", "cat", "sat", "on", "a", "mat", "dog", "ran", "red", "blue", "green", "one"]
SENTENCES = [
    ["the", "cat", "the", "sat", "the"],  # a word twice in a window, and in several
    ["Dog"],  # padding on both sides
    [],
    ["The", "zzz", "yyy", "mat"],  # unknown words side by side
    ["the", "the", "on", "cat"],
]
TAGS = [["D", "N", "D", "V", "D"], ["N"], [], ["D", "N", "V", "N"], ["D", "D", "V", "N"]]
OCCUR = ["the", "cat", "sat", "on", "mat", "dog"]  # the others do not


def some_vectors():
    return Vectors(WORDS, np.random.default_rng(1).standard_normal((len(WORDS), 5)))


def toy(n_sentences=100, seed=0):
    """Who follows "mr" is a person, and what follows "in" a place; no name occurs twice."""
    random = np.random.default_rng([seed, n_sentences])
    sentences, tags = [], []
    for i in range(n_sentences):
        words = []
        for place in "abc"[: random.integers(1, 4)]:
            words += random.choice(["we", "met", "saw", "and", "left", "then"], random.integers(3)).tolist()
            words += [str(random.choice(["mr", "in"])), f"name {'xyz'[seed]} {place * (i + 1)}"]
        sentences.append(words)
        tags.append([{"mr": "PER", "in": "LOC"}.get(word, "O") for word in ["", *words[:-1]]])
    return sentences, tags


def spy_on_split(monkeypatch, network):
    """Return a list to which the next training adds what it trains on and what it holds out."""
    parts, split = [], network._split
    monkeypatch.setattr(network, "_split", lambda *given: parts.extend(split(*given)) or tuple(parts))
    return parts

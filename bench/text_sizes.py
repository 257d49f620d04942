"""Quality by the size of a text: with more and more passes over it, and by gensim and fastText.

Half of the pairs and questions of the test sets have chosen the passes that fastvec has by default, see
`fastvec/training/passes.py`: their mean score is `of the choice`. The others are scored in the other columns.
In FOLDER are the test sets, and the text, of `bench/README.md`.

    python bench/text_sizes.py --data FOLDER > bench/text_sizes.md
"""

import argparse
import contextlib
import hashlib
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

from measure import Contender, Job, Measurement, estimator_of, measure, named, renamed, timed
from tables import about, place, record_table
from texts import Data, kept
from words import FRESH_PAGES, SCORES, as_vectors, scored_text, train_fasttext
from words import quality as scores_of

SIZES = {200_000: 2, 500_000: 1, 1_700_000: 1, 5_000_000: 1}  # words, and how many seeds
# More passes than these are left out where they take in more words than so many.
EPOCHS, MOST_WORDS = (5, 10, 20, 40, 80), 140_000_000
# gensim and fastText, which take long, are left out of longer texts than these.
LONGEST_OF_GENSIM, LONGEST_OF_FASTTEXT = 2_000_000, 1_000_000
OF_CHOICE = "of the choice"
COLUMNS = f"epochs | time | held-out loss | {OF_CHOICE} | {SCORES}"


def fastvec(job: Job) -> dict[str, Any]:
    model, seconds = timed(estimator_of(job).fit, job["file"], clock=time.process_time)
    history = model.history_
    figures = {"epochs": len(history), "loss": history[-1].loss, "seconds": seconds}
    return {**figures, "vectors": lambda: model.vectors_}


def gensim(job: Job) -> dict[str, Any]:
    from gensim.models import Word2Vec

    train = partial(Word2Vec, corpus_file=job["file"], sg=1, **renamed(job, "threads=workers seed"))
    model, seconds = timed(train, clock=time.process_time)
    vectors = partial(as_vectors, model.wv.index_to_key, model.wv.vectors)
    return {"epochs": model.epochs, "seconds": seconds, "vectors": vectors}


def fasttext(job: Job) -> dict[str, Any]:
    epochs = 5
    model, seconds = timed(train_fasttext, job, epochs, clock=time.process_time)
    words = model.get_words()

    def vectors() -> Any:
        import numpy as np

        return as_vectors(words, np.stack([model.get_word_vector(word) for word in words]))

    return {"epochs": epochs, "seconds": seconds, "vectors": vectors}


def quality(vectors: Any, job: Job) -> dict[str, Any]:
    """Return the scores of the one half of the test sets, and the mean of those of the other."""
    of_choice = scores_of(vectors, {**job, "tests": job["tests of choice"]})
    return {**scores_of(vectors, job), OF_CHOICE: mean(of_choice[name] for name in job["tests"])}


def halved_tests(data: Data, words: int) -> Job:
    """Return a text with the test sets, of each the half by which passes were chosen, and the other."""
    job = scored_text(data, words)
    halves: dict[bool, dict[str, str]] = {True: {}, False: {}}
    for name, path in job["tests"].items():
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        for choice, tests in halves.items():
            half = [*half_of(lines, choice, questions=name == "analogies")]
            to = Path(job["file"]).with_name(f"{Path(path).stem}-{'choice' if choice else 'rest'}.txt")
            tests[name] = str(kept(to, partial(Path.write_text, data="\n".join(half), encoding="utf-8")))
    return {**job, "score": "text_sizes.quality", "tests": halves[False], "tests of choice": halves[True]}


def half_of(lines: list[str], choice: bool, questions: bool) -> Iterator[str]:
    """Yield the titles of sections, and half of the other lines: those of the choice, or not."""
    for line in lines:
        words = line.lower().split()
        key = words[:4] if questions else sorted(words[:2])
        digest = hashlib.md5(" ".join(key).encode(), usedforsecurity=False).digest()
        if line.startswith(":") or choice == (digest[0] % 2 == 0):
            yield line


def contenders(words: int) -> tuple[Contender, ...]:
    settings = {"estimator": "SkipGram"}
    given = [
        Contender(f"fastvec, {epochs} epochs", fastvec, {**settings, "epochs": epochs})
        for epochs in EPOCHS
        if epochs * words <= MOST_WORDS
    ]
    found = [*given, Contender("fastvec", fastvec, settings)]
    if words <= LONGEST_OF_GENSIM:
        found.append(Contender("gensim", gensim))
    if words <= LONGEST_OF_FASTTEXT:
        ngrams = {"min_n": 3, "max_n": 6}
        found.append(Contender("fastText", fasttext, ngrams, environment=FRESH_PAGES, slow=True))
    return (*found,)


def main(arguments: list[str] | None = None) -> None:
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    cli.add_argument("--corpus", type=Path, metavar="TEXT", help="default: the text in the folder")
    cli.add_argument("--sizes", type=int, nargs="+", choices=SIZES, default=[*SIZES], metavar="WORDS")
    options = cli.parse_args(arguments)
    data = Data(options.data, options.corpus or options.data / "corpus" / "simplewiki.txt.gz")
    print("Generated by `python bench/text_sizes.py`; do not edit.")
    for words in options.sizes:
        title = f"{words / 1e6:g} M words"
        job = partial(halved_tests, words=words)
        measurement = Measurement(title, title, contenders(words), COLUMNS, job, threads=(1,))
        with contextlib.redirect_stdout(sys.stderr):
            record = measure(measurement, data, SIZES[words], 1)
        print(f"\n{about(record)}. {place(record)}.\n\n{record_table(record, '', COLUMNS)}", flush=True)


if __name__ == "__main__":
    named("text_sizes.main")()  # by its name, as the processes of contenders find it

"""What a training will take, before it: words, time, memory and the sizes of files."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from fastvec._params import shortened
from fastvec.corpus import Corpus
from fastvec.corpus.excerpts import Excerpt, excerpt, growth
from fastvec.corpus.selection import select
from fastvec.corpus.tags import check_untagged
from fastvec.corpus.vocabulary import Vocabulary
from fastvec.counts.cooccurrence import Cooccurrence
from fastvec.exports.notebooks import table
from fastvec.models.base import CountModel
from fastvec.models.footprint import Sizes, bytes_of_list, file_bytes, model_bytes, peak_bytes
from fastvec.models.glove import GloVe
from fastvec.models.paragraphs import DocVectors
from fastvec.models.some_rows import SomeRows
from fastvec.models.trials import seconds_of_glove, seconds_of_svd, seconds_of_words
from fastvec.models.words import WordModel
from fastvec.training.threads import number_of_threads

__all__ = ["Plan", "plan"]


@dataclass(frozen=True)
class Plan:
    """What a training will take, as `fastvec.plan` returns it; printed, it is a table.

    Attributes
    ----------
    model : str
        The name of the estimator.
    threads : int
        How many it works with.
    epochs : int or None
        How often it goes through the text or its counts; None for PPMI-SVD.
    share : float
        The part of the text that was read for the plan, 1 for all of it. With less, the numbers of words and
        sentences are in proportion, and those of different words and pairs of words follow the power law that
        they have in what was read.
    words, sentences : int
        Of the text, in all.
    distinct_words : int
        How many different words it has.
    vocabulary : int
        How many of these have vectors.
    entries : int or None
        How many pairs of words have a count, of models of counts.
    reading_seconds, training_seconds : float
        How long it takes to read the text, and from there to the vectors.
    memory_bytes : int
        The most memory at one time, beside that of Python and its modules.
    file_bytes : int
        The size of a .fvec of the vectors.
    model_bytes : int or None
        The size of a .fvec of the whole model, if it can be saved.
    """

    model: str
    threads: int
    epochs: int | None
    share: float
    words: int
    sentences: int
    distinct_words: int
    vocabulary: int
    entries: int | None
    reading_seconds: float
    training_seconds: float
    memory_bytes: int
    file_bytes: int
    model_bytes: int | None

    @property
    def seconds(self) -> float:
        """How long it takes from the text to the vectors."""
        return self.reading_seconds + self.training_seconds

    def __str__(self) -> str:
        rows = self._rows()
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:{width}}  {what}" for name, what in rows)

    def _repr_html_(self) -> str:
        """Return the plan as notebooks show it."""
        return table(f"{self.model}, {_number(self.threads, 'thread')}", ["", ""], map(list, self._rows()))

    def _rows(self) -> list[tuple[str, str]]:
        read = "all of it read" if self.share == 1 else f"{self.share:.1%} of it read"
        rows = [
            ("text", f"{self.words:,} words in {self.sentences:,} sentences, {read}"),
            ("vocabulary", f"{self.vocabulary:,} of {self.distinct_words:,} different words"),
        ]
        if self.entries is not None:
            rows.append(("counts", f"{self.entries:,} pairs of words"))
        epochs = "" if self.epochs is None else f" for {_number(self.epochs, 'epoch')}"
        parts = f"{_time(self.reading_seconds)} of it for reading"
        rows += [
            ("time", f"{_time(self.seconds)}{epochs} on {_number(self.threads, 'thread')}, {parts}"),
            ("memory", f"{_size(self.memory_bytes)} at the peak"),
        ]
        whole = "" if self.model_bytes is None else f", {_size(self.model_bytes)} of the whole model"
        return [*rows, ("file", f"{_size(self.file_bytes)} of vectors{whole}")]


def plan(model: WordModel | CountModel | DocVectors, text: Any, **reading: Any) -> Plan:
    """Return what training a model on a text will take: words, time, memory and the sizes of files.

    The text is read, or pieces from all over it if its files are larger than 256 MB (of compressed ones, the
    beginning). A trial with all settings of the model then shows for about a second how fast this machine is.
    Nothing is kept of it, and the model stays as it is. It is a plan for a first `fit` in this process, with
    all epochs. What else works at the time slows down both.

    Parameters
    ----------
    model : SkipGram, CBOW, FastText, GloVe, PPMI_SVD or DocVectors
        The model to train.
    text : Corpus, or anything that `Corpus` takes
        The text; it is used up if it can be read only once, such as a generator.
    **reading : object
        How the text is read: parameters of `Corpus`. Parquet, FASTA, and what a `tokenizer` splits are read
        as a whole, however large.

    Returns
    -------
    Plan
        The numbers; printed, it is a table.

    Raises
    ------
    FloatingPointError
        If the trial diverges.
    OSError
        If the text cannot be read.
    TypeError, ValueError
        If the model is another one, or a parameter or the text is invalid.

    Examples
    --------
    >>> import fastvec
    >>> text = [["to", "be", "or", "not", "to", "be"]] * 500
    >>> planned = fastvec.plan(fastvec.SkipGram(vector_size=50, threads=1), text)
    >>> planned.words, planned.vocabulary
    (3000, 4)
    """
    if not isinstance(model, (WordModel, CountModel, DocVectors)):
        raise TypeError(
            "model must be a SkipGram, CBOW, FastText, GloVe, PPMI_SVD or DocVectors to be planned, got "
            f"{shortened(model)}"
        )
    if isinstance(text, Cooccurrence):
        raise TypeError(f"text must be a text, of which counts are made, got {shortened(text)}")
    if isinstance(text, Corpus) and reading:
        raise TypeError(f"text must be read for {', '.join(reading)} to matter, got {shortened(text)}")
    model.check_params()
    if isinstance(model, DocVectors):
        reading = {"keep_empty": True, **reading}
    started = time.perf_counter()
    read = excerpt(text, **{"memory_limit": model.memory_limit, **reading})
    seconds = time.perf_counter() - started
    if not isinstance(model, WordModel):
        check_untagged(read.corpus)
    of_words = {name: getattr(model, name, None) for name in ("keep", "drop")}
    chosen = select(read.corpus.vocabulary, model.min_count, model.max_vocab, **of_words)
    if isinstance(model, WordModel):
        epochs = model._number_of_epochs(read.of_text(chosen.total))
        model = type(model)(**{**model.get_params(), "epochs": epochs})
    sizes, training_seconds = _tried(model, read, chosen)
    return Plan(
        model=type(model).__name__,
        threads=number_of_threads(model.threads),
        epochs=getattr(model, "epochs", None),
        share=read.share,
        words=sizes.words,
        sentences=sizes.sentences,
        distinct_words=sizes.distinct_words,
        vocabulary=sizes.vocabulary,
        entries=sizes.entries if isinstance(model, CountModel) else None,
        reading_seconds=seconds / read.share,
        training_seconds=float(training_seconds),
        memory_bytes=peak_bytes(model, sizes),
        file_bytes=file_bytes(model, sizes),
        model_bytes=model_bytes(model, sizes),
    )


def _tried(model: Any, read: Excerpt, chosen: Vocabulary) -> tuple[Sizes, float]:
    """Return the sizes of what is trained on, and the seconds that this takes."""
    entries = 0.0
    if isinstance(model, CountModel):
        rows = SomeRows(model, read.corpus, chosen)
        entries = rows.n_entries()
        if not entries:
            raise ValueError(
                f"text must have a sentence with two words of the vocabulary, got none of {chosen!r}"
            )
        if read.share < 1:
            entries *= growth(SomeRows(model, read.half, chosen).n_entries(), entries, read.share)
        seconds_of: Any = seconds_of_glove if isinstance(model, GloVe) else seconds_of_svd
        seconds = rows.seconds / read.share + seconds_of(model, rows, entries)
    else:
        seconds = seconds_of_words(model, read)
    vocabulary = round(len(chosen) * read.growth(model.min_count))
    if model.max_vocab is not None:
        vocabulary = min(vocabulary, model.max_vocab)
    sizes = Sizes(
        words=read.of_text(read.corpus.n_tokens),
        sentences=read.of_text(len(read.corpus)),
        distinct_words=round(len(read.corpus.vocabulary) * read.growth()),
        vocabulary=vocabulary,
        bytes_of_words=round(bytes_of_list(chosen) * vocabulary / len(chosen)),
        entries=round(entries),
    )
    return sizes, seconds


def _number(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _time(seconds: float) -> str:
    """Return a duration in the units that tell it best."""
    if seconds < 59.5:
        return f"{seconds:,.1f} s" if seconds < 10 else f"{seconds:,.0f} s"
    minutes, seconds = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min"


def _size(n: float) -> str:
    """Return a number of bytes in the unit that tells it best."""
    for unit in ("B", "kB", "MB"):
        if n < 1000:
            return f"{n:,.0f} {unit}"
        n /= 1000
    return f"{n:,.1f} GB"

"""What is planned is what a training takes: words, entries, files, memory, and time in proportion to work."""

import gzip
import json
from dataclasses import asdict
from functools import partial
from itertools import count

import numpy as np
import pytest
from inside import set_sizes

import fastvec
from fastvec import CBOW, PPMI_SVD, DocVectors, FastText, GloVe, SkipGram

pytestmark = pytest.mark.any_backend(trains=True)

QUICK = {"vector_size": 6, "epochs": 1, "threads": 1}


def text(n_words, n_sentences, seed=0):
    """Sentences of 20 words whose frequencies follow Zipf's law."""
    random = np.random.default_rng(seed)
    weights = 1 / np.arange(1, n_words + 1)
    drawn = random.choice(n_words, (n_sentences, 20), p=weights / weights.sum())
    return [[f"w{word}" for word in words] for words in drawn.tolist()]


@pytest.fixture(scope="module")
def corpus():
    return fastvec.Corpus(text(300, 400))


@pytest.mark.parametrize(
    "model",
    [
        SkipGram(**QUICK),
        CBOW(**QUICK, loss="hierarchical_softmax"),
        FastText(**QUICK, buckets=4000),
        GloVe(**QUICK, combine="concatenate"),
        PPMI_SVD(vector_size=6),
        DocVectors(**QUICK, model="dm"),
    ],
    ids=lambda model: type(model).__name__,
)
def test_sizes_are_those_of_the_training(model, corpus, tmp_path):
    planned = fastvec.plan(model, corpus)
    with pytest.raises(AttributeError):
        model.vectors_  # noqa: B018
    trained = type(model)(**model.get_params()).fit(corpus)
    assert (planned.words, planned.sentences, planned.share) == (corpus.n_tokens, len(corpus), 1)
    assert (planned.distinct_words, planned.vocabulary) == (len(corpus.vocabulary), len(trained.vocabulary_))
    trained.vectors_.save(tmp_path / "v.fvec")
    assert planned.file_bytes == pytest.approx((tmp_path / "v.fvec").stat().st_size, abs=700)
    if isinstance(model, PPMI_SVD):
        assert planned.model_bytes is None
    else:
        trained.save(tmp_path / "m.fvec")
        assert planned.model_bytes == pytest.approx((tmp_path / "m.fvec").stat().st_size, abs=1500)
    if isinstance(model, (GloVe, PPMI_SVD)):
        assert planned.entries == model._counts(corpus).n_entries_
    else:
        assert planned.entries is None
    assert planned.epochs == getattr(model, "epochs", None)
    assert (" s for 1 epoch on 1 thread, " in str(planned)) == (planned.epochs == 1)
    assert 0 < planned.training_seconds < planned.seconds


def test_time_is_in_proportion_to_the_epochs(corpus, monkeypatch):
    """On a machine that is equally fast all the time: a look at the clock takes a millisecond."""
    set_sizes(monkeypatch, warm_up_seconds=0.01, measured_seconds=0.2)
    monkeypatch.setattr("time.perf_counter", partial(next, (n / 1000 for n in count())))
    for estimator in (SkipGram, GloVe, DocVectors):
        few, many = (
            fastvec.plan(estimator(**{**QUICK, "epochs": epochs}), corpus).training_seconds
            for epochs in (10_000, 1_000_000)
        )
        assert many / few == pytest.approx(100, rel=0.1), estimator


def test_memory_is_that_of_the_arrays(corpus, monkeypatch):
    set_sizes(monkeypatch, ngrams_of_trials=100_000, numbers_planned_at_once=0)

    def memory(**params):
        return fastvec.plan(SkipGram(**{**QUICK, **params}), corpus).memory_bytes

    n = len(corpus.vocabulary.head(5))
    assert memory(vector_size=1024) - memory(vector_size=512) == pytest.approx(2 * n * 512 * 4, rel=0.01)
    large, small = (FastText(**QUICK, buckets=buckets) for buckets in (2_000_000, 1_000_000))
    more = fastvec.plan(large, corpus).memory_bytes - fastvec.plan(small, corpus).memory_bytes
    assert more == pytest.approx(1_000_000 * 16 * 4, rel=0.001)


def test_entries_of_some_rows_tell_those_of_all(monkeypatch):
    set_sizes(monkeypatch, words_with_rows=100, entries_among_words=500)
    corpus = fastvec.Corpus(text(3000, 4000))
    model = PPMI_SVD(vector_size=10, window=3, min_count=3, threads=1)
    planned, n_entries = fastvec.plan(model, corpus), model._counts(corpus).n_entries_
    assert planned.vocabulary > 800  # of which one of eight is counted
    assert planned.entries == pytest.approx(n_entries, rel=0.05)
    assert planned.entries != n_entries
    set_sizes(monkeypatch, entries_among_words=10**6)  # so that too few are left
    assert fastvec.plan(model, corpus).entries == n_entries


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A text that is too large to be read as a whole, whose second half has other words."""
    set_sizes(monkeypatch, whole_text=10_000, piece_of_large_text=1000)
    set_sizes(monkeypatch, pieces_of_text=1000, compressed_block=1000)
    first, second = (text(10**5, 1000, seed) for seed in range(2))
    sentences = first + [[f"x{word}" for word in words] for words in second]
    path = tmp_path / "large.txt"
    path.write_text("".join(f"{' '.join(words)}\n" for words in sentences), encoding="utf-8")
    return path, sentences


def test_large_texts_are_read_in_pieces(large):
    path, sentences = large
    planned = fastvec.plan(SkipGram(**QUICK), path)
    corpus = fastvec.Corpus(sentences)
    assert 0.1 < planned.share < 0.5
    assert planned.words == pytest.approx(corpus.n_tokens, rel=0.02)
    assert planned.sentences == pytest.approx(len(corpus), rel=0.02)
    assert planned.distinct_words == pytest.approx(len(corpus.vocabulary), rel=0.25)
    assert planned.vocabulary == pytest.approx(len(corpus.vocabulary.head(5)), rel=0.4)
    assert f"{planned.share:.1%} of it read" in str(planned)
    assert fastvec.plan(SkipGram(**QUICK, max_vocab=50), path).vocabulary == 50


def test_of_large_compressed_texts_the_beginning_is_read(large):
    path, sentences = large
    packed = path.with_suffix(".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    planned = fastvec.plan(SkipGram(**QUICK), packed, lowercase=True)
    assert planned.share < 0.5
    assert planned.words == pytest.approx(20 * len(sentences), rel=0.1)
    assert fastvec.plan(SkipGram(**QUICK), path, tokenizer=str.split).share == 1


def test_a_plan_is_a_table(corpus):
    planned = fastvec.plan(GloVe(**QUICK), corpus)
    shown = {line.split()[0]: line for line in str(planned).splitlines()}
    assert [*shown] == ["text", "vocabulary", "counts", "time", "memory", "file"]
    assert "8,000 words in 400 sentences, all of it read" in shown["text"]
    assert f"{planned.entries:,} pairs of words" in shown["counts"]
    assert shown["time"].count("1 thread,") == 1
    assert f"{planned.entries:,} pairs of words" in planned._repr_html_()


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.04, "0.0 s"), (59.4, "59 s"), (59.7, "1 min 0 s"), (3599.6, "1 h 0 min"), (360_000, "100 h 0 min")],
)
def test_times_are_in_the_unit_that_tells_them(seconds, shown, corpus):
    planned = fastvec.plan(SkipGram(**QUICK), corpus)
    fields = {**asdict(planned), "reading_seconds": 0, "training_seconds": seconds}
    assert f"\ntime        {shown} for 1 epoch on" in str(type(planned)(**fields))


def test_what_cannot_be_planned():
    with pytest.raises(TypeError, match=r"model must be a SkipGram, .* to be planned, got Phrases"):
        fastvec.plan(fastvec.Phrases(), [["a", "b"]])
    counts = fastvec.Cooccurrence(min_count=1).fit([["a", "b"]])
    with pytest.raises(TypeError, match="text must be a text, of which counts are made, got Cooccurrence"):
        fastvec.plan(GloVe(), counts)
    with pytest.raises(ValueError, match="min_count=5 leaves no word"):
        fastvec.plan(GloVe(), [["a", "b"]])
    with pytest.raises(ValueError, match="text must have a sentence with two words of the vocabulary"):
        fastvec.plan(GloVe(min_count=1), [["a"], ["b"]])
    with pytest.raises(ValueError, match="window must be an int from 1 to 1000, got 0"):
        fastvec.plan(SkipGram(window=0), [["a", "b"]])
    with pytest.raises(TypeError, match="text must be read for lowercase to matter, got Corpus"):
        fastvec.plan(SkipGram(), fastvec.Corpus([["a", "b"]]), lowercase=True)


@pytest.mark.parametrize("wrong", [{"lowercase": 1}, {"errors": "no"}, {"memory_limit": 0}, {"progress": 1}])
def test_parameters_are_checked_however_large_a_text_is(wrong, large):
    with pytest.raises((TypeError, ValueError), match=f"^{next(iter(wrong))} must be "):
        fastvec.plan(SkipGram(**QUICK), large[0], **wrong)


def test_the_command(tmp_path, shown, large):
    path = tmp_path / "text.txt"
    path.write_text("".join(f"{' '.join(words)}\n" for words in text(300, 20)), encoding="utf-8")
    options = ["--vector-size", "6", "--threads", "1", "--min-count", "1", "--quiet"]
    status, out, errors = shown("plan", path, *options, "--model", "svd", "--json")
    document = json.loads(out)
    assert (status, errors) == (0, "")
    assert (document["model"], document["words"], document["model_bytes"]) == ("PPMI_SVD", 400, None)
    assert document["seconds"] == document["reading_seconds"] + document["training_seconds"]
    status, out, _ = shown("plan", path, *options, "--phrases", "1", "--lowercase")
    assert out.startswith("text        ") and "all of it read\n" in out
    assert ", all of it" not in shown("plan", large[0], *options)[1]
    fastvec.Cooccurrence(min_count=1).fit(path).save(tmp_path / "c.fvcounts")
    status, _, errors = shown("plan", tmp_path / "c.fvcounts")
    assert status == 2 and "holds counts, and not a text, of which trainings are planned" in errors
    status, _, errors = shown("plan", path, "--x-max", "4")
    assert status == 2 and "--x-max is an option of glove" in errors

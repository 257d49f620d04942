"""The loss in `history_`: what it is taken of, when, and that nothing of it is trained on."""

import numpy as np
import pytest
from inside import set_sizes

import fastvec
from fastvec import kernels

MODELS = [
    (fastvec.SkipGram, {"negative_sharing": "window"}, "skipgram"),
    (fastvec.SkipGram, {"negative_sharing": "none"}, "skipgram"),
    (fastvec.SkipGram, {"loss": "hierarchical_softmax"}, "hierarchical_softmax"),
    (fastvec.SkipGram, {"loss": "softmax"}, "softmax"),
    (fastvec.CBOW, {}, "cbow"),
    (fastvec.CBOW, {"position_weights": True}, "cbow"),
    (fastvec.CBOW, {"loss": "hierarchical_softmax"}, "hierarchical_softmax"),
    (fastvec.CBOW, {"loss": "softmax"}, "softmax"),
    (fastvec.FastText, {"buckets": 50}, "subword"),
    (fastvec.FastText, {"buckets": 50, "model": "cbow"}, "subword"),
    (fastvec.FastText, {"buckets": 50, "loss": "hierarchical_softmax"}, "ngram_tree"),
]
MATRICES = ("input_vectors", "output_vectors", "node_vectors", "position_weights")


def text_of(n_tokens, lengths, n_words=400, seed=0):
    """A corpus of about so many tokens in sentences of random lengths, the words as uneven as in texts."""
    random = np.random.default_rng(seed)
    words = [f"w{i}" for i in (n_words * random.random(n_tokens) ** 3).astype(int)]
    ends = np.cumsum(random.integers(*lengths, size=n_tokens))
    ends = ends[ends < n_tokens]
    return fastvec.Corpus([words[a:b] for a, b in zip([0, *ends], [*ends, n_tokens], strict=True)])


@pytest.fixture(scope="module")
def long_text():
    return text_of(140_000, (1, 40))


@pytest.fixture
def short_text(monkeypatch):
    """A text that would not do without what is held out, if texts like it did not have to."""
    set_sizes(monkeypatch, shortest_text=4000)
    return text_of(4000, (1, 40), n_words=60)


def small(estimator, **params):
    defaults = {"vector_size": 4, "window": 3, "negatives": 2, "min_count": 20, "threads": 1, "epochs": 2}
    return estimator(**{**defaults, **params})


def spans_of(calls):
    """Where the calls trained, and where they scored."""
    trained = [(call["start"], call["stop"]) for call in calls if call["learning_rate"] > 0]
    return trained, [(call["start"], call["stop"]) for call in calls if call["learning_rate"] == 0]


def positions_of(spans):
    return np.concatenate([np.arange(*span) for span in spans])


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize(("estimator", "own", "kernel"), MODELS, ids=str)
def test_what_is_held_out_is_never_trained_on_and_all_else_once_an_epoch(
    estimator, own, kernel, long_text, watch
):
    calls = watch(kernel, idle=True)
    model = small(estimator, **own).fit(long_text)
    trained, scored = spans_of(calls)
    assert len(scored) % 2 == 0
    first, second = scored[: len(scored) // 2], scored[len(scored) // 2 :]
    assert first == second  # the same in every epoch
    positions = positions_of(first)
    assert len(np.unique(positions)) == len(positions)
    assert 1024 <= len(positions) < 1024 + 128
    visits = np.bincount(positions_of(trained), minlength=long_text.n_tokens)
    assert set(visits[positions]) == {0}
    assert set(np.delete(visits, positions)) == {2}
    # Whole sentences, from everywhere in the text.
    offsets = set(long_text.sentence_offsets.tolist())
    assert all({start, stop} <= offsets for start, stop in first)
    np.testing.assert_allclose(np.mean(positions), long_text.n_tokens / 2, rtol=0.2)
    # No word loses more than half of its occurrences.
    counts = model.vocabulary_.counts
    words = long_text.ids[positions]
    assert (np.bincount(words[words < len(counts)], minlength=len(counts)) <= counts / 2).all()


@pytest.mark.parametrize(("estimator", "own", "kernel"), MODELS, ids=str)
def test_the_loss_is_that_of_the_parameters_as_they_are(estimator, own, kernel, short_text, watch):
    calls = watch(kernel)
    reference = kernels.get(kernel, "reference").train
    expected = []

    def score(model):
        loss = pairs = 0
        for call in [call for call in calls if call["learning_rate"] == 0]:
            copies = {name: call[name].copy() for name in MATRICES if call.get(name) is not None}
            done = reference(**call | copies)
            loss, pairs = loss + done[0], pairs + done[1]
        expected.append(loss / pairs)
        calls.clear()

    model = small(estimator, **own, callbacks=[score]).fit(short_text)
    assert [epoch.loss for epoch in model.history_] == pytest.approx(expected, rel=1e-5)


@pytest.mark.any_backend(trains=True)
def test_losses_of_seeds_threads_and_further_training_are_of_the_same_windows(long_text, watch):
    calls = watch("skipgram", idle=True)
    model = small(fastvec.SkipGram).fit(long_text)
    model.fit(long_text)
    small(fastvec.SkipGram, seed=2, threads=2, shuffle=True, learning_rate=0.1).fit(long_text)
    scored = [call for call in calls if call["learning_rate"] == 0]
    third = len(scored) // 3
    runs = [scored[i * third : (i + 1) * third] for i in range(3)]
    passed = [
        [(call["start"], call["stop"], call["key"], call["loss_every"]) for call in run] for run in runs
    ]
    assert passed[0] == passed[1] == passed[2]
    assert len({call["key"] for call in scored}) == 1
    assert not {call["key"] for call in scored} & {call["key"] for call in calls if call["learning_rate"] > 0}
    assert {call["loss_every"] for call in scored} == {1}


@pytest.mark.any_backend(trains=True)
def test_the_loss_is_the_same_whatever_the_seed_and_the_threads(short_text):
    losses = [
        small(fastvec.SkipGram, vector_size=16, seed=seed, threads=threads).fit(short_text).history_[-1].loss
        for seed, threads in [(1, 1), (2, 1), (3, 2)]
    ]
    np.testing.assert_allclose(losses, losses[0], rtol=0.02)


@pytest.mark.any_backend(trains=True)
def test_long_sentences_are_held_out_in_parts(watch):
    calls = watch("skipgram", idle=True)
    small(fastvec.SkipGram, epochs=1).fit(text_of(140_000, (130_000, 130_001)))
    trained, scored = spans_of(calls)
    assert {stop - start for start, stop in scored} == {128}
    assert len(scored) == 8
    assert not set(positions_of(trained)) & set(positions_of(scored))


@pytest.mark.any_backend(trains=True)
def test_a_sentence_with_a_word_of_its_own_is_trained_on(watch):
    calls = watch("skipgram", idle=True)
    sentences = [["common", "words", "here", f"own{i}" if i % 2 else "too"] for i in range(40_000)]
    small(fastvec.SkipGram, epochs=1, min_count=1).fit(sentences)
    _, scored = spans_of(calls)
    assert len(scored) == 256
    assert not any(start // 4 % 2 for start, _ in scored)


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize(("every", "is_enough"), [(20, False), (3, True)])
def test_a_text_of_rare_words_may_have_too_little_to_hold_out(every, is_enough, watch):
    calls = watch("skipgram", idle=True)
    sentences = [[f"a{i}", f"b{i}"] if i % every else ["a", "b"] for i in range(70_000)]
    small(fastvec.SkipGram, epochs=1, min_count=1).fit(sentences)
    trained, scored = map(positions_of, spans_of(calls))
    if is_enough:  # half of what there would be otherwise
        assert 512 <= len(scored) < 1024
        assert len(trained) == 140_000 - len(scored)
    else:
        assert len(scored) == 1024
        assert len(trained) == 140_000


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize(("n_tokens", "n_scored"), [(900, 900), (5000, 1024), (131_071, 1024)])
def test_a_short_text_is_trained_on_as_a_whole(n_tokens, n_scored, watch):
    calls = watch("skipgram", idle=True)
    small(fastvec.SkipGram, min_count=1, epochs=1).fit(text_of(n_tokens, (1, 40), n_words=60))
    trained, scored = spans_of(calls)
    np.testing.assert_array_equal(positions_of(trained), np.arange(n_tokens))
    scored = positions_of(scored)
    assert n_scored <= len(np.unique(scored)) == len(scored) < n_scored + 40


@pytest.mark.any_backend(trains=True)
def test_the_loss_falls_on_a_text_whose_subject_changes(monkeypatch):
    set_sizes(monkeypatch, shortest_text=3000)
    random = np.random.default_rng(0)
    subjects = [[f"{subject}{i}" for i in range(12)] for subject in "abc"]
    sentences = [random.choice(subject, 8) for subject in subjects for _ in range(125)]
    model = small(fastvec.SkipGram, vector_size=20, epochs=4, subsample=0, learning_rate=0.3).fit(sentences)
    losses = [epoch.loss for epoch in model.history_]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.any_backend(trains=True)
def test_sentences_without_two_known_words_are_not_scored(watch):
    calls = watch("skipgram", idle=True)
    corpus = fastvec.Corpus(
        sentence for i in range(25_000) for sentence in (["alone"], ["alone", f"rare{i}"], ["a", "b", "c"])
    )
    small(fastvec.SkipGram, epochs=1).fit(corpus)
    _, scored = spans_of(calls)
    assert {corpus.vocabulary.words[i] for i in corpus.ids[positions_of(scored)]} == {"a", "b", "c"}


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize(("estimator", "own", "kernel"), [MODELS[0], MODELS[4], MODELS[8]], ids=str)
def test_without_a_pair_in_what_is_scored_the_loss_is_of_what_is_trained_on(estimator, own, kernel):
    # of 512 sentences that are scored, not one is left as a whole in the draws
    with pytest.warns(UserWarning, match=r"leaves .* of the 60,000 words"):
        model = small(estimator, **own, subsample=3e-4).fit([["a", "b"]] * 30_000)
    assert np.isfinite([epoch.loss for epoch in model.history_]).all()

"""Probes see vectors while they are trained, and change nothing."""

import re

import numpy as np
import pytest
from small_runs import corpus, cut_small, make

import fastvec

pytestmark = pytest.mark.any_backend(trains=True)

PAIRS = [("word0", "word1", 9.0), ("word2", "word50", 2.0), ("word3", "word4", 5.0)]
EPOCH = 6_000


@pytest.fixture(autouse=True)
def chunks(monkeypatch):
    cut_small(monkeypatch)


def trained(family, *probes, **params):
    model = make(family, callbacks=list(probes), epochs=2, **params)
    return model.fit(corpus())


@pytest.mark.parametrize("every", ["epoch", "0.000001s", "1300 words"])
@pytest.mark.parametrize("family", ["skipgram", "fasttext", "together"])
def test_a_training_is_the_same_with_a_probe(family, every):
    probe = fastvec.Probe(words=["word3"], every=every)
    watched, alone = trained(family, probe), trained(family)
    np.testing.assert_array_equal(watched.vectors_.vectors, alone.vectors_.vectors)
    assert [epoch.loss for epoch in watched.history_] == [epoch.loss for epoch in alone.history_]
    assert [epoch.pairs for epoch in watched.history_] == [epoch.pairs for epoch in alone.history_]
    assert (len(probe.records) == 2) == (every == "epoch")


def test_glove_is_the_same_with_a_probe():
    probe = fastvec.Probe(words=["word3"], every="2000 entries")
    watched, alone = trained("glove", probe), trained("glove")
    np.testing.assert_array_equal(watched.vectors_.vectors, alone.vectors_.vectors)
    assert len(probe.records) > 2 and {record.moment.unit for record in probe.records} == {"entries"}


def test_a_probe_looks_after_so_many_words():
    probe = fastvec.Probe(words=["word3"], every="2e3 words")
    trained("skipgram", probe)
    # after the chunks of 512 words in which 2,000, 4,000, ... are reached, and at the ends of epochs
    seen = [(record.moment.epoch, record.moment.positions) for record in probe.records]
    assert seen == [(1, 2048), (1, 4096), (1, 6000), (2, 8048), (2, 10096), (2, 12000)]


def test_a_probe_looks_after_so_many_seconds():
    often, once = (fastvec.Probe(words=["word3"], every=every) for every in ("0.000001s", "2h"))
    trained("skipgram", often, once)
    assert [record.moment.positions for record in often.records[:3]] == [512, 1024, 1536]
    assert [record.moment.positions for record in once.records] == [EPOCH, 2 * EPOCH]
    seconds = [record.moment.seconds for record in often.records]
    assert seconds == sorted(seconds) and seconds[0] > 0


def test_a_probe_sees_the_vectors_as_they_are():
    kept = []

    class Copying(fastvec.Probe):
        def __call__(self, model, moment, say):
            super().__call__(model, moment, say)
            kept.append(fastvec.Vectors(model.vectors_.words, model.vectors_.vectors.copy()))

    probe = Copying(similarity=PAIRS, words=["word3", "nothing"], topn=2, every="3000 words")
    model = trained("skipgram", probe)
    assert len(kept) == len(probe.records) > 3
    for vectors, record in zip(kept, probe.records, strict=True):
        assert record.similarity == fastvec.evaluate.similarity(vectors, PAIRS)
        assert record.neighbors == {"word3": vectors.most_similar("word3", topn=2), "nothing": []}
    assert not np.array_equal(kept[0].vectors, kept[1].vectors)
    assert [record.moment.loss for record in probe.records if record.moment.positions % EPOCH == 0] == [
        epoch.loss for epoch in model.history_
    ]


def test_a_line_each_shows_how_neighbors_move(capsys, tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("".join(f"{a} {b} {score}\n" for a, b, score in PAIRS), encoding="utf-8")
    probe = fastvec.Probe(similarity=path, words=["word3", "nothing"], topn=3, every="1000 words")
    trained("skipgram", probe)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(probe.records)
    before = set()
    for number, (line, record) in enumerate(zip(lines, probe.records, strict=True)):
        near = [word for word, _ in record.neighbors["word3"]]
        marked = [word if word in before or number == 0 else f"+{word}" for word in near]
        assert line.endswith(f"word3: {' '.join(marked)}, nothing: unknown")
        assert re.match(rf"epoch \d, {record.moment.positions:,} words, \d\.\d s: loss \d\.\d+, own ", line)
        assert f"own {record.similarity.spearman:.3f} (3 of 3 pairs)" in line
        before = set(near)
    assert "+" in "".join(lines)


def test_a_probe_that_raises_ends_the_training_and_what_was_learned_is_kept():
    class Failing(fastvec.Probe):
        def __call__(self, model, moment, say):
            raise RuntimeError(f"after {moment.positions} words")

    model = make("skipgram", callbacks=[Failing(words=["word3"], every="1000 words")])
    with pytest.raises(RuntimeError, match="after 1024 words"):
        model.fit(corpus())
    assert model.history_ == [] and np.isfinite(model.vectors_.vectors).all()
    model.set_params(callbacks=[]).fit(corpus())
    assert len(model.history_) == 4


def test_a_probe_that_returns_true_ends_the_training():
    class Enough(fastvec.Probe):
        def __call__(self, model, moment, say):
            return moment.positions > 2_000

    model = make("skipgram", callbacks=[Enough(words=["word3"], every="1000 words")]).fit(corpus())
    assert model.interrupted_
    assert len(model.history_) == 1 and model.history_[0].pairs > 0


def test_probes_and_checkpoints_come_each_at_its_time(tmp_path):
    probe = fastvec.Probe(words=["word3"], every="1000 words")
    model = make("skipgram", callbacks=[probe], epochs=2)
    model.fit(corpus(), checkpoint=tmp_path / "run.fvec", checkpoint_every="0.000001s")
    np.testing.assert_array_equal(model.vectors_.vectors, trained("skipgram").vectors_.vectors)
    assert [record.moment.positions for record in probe.records][:3] == [1024, 2048, 3072]


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({}, ValueError, "similarity or words must be given"),
        ({"words": "paris"}, TypeError, "words must be a list of words, got 'paris'"),
        ({"words": ["a"], "topn": 0}, ValueError, "topn must be an int >= 1, got 0"),
        ({"words": ["a"], "every": 10}, TypeError, "every must be 'epoch', a time .*, got 10"),
        ({"words": ["a"], "every": "0s"}, ValueError, "every must be 'epoch', a time .*, got '0s'"),
        ({"words": ["a"], "every": "0 words"}, ValueError, "got '0 words'"),
        ({"words": ["a"], "every": "1e999 words"}, ValueError, "got '1e999 words'"),
        ({"words": ["a"], "every": "10 lines"}, ValueError, "got '10 lines'"),
        ({"similarity": []}, ValueError, "pairs must hold at least one pair"),
        ({"similarity": "nowhere.txt"}, FileNotFoundError, "nowhere.txt"),
    ],
)
def test_bad_parameters_are_named(params, error, message):
    with pytest.raises(error, match=message):
        fastvec.Probe(**params)


def test_a_number_is_of_what_the_model_visits():
    with pytest.raises(ValueError, match=r"every must be a number of entries, .*, got one of 'words'"):
        trained("glove", fastvec.Probe(words=["word3"], every="1e3 words"))

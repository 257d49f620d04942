"""Without `epochs`, a text has the more passes the shorter it is; the number is settled, shown and kept."""

import json

import numpy as np
import pytest
from inside import set_sizes

import fastvec
from fastvec import presets

pytestmark = pytest.mark.any_backend(trains=True)

SMALL = {"vector_size": 4, "min_count": 1, "threads": 1, "subsample": 0}
FEWEST = presets.text(10**9)["epochs"]
N_WORDS, SHORT = 400, 225  # 40 passes over 225 words, 30 over 400
TEXT = np.random.default_rng(3).integers(20, size=(N_WORDS // 8, 8)).tolist()


@pytest.fixture(autouse=True)
def thirty_passes(monkeypatch):
    set_sizes(monkeypatch, short_text=SHORT)


def small(estimator=fastvec.SkipGram, **params):
    return estimator(**SMALL | params)


def test_the_shorter_a_text_the_more_passes_within_bounds():
    sizes = [1, SHORT, N_WORDS, 4 * SHORT, 10**9]
    assert [presets.text(size)["epochs"] for size in sizes] == [40, 40, 30, 20, FEWEST] and FEWEST == 5


def test_the_bounds_are_those_that_are_documented(monkeypatch):
    monkeypatch.undo()
    sizes = [300_000, 1_200_000, 4_800_000, 17_000_000, 20_000_000]
    assert [presets.text(size)["epochs"] for size in sizes] == [40, 20, 10, 5, 5]


@pytest.mark.parametrize(
    ("estimator", "own", "passes"),
    [
        (fastvec.SkipGram, {}, 30),
        (fastvec.CBOW, {}, 20),
        (fastvec.FastText, {"buckets": 20}, 20),
        (fastvec.FastText, {"buckets": 20, "model": "cbow"}, 20),
    ],
)
def test_it_is_the_training_with_that_number(estimator, own, passes):
    model, same = small(estimator, **own).fit(TEXT), small(estimator, epochs=passes, **own).fit(TEXT)
    assert model.epochs is None and len(model.history_) == passes
    assert (model.vectors_.vectors == same.vectors_.vectors).all()
    assert (small(estimator, epochs=4, **own).fit(TEXT).vectors_.vectors != same.vectors_.vectors).any()


def test_words_that_are_left_out_do_not_count():
    rare = [f"rare{i}" for i in range(N_WORDS)]
    mixed = [[*sentence, *rare[8 * i : 8 * i + 8]] for i, sentence in enumerate(TEXT)]
    assert len(small().fit(mixed).history_) == 21
    assert len(small(min_count=2).fit(mixed).history_) == 30
    assert len(small().fit(mixed, vocabulary=[*range(20)]).history_) == 30


def test_what_was_learned_goes_on_for_the_fewest():
    model = small().fit(TEXT).fit(TEXT)
    assert len(model.history_) == 30 + FEWEST
    assert model.vectors_.metadata["epochs"] == FEWEST
    assert len(model.set_params(epochs=2).fit(TEXT).history_) == 32 + FEWEST


def test_the_number_is_shown_and_kept(tmp_path, shown):
    text, first, again = (tmp_path / name for name in ("text.txt", "first.fvec", "again.fvec"))
    text.write_text("".join(f"{' '.join(map(str, sentence))}\n" for sentence in TEXT))
    sizes = ("--vector-size", 4, "--min-count", 1, "--threads", 1, "--subsample", 0)
    status, _, errors = shown("train", text, "-o", first, "--save-model", tmp_path / "model.fvec", *sizes)
    assert status == 0 and "epoch 1/30" in errors
    about = json.loads(shown("info", first, "--json")[1])
    assert about["metadata"]["epochs"] == 30
    model = fastvec.load_model(tmp_path / "model.fvec")
    assert model.epochs is None and model.vectors_.metadata["epochs"] == 30
    # the text twice has fewer, but not where a training is repeated
    assert shown("train", "--like", first, text, text, "-o", again, "-q")[0] == 0
    assert fastvec.load(again).metadata["epochs"] == 30


def test_a_run_is_resumed_with_its_number(tmp_path, monkeypatch):
    """Even by a version in which None stands for another one."""
    path, whole = tmp_path / "run.fvec", small().fit(TEXT)
    stopped = small(callbacks=[lambda model: len(model.history_) == 3 and model.stop()])
    assert len(stopped.fit(TEXT, checkpoint=path).history_) == 3
    set_sizes(monkeypatch, short_text=N_WORDS)
    resumed = small().fit(TEXT, checkpoint=path, resume=True)
    assert len(resumed.history_) == 30
    assert (resumed.vectors_.vectors == whole.vectors_.vectors).all()
    with pytest.raises(ValueError, match="epochs must be None as in the checkpoint, got 30"):
        small(epochs=30).fit(TEXT, checkpoint=path, resume=True)


def test_lanes_and_resamples_have_it_too():
    assert len(fastvec.distributed.fit(small(), TEXT, lanes=2).history_) == 30
    [first, *_] = fastvec.Stability(small(), runs=5, threads=1).fit(TEXT).runs_
    assert first.metadata["epochs"] == 30


@pytest.mark.parametrize("estimator", [fastvec.GloVe, fastvec.DocVectors])
def test_others_have_a_number(estimator):
    with pytest.raises(TypeError, match="epochs must be an int >= 1, got None"):
        estimator(epochs=None).check_params()

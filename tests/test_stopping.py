"""Training ends when it is asked to, by any thread or a callback."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from commands import HANGS
from inside import watch_chunks, wrap
from small_runs import corpus, cut_small, learned, make, stopped_at

from fastvec import classify

pytestmark = pytest.mark.any_backend(trains=True)


@pytest.fixture(autouse=True)
def many_chunks(monkeypatch):
    cut_small(monkeypatch)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.fvec"


def test_a_model_is_stopped_from_another_thread():
    begun = threading.Event()
    model = make("skipgram", epochs=1_000_000, callbacks=[lambda _: begun.set()])
    thread = threading.Thread(target=model.fit, args=[corpus()])
    thread.start()
    assert begun.wait(HANGS)
    model.stop()
    thread.join(HANGS)
    assert not thread.is_alive()
    assert model.interrupted_
    assert 1 <= len(model.history_) < 1_000_000
    assert len(model.vectors_) == 120
    # A training that has come to its end was not stopped.
    last = make("skipgram", epochs=2, callbacks=[lambda model: len(model.history_) == 2 and model.stop()])
    assert not last.fit(corpus()).interrupted_
    # Stopping what is not under way stops nothing later.
    model.stop()
    assert not model.set_params(epochs=1).fit(corpus()).interrupted_


@pytest.mark.parametrize(
    ("new", "X"),
    [
        (classify.TextClassifier, [["good", "film"], ["bad", "film"]] * 9),
        (classify.SoftmaxClassifier, np.eye(18, 3)),
    ],
)
def test_a_classifier_is_stopped_from_another_thread(new, X, monkeypatch):
    begun = threading.Event()
    wrap(monkeypatch, "epoch", lambda real, *given, **named: begun.set() or real(*given, **named))
    model = new(epochs=1_000_000)
    thread = threading.Thread(target=model.fit, args=[X, ["+", "-"] * 9])
    thread.start()
    assert begun.wait(HANGS)
    model.stop()
    thread.join(HANGS)
    assert not thread.is_alive()
    assert model.interrupted_
    assert 1 <= len(model.history_) < 1_000_000
    assert len(model.predict(X)) == 18
    assert not model.set_params(epochs=1).fit(X, ["+", "-"] * 9).interrupted_


DAEMON = """
import random, threading
import fastvec
begun = threading.Event()
text = [[str(random.randrange(99)) for _ in range(9)] for _ in range(999)]
given = {"deterministic": %s, "callbacks": [lambda model: begun.set()]}
model = fastvec.SkipGram(epochs=10**9, threads=3, **given)
threading.Thread(target=model.fit, args=[text], daemon=True).start()
begun.wait()
"""


@pytest.mark.parametrize("deterministic", [False, True])
def test_a_program_need_not_wait_for_its_daemons(deterministic):
    program = DAEMON % deterministic
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=HANGS)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize("threads", [1, 3])
def test_the_calling_thread_is_one_of_those_that_train(threads, monkeypatch):
    """Profilers, debuggers and limits of BLAS that a program has set for its thread hold for training."""
    seen = set()
    watch_chunks(monkeypatch, lambda: (seen.add(threading.get_ident()), time.sleep(0.001)))
    make("skipgram", threads=threads, epochs=1).fit(corpus())
    assert threading.get_ident() in seen
    assert (len(seen) > 1) == (threads > 1)


def test_an_error_in_any_thread_ends_the_training(monkeypatch):
    """The first is raised, once all threads have ended."""

    def fail_elsewhere():
        if threading.current_thread() is not threading.main_thread():
            raise MemoryError("elsewhere")
        time.sleep(0.001)

    watch_chunks(monkeypatch, fail_elsewhere)
    running = threading.active_count()
    model = make("skipgram", threads=3, epochs=1_000_000)
    with pytest.raises(MemoryError, match="elsewhere"):
        model.fit(corpus())
    assert threading.active_count() == running
    assert not hasattr(model, "vectors_")


def test_stop_keeps_what_was_learned_up_to_there(monkeypatch):
    model = stopped_at(monkeypatch, make("glove", threads=1), 20, corpus())
    whole = make("glove", threads=1).fit(corpus())
    assert model.history_[0].loss == whole.history_[0].loss
    assert 0 < model.history_[-1].pairs < whole.history_[0].pairs


@pytest.mark.parametrize("family", ["skipgram", "fasttext", "glove"])
def test_callbacks_see_every_epoch(family):
    seen = []
    callbacks = [lambda model: seen.append((len(model.history_), model.vectors_["word1"].tobytes()))]
    make(family, callbacks=callbacks).fit(corpus())
    assert [epoch for epoch, _ in seen] == [1, 2, 3, 4]
    assert len({vector for _, vector in seen}) == 4


@pytest.mark.parametrize("answer", [True, np.True_])
def test_a_callback_that_returns_true_ends_the_training(answer, path):
    called = []
    callbacks = [
        lambda model: answer if len(model.history_) == 2 else None,
        lambda model: called.append(model),
    ]
    model = make("skipgram", callbacks=callbacks).fit(corpus(), checkpoint=path)
    assert [epoch.epoch for epoch in model.history_] == [1, 2]
    assert called == [model, model]
    assert not model.interrupted_
    # It is over, and stays so.
    again = make("skipgram").fit(corpus(), checkpoint=path, resume=True)
    assert learned(again) == learned(model)


@pytest.mark.parametrize("answer", [False, None, 1, "yes", np.ones(2)])
def test_a_callback_that_returns_anything_else_does_not(answer):
    assert len(make("skipgram", callbacks=[lambda _: answer]).fit(corpus()).history_) == 4


@pytest.mark.parametrize("family", ["skipgram", "glove"])
def test_callbacks_from_a_generator_are_called_in_every_epoch_of_every_fit(family):
    called = []
    model = make(family, epochs=2)
    given = (callback for callback in [lambda model: called.append(len(model.history_))])
    model.set_params(callbacks=given)
    assert model.get_params()["callbacks"] is given
    model.fit(corpus()).fit(corpus())
    assert called == [1, 2, 3, 4]
    with pytest.raises(TypeError, match="callbacks must be callables, got 3"):
        make(family, callbacks=iter([3])).fit(corpus())
    for wrong in (None, called.append):
        with pytest.raises(TypeError, match=r"callbacks must be a list of callables, got (None|<built-in)"):
            make(family, callbacks=wrong).fit(corpus())

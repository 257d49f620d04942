"""Signals that ask a program to end: while modules are loaded, in training, and while a file is saved."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from commands import ENDING, HANGS, interrupt, start, wait_for
from interrupts import can_be_interrupted, interrupt_training_after, interrupt_training_at

import fastvec
from fastvec import kernels
from fastvec.classify import SoftmaxClassifier
from fastvec.training import signals

pytestmark = [can_be_interrupted, pytest.mark.any_backend(trains=True)]

SIGNALS = [signal.SIGINT, *ENDING]
SENTENCES = [["a", "b", "c", "d"], ["c", "d", "a"]] * 40


def handlers():
    return {number: signal.getsignal(number) for number in SIGNALS}


@pytest.fixture(autouse=True)
def all_handlers_stay():
    before = handlers()
    yield
    assert handlers() == before


def send(number):
    os.kill(os.getpid(), number)


# ---- Training ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", SIGNALS)
def test_training_keeps_what_was_learned(number, monkeypatch):
    params = {"vector_size": 4, "min_count": 1, "subsample": 0, "threads": 1}
    model = fastvec.SkipGram(**params, epochs=10**9)
    monkeypatch.setattr("interrupts.control_c", lambda: send(number))
    interrupt_training_at(monkeypatch, kernels.get("skipgram"), 5)
    with pytest.warns(UserWarning, match="training was interrupted in epoch"):
        model.fit(SENTENCES)
    assert model.interrupted_ and np.isfinite(model.vectors_.vectors).all()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_network_keeps_what_was_learned(number, monkeypatch):
    X, y = np.random.default_rng(0).standard_normal((50, 3)), [0, 1] * 25
    model = SoftmaxClassifier(epochs=10**9)
    monkeypatch.setattr("interrupts.control_c", lambda: send(number))
    interrupt_training_after(monkeypatch, 0.01)
    with pytest.warns(UserWarning, match="training was interrupted in epoch"):
        model.fit(X, y)
    assert model.interrupted_ and np.isfinite(model.predict_proba(X)).all()


def test_handlers_of_the_program_stay():
    received = []
    before = {number: signal.signal(number, lambda number, _: received.append(number)) for number in SIGNALS}
    try:
        with signals.set_a_flag() as flag, signals.hold():
            for number in SIGNALS:
                send(number)
            assert received == SIGNALS and not flag.is_set()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_signals_that_are_ignored_stay_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals.set_a_flag() as flag:
            send(signal.SIGHUP)
            assert not flag.is_set()
            send(signal.SIGTERM)
            assert flag.wait(HANGS)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_leave_signals_alone():
    found = []

    def look():
        with signals.set_a_flag(), signals.hold(), signals.hold_after_training(), signals.raise_stopped():
            found.append(handlers())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [handlers()]


@pytest.mark.parametrize("number", SIGNALS)
def test_signals_wait_from_the_end_of_training_on(number):
    with signals.raise_stopped():
        with pytest.raises(signals.Stopped) as stopped, signals.hold_after_training() as held:
            send(number)
        assert (stopped.value.number, held.status) == (number, 0)
        with signals.hold_after_training() as held, signals.set_a_flag() as flag:
            send(number)
            assert flag.wait(HANGS)
        assert held.status == 128 + number
        with signals.hold_after_training() as held:
            with signals.set_a_flag() as flag:
                pass
            send(number)
            send(number)
        assert held.status == 128 + number and not flag.is_set()


# ---- Saving -----------------------------------------------------------------------------------------------


def savers():
    corpus = fastvec.Corpus(SENTENCES)
    counts = fastvec.Cooccurrence(min_count=1).fit(corpus)
    params = {"vector_size": 4, "min_count": 1, "epochs": 1, "subsample": 0}
    model = fastvec.FastText(**params, buckets=10).fit(corpus)
    network = SoftmaxClassifier(epochs=1).fit([[0.0], [1.0]], [0, 1])
    phrases = fastvec.Phrases(threshold=0).fit(corpus)
    return {
        "x.fvec": model.vectors_.save,
        "x.vec": model.vectors_.save,
        "x.glove": model.vectors_.save,
        "x.bin": model.vectors_.save,
        "whole.fvec": model.save,
        "whole.bin": model.save,
        "x.fvcounts": counts.save,
        "counts.bin": lambda path: counts.write_glove(path, path.with_name("words")),
        "x.phrases": phrases.save,
        "x.fvmodel": network.save,
    }


def test_saving_is_completed_before_control_c_is_answered(tmp_path, monkeypatch):
    """Send it twice while each kind of file is not complete yet."""
    for name, save in savers().items():
        path = tmp_path / name
        save(path)
        whole = path.read_bytes()
        path.unlink()
        with monkeypatch.context() as patch:
            fsync = os.fsync

            def interrupted(descriptor, fsync=fsync, path=path):
                assert not path.exists()
                send(signal.SIGINT)
                send(signal.SIGINT)
                fsync(descriptor)

            patch.setattr(os, "fsync", interrupted)
            with pytest.raises(KeyboardInterrupt):
                save(path)
        assert sorted(path.read_bytes()) == sorted(whole), name  # in safetensors, names have no order
        assert not list(tmp_path.glob("*.tmp")) and not list(tmp_path.glob(".fastvec*"))


SLOW = """
import os, sys
from fastvec import cli
real = os.fsync
def fsync(descriptor):
    print("saving", flush=True)
    sys.stdin.readline()
    real(descriptor)
os.fsync = fsync
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("signals") / "text"
    path.write_text("a b c d\nc d a\n" * 3000)
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "-o", "x.fvec", "--vector-size", 4, "--epochs", 10**7, "--save-model", "model.fvec"),
        ("train", "-o", "x.fvec", "--vector-size", 4, "--epochs", 2),
        ("train", "-o", "x.fvec", "--vector-size", 2, "--model", "svd"),
        ("train", "-o", "x.fvec", "--vector-size", 2, "--model", "glove"),
        ("cooccur", "-o", "x.fvcounts"),
    ],
    ids=["interrupted", "trained", "svd", "glove", "counts"],
)
def test_the_command_saves_whatever_comes_meanwhile(arguments, text, tmp_path):
    command = [sys.executable, "-c", SLOW, arguments[0], text, *map(str, arguments[1:])]
    piped = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, cwd=tmp_path, **piped) as process:
        if "--save-model" in arguments:
            wait_for(b"loss", process.stderr)
            process.send_signal(signal.SIGTERM)
            first = signal.SIGTERM
        else:
            first = signal.SIGINT
        assert process.stdout.readline() == b"saving\n"
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        out, rest = process.communicate(b"\n\n", timeout=HANGS)
    assert process.returncode == 128 + first, rest
    assert b"Traceback" not in rest
    assert f"saved in {arguments[2]}\n" in out.decode()
    made = {arguments[2], *(["model.fvec"] if "--save-model" in arguments else [])}
    assert {path.name for path in tmp_path.iterdir()} == made
    (fastvec.Cooccurrence.load if "cooccur" in arguments else fastvec.load)(tmp_path / arguments[2])


# ---- The process ------------------------------------------------------------------------------------------


def test_what_nohup_starts_outlives_its_terminal(text, tmp_path):
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    options = ("-o", tmp_path / "x.fvec", "--vector-size", 4, "--epochs", 10**7)
    with start("train", text, *options, forked=False, preexec_fn=ignore) as process:
        wait_for(b"epoch 1/", process.stderr)
        process.send_signal(signal.SIGHUP)
        wait_for(b"epoch 9/", process.stderr)
        _, rest = interrupt(process, signal.SIGTERM)
    assert process.returncode == 128 + signal.SIGTERM
    assert b"training was interrupted" in rest


# Programs that train for ever, and say at the end what came of it.
ENDLESS = {
    "TextClassifier": """
from fastvec.classify import TextClassifier
X, y = ["a fine film", "fine actors", "a bad film", "bad actors"] * 500, ["+", "+", "-", "-"] * 500
model = TextClassifier(epochs=1_000_000, word_ngrams=2, progress=True).fit(X, y)
good = model.score(X, y) == 1
""",
    "NetworkClassifier": """
import numpy as np
from fastvec.classify import NetworkClassifier
X = np.random.default_rng(0).standard_normal((2000, 10))
y = X[:, 0] > 0
model = NetworkClassifier(epochs=1_000_000, progress=True, learning_rate=0.05).fit(X, y)
good = model.score(X, y) > 0.9
""",
    "GloVe": """
import fastvec, random
draw = random.Random(0)
counts = fastvec.Cooccurrence(min_count=1).fit([[draw.randrange(30) for _ in range(9)] for _ in range(400)])
model = fastvec.GloVe(vector_size=10, epochs=1_000_000, progress=True).fit(counts)
good = len(model.vectors_) == 30
""",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_control_c_ends_the_training_of_a_program_and_nothing_else(name):
    program = f"{ENDLESS[name]}\nprint(model.interrupted_, len(model.history_), good)"
    command = [sys.executable, "-W", "default", "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(b"epoch 3/", process.stderr)
        output, errors = interrupt(process)
    assert process.returncode == 0
    interrupted, n_epochs, good = output.split()
    assert (interrupted, good) == ("True", "True")
    assert f"training was interrupted in epoch {n_epochs} of 1000000; what was learned is kept" in errors
    assert "Traceback" not in errors


# Stands for NumPy, the first module that takes time, and gets a signal instead.
NUMPY = """
import os, signal, time
os.kill(os.getpid(), {number})
time.sleep({seconds})
"""


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("script", [False, True])
def test_loading_ends_at_once_and_without_a_word(number, script, tmp_path):
    (tmp_path / "numpy.py").write_text(NUMPY.format(number=int(number), seconds=HANGS))
    (tmp_path / "fastvec").write_text("from fastvec.cli import main\nmain()\n")
    called = [tmp_path / "fastvec"] if script else ["-m", "fastvec"]
    home = Path(fastvec.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, *called, "info"],
        capture_output=True,
        timeout=HANGS,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{home}"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, b"", b"")


def test_a_program_that_imports_fastvec_keeps_its_handlers():
    program = """
import signal
before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
import fastvec
assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
"""
    subprocess.run([sys.executable, "-c", program, "fastvec"], check=True, timeout=HANGS)

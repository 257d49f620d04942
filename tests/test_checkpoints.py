"""What is interrupted, by anything, and resumed ends as what was not."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from commands import HANGS, fail, start, succeed, wait_for
from interrupts import can_be_interrupted
from small_runs import FAMILIES, corpus, cut_small, learned, make, stopped_at

import fastvec
from fastvec import cli, kernels

pytestmark = pytest.mark.any_backend(trains=True)

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def many_chunks(monkeypatch):
    cut_small(monkeypatch)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.fvec"


# Killed, stopped, interrupted


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes that are killed are forked")
@pytest.mark.parametrize("family", FAMILIES)
def test_killed_at_random_moments_it_ends_with_the_same_bits(family):
    done = subprocess.run(
        [sys.executable, "-W", "error", HERE / "killed_runs.py", family],
        capture_output=True,
        encoding="utf-8",
        timeout=HANGS,
    )
    assert done.returncode == 0, done.stderr
    killed_at = json.loads(done.stdout)
    assert len(killed_at) >= 5
    assert len({at[0] for at in killed_at if at}) >= 2, killed_at
    assert any(at[1] for at in killed_at if at), killed_at


@pytest.mark.parametrize("family", FAMILIES)
def test_stopped_within_an_epoch_it_ends_with_the_same_bits(family, path, monkeypatch):
    text = corpus()
    whole = make(family).fit(text)
    first = stopped_at(monkeypatch, make(family), 20, text, checkpoint=path)
    again = stopped_at(monkeypatch, make(family), 9, text, checkpoint=path, resume=True)
    assert 1 < len(first.history_) <= len(again.history_) < 4
    model = make(family).fit(text, checkpoint=path, resume=True)
    assert not model.interrupted_
    assert learned(model) == learned(whole)


def test_blocks_in_a_random_order_go_on_in_it(path, monkeypatch):
    text = corpus()
    whole = make("cbow", shuffle=True).fit(text)
    for n in (1, 150):
        stopped_at(monkeypatch, make("cbow", shuffle=True), n, text, checkpoint=path, resume=True)
    model = make("cbow", shuffle=True).fit(text, checkpoint=path, resume=True)
    assert learned(model) == learned(whole) != learned(make("cbow").fit(text))


@pytest.mark.parametrize("every", ["0.001s", 1, 3])
def test_checkpoints_do_not_disturb_the_training(every, path):
    text = corpus()
    model = make("skipgram").fit(text, checkpoint=path, checkpoint_every=every)
    assert learned(model) == learned(make("skipgram").fit(text))
    assert learned(fastvec.load_model(path)) == learned(model)


@pytest.mark.parametrize(("every", "kept"), [(1, 3), (2, 2), (3, 3), (4, 0), ("10m", 0), ("2h", 0)])
def test_the_state_is_kept_after_some_epochs_or_some_time(every, kept, path):
    def die(model):
        if len(model.history_) == 4:  # after the checkpoint of the third epoch, before its own
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make("skipgram", callbacks=[die]).fit(corpus(), checkpoint=path, checkpoint_every=every)
    assert len(fastvec.load_model(path).history_) == kept


def test_a_checkpoint_that_becomes_due_in_the_last_chunk_is_written_after_the_epoch(path):
    def wait(model):
        time.sleep(0.02)
        if len(model.history_) == 4:
            raise ZeroDivisionError

    text = fastvec.Corpus([["word1", "word2", "word3"]] * 50)  # one chunk
    with pytest.raises(ZeroDivisionError):
        make("skipgram", callbacks=[wait]).fit(text, checkpoint=path, checkpoint_every="0.01s")
    assert len(fastvec.load_model(path).history_) == 3


def test_a_training_that_is_stopped_in_the_last_chunk_of_an_epoch_goes_on_with_the_next(path, monkeypatch):
    stopped_at(monkeypatch, make("skipgram"), 12, corpus(), checkpoint=path)
    assert len(fastvec.load_model(path).history_) == 1
    called = []
    make("skipgram", callbacks=[called.append]).fit(corpus(), checkpoint=path, resume=True)
    assert len(called) == 3


def test_several_threads_go_on_where_they_were(path, monkeypatch):
    text = corpus()
    whole = make("skipgram").fit(text)
    stopped_at(monkeypatch, make("skipgram", threads=3), 17, text, checkpoint=path, checkpoint_every="0.001s")
    model = make("skipgram", threads=2).fit(text, checkpoint=path, checkpoint_every="0.001s", resume=True)
    # Which pairs are drawn does not depend on the threads: none was left out or came twice.
    assert [epoch.pairs for epoch in model.history_] == [epoch.pairs for epoch in whole.history_]
    np.testing.assert_allclose(
        [epoch.loss for epoch in model.history_], [epoch.loss for epoch in whole.history_], rtol=0.05
    )


@pytest.mark.parametrize("update_vocabulary", [False, True])
@pytest.mark.parametrize("family", ["skipgram", "skipgram-hs", "cbow-positions", "fasttext"])
def test_continued_training_is_resumed(family, update_vocabulary, tmp_path, path, monkeypatch):
    old, text = tmp_path / "old.fvec", fastvec.Corpus([*corpus(1), ["word1", "new", "word2"] * 40])
    make(family, epochs=1).fit(corpus()).save(old)
    arguments = {"update_vocabulary": update_vocabulary}

    def model():
        return fastvec.load_model(old).set_params(epochs=3)

    whole = model().fit(text, **arguments)
    stopped_at(monkeypatch, model(), 17, text, checkpoint=path, **arguments)
    resumed = model().fit(text, checkpoint=path, resume=True, **arguments)
    assert learned(resumed) == learned(whole)
    assert len(resumed.history_) == 4
    assert ("new" in resumed.vocabulary_) == update_vocabulary


def test_a_checkpoint_is_read_as_the_model_so_far(path, monkeypatch):
    stopped = stopped_at(monkeypatch, make("fasttext"), 17, corpus(), checkpoint=path)
    model = fastvec.load_model(path)
    np.testing.assert_array_equal(model.input_vectors_, stopped.input_vectors_)
    np.testing.assert_array_equal(fastvec.load(path).vectors, stopped.vectors_.vectors)
    assert model.history_ == stopped.history_[:1]  # the interrupted epoch is not over


def test_resuming_what_is_finished_changes_nothing(path, monkeypatch):
    model = make("skipgram").fit(corpus(), checkpoint=path)
    written = path.read_bytes()
    again = make("skipgram").fit(corpus(), checkpoint=path, resume=True)
    assert learned(again) == learned(model)
    assert path.read_bytes() == written
    # Without `resume`, a finished run is replaced.
    other = make("skipgram", seed=2).fit(corpus(), checkpoint=path)
    assert learned(fastvec.load_model(path)) == learned(other) != learned(model)


def test_resume_starts_a_run_where_there_is_none(path):
    model = make("glove").fit(corpus(), checkpoint=path, resume=True)
    assert learned(model) == learned(make("glove").fit(corpus()))


def test_a_checkpoint_that_cannot_be_written_does_not_end_the_training(path, monkeypatch):
    fsync, calls = os.fsync, []

    def full_disk(file):
        if stat.S_ISREG(os.fstat(file).st_mode):
            calls.append(file)
            if len(calls) == 2:
                raise OSError(28, "No space left on device")
        fsync(file)

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.warns(
        UserWarning, match="could not be written, the training continues: .* No space"
    ) as caught:
        model = make("skipgram").fit(corpus(), checkpoint=path, checkpoint_every=1)
    assert caught[0].filename == __file__
    assert learned(model) == learned(make("skipgram").fit(corpus()))
    assert learned(fastvec.load_model(path)) == learned(model)


def test_a_file_that_another_run_writes_is_left_to_it(path):
    others = []

    def begin_another(model):
        if not others:
            path.unlink()  # or the other run would be refused
            others.append(make("skipgram", seed=2).fit(corpus(), checkpoint=path))

    with pytest.warns(UserWarning, match="the training continues: .* another run has written this"):
        model = make("skipgram", callbacks=[begin_another]).fit(corpus(), checkpoint=path, checkpoint_every=1)
    assert learned(model) == learned(make("skipgram").fit(corpus()))
    assert learned(fastvec.load_model(path)) == learned(others[0])


def test_of_two_runs_that_begin_with_one_file_the_second_is_refused(path):
    def text():
        make("skipgram", seed=2).fit(corpus(), checkpoint=path)  # begins and ends while this is read
        yield from corpus()

    with pytest.raises(FileExistsError, match="another run has written this checkpoint; give each"):
        make("skipgram").fit(text(), checkpoint=path)
    assert learned(fastvec.load_model(path)) == learned(make("skipgram", seed=2).fit(corpus()))


def test_the_first_one_must_be_written(tmp_path):
    model = make("skipgram")
    with pytest.raises(FileNotFoundError):
        model.fit(corpus(), checkpoint=tmp_path / "missing" / "run.fvec")
    assert not hasattr(model, "vectors_")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy, on the reference
def test_what_diverges_does_not_replace_a_checkpoint(path):
    model = make("skipgram", learning_rate=1e30)
    with pytest.raises(FloatingPointError):
        model.fit(corpus(), checkpoint=path, checkpoint_every="0.001s")
    assert np.isfinite(fastvec.load(path).vectors).all()


def test_the_lowest_loss_of_the_epochs_before_is_remembered(path, monkeypatch):
    losses = iter([3.0, 5.0, 13.0])

    def one_epoch():
        loss = next(losses)
        monkeypatch.setattr(kernels.get("skipgram"), "train", lambda **_: (loss, 1, 1))
        model = make("skipgram", callbacks=[lambda model: model.stop()])
        return model.fit(corpus(), checkpoint=path, checkpoint_every=1, resume=True)

    assert [len(one_epoch().history_) for _ in range(2)] == [1, 2]
    with pytest.raises(FloatingPointError, match="the loss rose to 13, from 3 before"):
        one_epoch()


# What is refused


@pytest.fixture
def unfinished(path, monkeypatch):
    stopped_at(monkeypatch, make("skipgram"), 17, corpus(), checkpoint=path)
    return path


@pytest.mark.parametrize(
    ("family", "params", "message"),
    [
        ("skipgram", {"window": 3}, r"run.fvec: window must be 5 as in the checkpoint, got 3; delete the fi"),
        ("skipgram", {"epochs": 9}, "epochs must be 4 as in the checkpoint, got 9"),
        ("skipgram", {"learning_rate": 0.1}, "learning_rate must be None as in the checkpoint, got 0.1"),
        ("skipgram", {"seed": 2}, "seed must be 1 as in the checkpoint, got 2"),
        ("skipgram", {"vector_size": 13}, "vector_size must be 12 as in the checkpoint, got 13"),
        ("skipgram-hs", {}, "loss must be 'negative_sampling' as in .*, got 'hierarchical_softmax'"),
        ("cbow", {}, "estimator must be SkipGram as in the checkpoint, got CBOW"),
    ],
)  # fmt: skip
def test_another_model_is_refused(family, params, message, unfinished):
    with pytest.raises(ValueError, match=message):
        make(family, **params).fit(corpus(), checkpoint=unfinished, resume=True)


def other_order():
    *sentences, one, two = corpus()
    other = fastvec.Corpus([*sentences, two, one])
    assert other.vocabulary.words == corpus().vocabulary.words
    return other


def other_sentences():
    words = [word for sentence in corpus() for word in sentence]
    return fastvec.Corpus([words[i : i + 6] for i in range(0, len(words), 6)])


def other_words():
    return fastvec.Corpus([[word.upper() for word in sentence] for sentence in corpus()])


@pytest.mark.parametrize("other", [other_order, other_sentences, other_words])
def test_another_corpus_is_refused(other, unfinished):
    kept = unfinished.read_bytes()
    with pytest.raises(ValueError, match=r"run.fvec: corpus must be the same as in the run of the ch"):
        make("skipgram").fit(other(), checkpoint=unfinished, resume=True)
    assert unfinished.read_bytes() == kept


def test_other_counts_are_refused(path, monkeypatch):
    counts = fastvec.Cooccurrence(min_count=1).fit(corpus())
    stopped_at(monkeypatch, make("glove"), 17, counts, checkpoint=path)
    other = fastvec.Cooccurrence(min_count=1, weighting="flat").fit(corpus())
    with pytest.raises(ValueError, match="counts must be the same as in the run of the checkpoint"):
        make("glove").fit(other, checkpoint=path, resume=True)
    model = make("glove", threads=1, memory_limit=1000).fit(counts, checkpoint=path, resume=True)
    assert learned(model) == learned(make("glove").fit(counts))


def test_another_start_is_refused(unfinished, path):
    trained = make("skipgram").fit(corpus(1))
    with pytest.raises(ValueError, match="what was learned before fit must be the same as in the run"):
        trained.fit(corpus(), checkpoint=unfinished, resume=True)


def test_another_treatment_of_new_words_is_refused(path, monkeypatch):
    text = corpus()
    stopped_at(monkeypatch, make("skipgram").fit(text), 17, text, checkpoint=path)
    with pytest.raises(ValueError, match="update_vocabulary must be the same as in the run"):
        make("skipgram").fit(text).fit(text, update_vocabulary=True, checkpoint=path, resume=True)


def test_an_unfinished_run_and_other_files_are_not_replaced(unfinished, tmp_path):
    with pytest.raises(ValueError, match=r"must not replace an unfinished run, got .*run.fvec.*resume=True"):
        make("skipgram").fit(corpus(), checkpoint=unfinished)
    model = tmp_path / "model.fvec"
    make("skipgram", epochs=1).fit(corpus()).save(model)
    with pytest.raises(ValueError, match=r"must be a new file or a checkpoint, got .*model.fvec.*a model"):
        make("skipgram").fit(corpus(), checkpoint=model)
    text = tmp_path / "text.fvec"
    text.write_text("to be or not to be\n" * 100)
    with pytest.raises(ValueError, match=r"text.fvec: not a safetensors file"):
        make("skipgram").fit(corpus(), checkpoint=text, resume=True)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"checkpoint": "run.vec"}, ValueError, "checkpoint must end in .fvec, got 'run.vec'"),
        ({"resume": True}, ValueError, "resume must be False unless checkpoint is a file, got True"),
        ({"checkpoint_every": 2}, ValueError, "checkpoint_every needs checkpoint, .*got 2 alone"),
        ({"checkpoint": "run.fvec", "resume": 1}, TypeError, "resume must be True or False, got 1"),
        *[
            ({"checkpoint": "run.fvec", "checkpoint_every": every}, ValueError, f"checkpoint_every .*{every}")
            for every in (0, -3, "10", "0m", "m", "10 m", "10d", "1e3s", "-1s", "")
        ],
        *[
            ({"checkpoint": "run.fvec", "checkpoint_every": every}, TypeError, "checkpoint_every must be an")
            for every in (True, 1.5, None)
        ],
    ],
)  # fmt: skip
def test_wrong_arguments_are_told_before_the_work(arguments, error, message):
    def read():
        raise AssertionError("the corpus is being read")
        yield []

    for family in ("skipgram", "glove"):
        with pytest.raises(error, match=message):
            make(family).fit(read(), **arguments)


# The command line


@pytest.fixture(scope="module")
def text_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoints") / "text.txt"
    path.write_text("".join(" ".join(sentence) + "\n" for sentence in [*corpus()] * 20))
    return path


def arguments(text_file, output, *more):
    return "train", text_file, "-o", output, "--vector-size", 12, "--threads", 1, "--epochs", 30, *more


@pytest.fixture(scope="module")
def whole(text_file):
    path = text_file.with_name("whole.vec")
    succeed(*arguments(text_file, path))
    return path.read_bytes()


def begun_run(text_file, output, checkpoint):
    """Start a training with checkpoints and return the process once it is in its second epoch."""
    process = start(
        *arguments(text_file, output, "--checkpoint", checkpoint, "--checkpoint-every", "0.01s", "--resume")
    )
    wait_for(b"epoch 2/30", process.stderr)
    return process


@pytest.mark.parametrize(
    "end", ["kill", *(pytest.param(name, marks=can_be_interrupted) for name in ("SIGINT", "SIGTERM"))]
)
def test_the_same_command_resumes_what_was_interrupted(end, text_file, whole, tmp_path, path):
    output = tmp_path / "out.vec"
    process = begun_run(text_file, output, path)
    if end == "kill":
        process.kill()
    else:
        process.send_signal(getattr(signal, end))
    _, errors = process.communicate(timeout=HANGS)
    assert output.exists() == (end != "kill")
    if end != "kill":
        assert process.returncode == 128 + getattr(signal, end), errors
    assert "must not replace an unfinished run" in fail(*arguments(text_file, output, "--checkpoint", path))
    resume = arguments(text_file, output, "--checkpoint", path, "--resume")
    succeed(*resume)
    assert output.read_bytes() == whole
    output.unlink()
    succeed(*resume)  # nothing is left to do but to write the output
    assert output.read_bytes() == whole
    assert "window must be 5 as in the checkpoint, got 3" in fail(*resume, "--window", 3)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--resume"], "--resume needs --checkpoint"),
        (["--checkpoint-every", "5"], "--checkpoint-every needs --checkpoint"),
        (["--checkpoint", "r.fvec", "--checkpoint-every", "5x"], "checkpoint_every must be a .*, got '5x'"),
        (["--checkpoint", "r.fvec", "--checkpoint-every", "0"], "checkpoint_every must be an int >= 1"),
        (["--checkpoint", "r.bin"], "checkpoint must end in .fvec, got 'r.bin'"),
        (["--checkpoint", "out.fvec"], "--checkpoint must be another file than --output, got 'out.fvec'"),
        (["--checkpoint", "no/r.fvec"], "cannot write in this folder"),
        (["--checkpoint", "r.fvec", "--model", "svd"], "--checkpoint needs a model trained in epochs, got"),
    ],
)  # fmt: skip
def test_wrong_options_are_told_before_the_text_is_read(
    more, message, text_file, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["train", str(text_file), "-o", "out.fvec", *more]) == 2
    shown = capsys.readouterr().err
    assert re.fullmatch(f"fastvec: error: .*{message}.*\n", shown), shown
    assert list(tmp_path.iterdir()) == []

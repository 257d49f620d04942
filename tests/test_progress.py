"""Progress: a bar on a terminal, lines in a log, and streams that cannot be written."""

import io
import logging
import re
import sys
import warnings

import numpy as np
import pytest

from fastvec import PPMI_SVD, Cooccurrence, Corpus, Phrases, Probe, SkipGram
from fastvec.classify import TextClassifier
from fastvec.training import progress
from fastvec.training.progress import Progress, tell, warn

pytestmark = pytest.mark.any_backend(trains=True)

SENTENCES = [["a", "b", "c", "d"], ["c", "d", "a"]] * 40


class Terminal(io.StringIO):
    """A terminal that remembers what was shown."""

    def isatty(self):
        return True


class Broken:
    """A terminal whose writing fails after some calls."""

    encoding = "utf-8"

    def __init__(self, error, calls=0):
        self.error, self.calls, self.failures = error, calls, 0

    def isatty(self):
        return True

    def write(self, _):
        self.calls -= 1
        if self.calls < 0:
            self.failures += 1
            raise self.error

    def flush(self):
        self.write("")


def closed():
    stream = Terminal()
    stream.close()
    return stream


def all_kinds_of_work(stream, monkeypatch, callbacks=()):
    """Do all that shows progress, with this standard error, and return the model that was trained last."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        corpus = Phrases(progress=True).fit_transform(Corpus(SENTENCES, progress=True))
        counts = Cooccurrence(min_count=1, progress=True).fit(corpus)
        PPMI_SVD(vector_size=2, progress=True).fit(counts)
        params = {"vector_size": 4, "min_count": 1, "subsample": 0, "epochs": 2, "threads": 1}
        return SkipGram(**params, progress=True, callbacks=callbacks).fit(corpus)


@pytest.mark.parametrize(
    "stream",
    [
        None,
        closed(),
        object(),
        Broken(BrokenPipeError(32, "Broken pipe")),
        Broken(OSError(28, "No space left on device"), calls=3),
        Broken(RuntimeError("of a kind of its own")),
    ],
    ids=["None", "closed", "no stream", "pipe", "full", "other"],
)
def test_a_stream_that_cannot_be_written_ends_no_work(stream, monkeypatch):
    probe = Probe(words=["b"])
    model = all_kinds_of_work(stream, monkeypatch, [probe])
    assert len(model.history_) == len(probe.records) == 2
    assert np.isfinite(model.vectors_.vectors).all()


def test_a_bar_that_cannot_be_drawn_is_switched_off(monkeypatch):
    stream = Broken(BrokenPipeError(32, "Broken pipe"))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        with Progress("reading", 1000, " words", True) as bar:
            for _ in range(1000):
                bar.update()
                bar.describe("still reading")
    assert (bar.n, stream.failures) == (1000, 1)


def test_a_terminal_gets_bars(monkeypatch):
    terminal = Terminal()
    all_kinds_of_work(terminal, monkeypatch)
    shown = terminal.getvalue()
    for what in ("reading: 100%", "counting pairs, pass 1/1: 100%", "counting: 100%", "epoch 2/2: 100%"):
        assert what in shown
    assert "learning rate 0.0001, loss" in shown
    assert "\r" in shown


def test_lines_of_a_probe_stand_above_the_bar(monkeypatch):
    terminal = Terminal()
    all_kinds_of_work(terminal, monkeypatch, [Probe(words=["b"], topn=1)])
    above, bar = terminal.getvalue().rsplit("epoch 2, ", 1)
    assert re.match(r"\d+ words, \d\.\d s: loss .*, b: .*\n\repoch 2/2: ", bar)
    assert above.endswith("\r")  # where the bar was


def test_a_log_gets_lines(monkeypatch):
    log = io.StringIO()
    model = all_kinds_of_work(log, monkeypatch)
    lines = log.getvalue().splitlines()
    number = r"[\d,]+(?:\.\d)?"
    patterns = [
        rf"reading: 80 sentences in {number} s \({number} sentences/s\)",
        rf"counting pairs, pass 1/1: 280 words in {number} s \({number} words/s\)",
        rf"counting: 280 words in {number} s \({number} words/s\)",
    ]
    for pattern, line in zip(patterns, lines, strict=False):
        assert re.fullmatch(pattern, line)
    for epoch, line in zip(model.history_, lines[-2:], strict=True):
        found = re.fullmatch(
            rf"epoch (\d)/2: loss (\d\.\d+), learning rate (\S+), ({number}) words/s, ({number}) s", line
        )
        assert found, line
        assert [float(text.replace(",", "")) for text in found.groups()] == pytest.approx(
            [epoch.epoch, epoch.loss, epoch.learning_rate, epoch.words_per_second, epoch.seconds],
            rel=1e-3,
            abs=0.05,
        )


def test_long_work_says_every_minute_how_far_it_is(monkeypatch):
    log, seconds = io.StringIO(), [100.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: seconds[0])
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", log)
        with Progress("reading", 10e6, "B", True) as bar:
            bar.note("so far so good")
            for _ in range(9):
                seconds[0] += 20
                bar.update(1e6)
            seconds[0] += 5
            bar.update(1e6)
    assert log.getvalue().splitlines() == [
        "reading: 3.0 MB of 10.0 MB in 60 s, so far so good",
        "reading: 6.0 MB of 10.0 MB in 120 s, so far so good",
        "reading: 9.0 MB of 10.0 MB in 180 s, so far so good",
        "reading: 10.0 MB in 185.0 s (0.1 MB/s)",
    ]


def test_what_was_done_earlier_is_no_speed(monkeypatch):
    log, seconds = io.StringIO(), [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: seconds[0])
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", log)
        with Progress("counting", 300, " words", True, start=100) as bar:
            seconds[0] += 10
            bar.update(150)
    assert log.getvalue() == "counting: 250 words in 10.0 s (15 words/s)\n"


def test_work_that_fails_is_not_said_to_be_done(monkeypatch, capsys):
    with pytest.raises(ValueError), Progress("reading", 10, " words", True):
        raise ValueError
    assert capsys.readouterr().err == ""


def test_nothing_is_shown_unless_asked_for(capsys):
    items = [1, 2, 3]
    with Progress("reading", 3, " words", False) as bar:
        assert bar.over(items) is items
        bar.update(5)
        bar.line("done")
    assert bar.n == 3  # and not more than there is
    assert capsys.readouterr() == ("", "")


def test_a_line_that_cannot_be_written_is_lost(monkeypatch, capsys):
    with monkeypatch.context() as patch:
        for stream in (None, closed(), Broken(OSError(28, "No space left on device"))):
            patch.setattr(sys, "stderr", stream)
            tell("unheard")
    tell("heard")
    assert capsys.readouterr() == ("", "heard\n")


def unwritable(*_, **__):
    """Do what `warnings.showwarning` does where standard error is closed."""
    raise ValueError("I/O operation on closed file")


def test_a_warning_is_lost_rather_than_the_work(monkeypatch):
    with monkeypatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("always")
        patch.setattr(warnings, "showwarning", unwritable)
        warn("unheard")
    with pytest.warns(UserWarning, match="heard") as caught:
        warn("heard")
    assert caught[0].filename == __file__
    with pytest.raises(UserWarning, match="an error, as the filter says"):
        warn("an error, as the filter says")


def test_a_warning_before_the_work_does_not_end_it(monkeypatch):
    documents, labels = ["a b", "c d", ""], ["x", "y", "x"]
    with monkeypatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("always")
        patch.setattr(warnings, "showwarning", unwritable)
        model = TextClassifier(vector_size=2).fit(documents, labels)
    assert len(model.history_) == 5


def test_a_logger_gets_a_line_an_epoch(caplog, capsys):
    params = {"vector_size": 4, "min_count": 1, "subsample": 0, "epochs": 2, "threads": 1}
    SkipGram(**params).fit(SENTENCES)
    assert caplog.records == []
    with caplog.at_level(logging.INFO, logger="fastvec"):
        SkipGram(**params).fit(SENTENCES)
    assert [(record.name, record.levelname) for record in caplog.records] == [("fastvec", "INFO")] * 2
    assert re.match(r"epoch 2/2: loss \d\.\d+, learning rate 0\.0001, [\d,]+ words/s", caplog.messages[1])
    assert capsys.readouterr().err == ""

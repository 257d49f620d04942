"""Options are made from the signatures and docstrings of what they are parameters of."""

import argparse
import os
import re
import subprocess
import sys

import pytest

import fastvec
from fastvec import cli
from fastvec.classify import TextClassifier, WindowClassifier
from fastvec.cli import files
from fastvec.cli.options import add_parameters, given

pytestmark = pytest.mark.any_backend

ESTIMATORS = {
    "skipgram": (("train",), fastvec.SkipGram),
    "cbow": (("train",), fastvec.CBOW),
    "fasttext": (("train",), fastvec.FastText),
    "glove": (("train",), fastvec.GloVe),
    "svd": (("train",), fastvec.PPMI_SVD),
    "phrases": (("phrases",), fastvec.Phrases),
    "cooccur": (("cooccur",), fastvec.Cooccurrence),
    "documents": (("documents", "train"), fastvec.DocVectors),
    "classify": (("classify", "train"), TextClassifier),
    "tag": (("tag", "train"), WindowClassifier),
}
TRAINING = [*dict.fromkeys(verb for verb, _ in ESTIMATORS.values())]
VERBS = [
    *TRAINING,
    *(("classify", verb) for verb in ("autotune", "quantize")),
    *((name, verb) for name in ("classify", "tag") for verb in ("predict", "evaluate")),
    ("documents", "infer"),
    *(
        (name,)
        for name in (
            "autotune",
            "plan",
            "walks",
            "neighbors",
            "stability",
            "explain",
            "analogy",
            "evaluate",
            "diff",
            "convert",
            "combine",
            "retrofit",
            "info",
            "plot",
            "demo",
        )
    ),
    *((f"print-{what}",) for what in ("vectors", "sentence-vectors", "ngrams")),
]
# --quiet is the opposite of `progress`, and functions cannot be typed.
NO_OPTIONS = {"progress", "callbacks"}
OTHER_NAMES = {"model": "--fasttext-model", "symmetric": "--left-only"}


@pytest.fixture
def helped(capsys, monkeypatch):
    """Function that returns the options of a verb, each with its help."""
    monkeypatch.setenv("COLUMNS", "100000")

    def options_of(*verb):
        with pytest.raises(SystemExit):
            cli.main([*verb, "--help"])
        entries = re.findall(r"^  (-.*?)(?:  +|\n +)(\S.*)$", capsys.readouterr().out, re.MULTILINE)
        flags = re.compile(r"(?<!\S)--?[\w-]+")
        return {flag: f"{names}  {what}" for names, what in entries for flag in flags.findall(names)}

    return options_of


def shown_as(name, options):
    """Return the help of a parameter, which one verb may have under another name."""
    other = OTHER_NAMES.get(name)
    return options[other if other in options else f"--{name.replace('_', '-')}"]


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_parameter_is_an_option_with_its_default(name, helped):
    verb, estimator = ESTIMATORS[name]
    options = helped(*verb)
    for parameter, default in estimator().get_params().items():
        if parameter in NO_OPTIONS:
            continue
        shown = shown_as(parameter, options)
        if isinstance(default, bool) or default in (None, ()) or parameter == "memory_limit":
            continue
        usual, *others = re.search(r"\(default: (.*)\)$", shown)[1].split(", ")
        assert dict(other.split() for other in others).get(name, usual) == str(default)


def values_allowed(estimator, parameter):
    """Return the values that the error for another value names, if it is an error."""
    default = estimator().get_params().get(parameter)
    if not isinstance(default, (str, tuple)):
        return set()
    try:
        estimator(**{parameter: "?" if isinstance(default, str) else ("?",)}).check_params()
    except ValueError as error:
        return {*re.findall(r"'([\w-]+)'", str(error).partition(", got")[0])}
    return set()


@pytest.mark.parametrize("verb", TRAINING, ids=" ".join)
def test_an_option_has_the_choices_of_its_parameter(verb, helped):
    options = helped(*verb)
    estimators = [estimator for of_verb, estimator in ESTIMATORS.values() if of_verb == verb]
    for parameter in {name for estimator in estimators for name in estimator().get_params()} - NO_OPTIONS:
        allowed = set().union(*(values_allowed(estimator, parameter) for estimator in estimators))
        shown = re.search(r"\{(.*?)\}", shown_as(parameter, options))
        assert {*shown[1].split(",")} == allowed if shown else not allowed


def test_options_of_models_are_in_groups_and_have_all_defaults(helped, capsys):
    options = helped("train")
    assert options["--learning-rate"].endswith("(default: 0.025, cbow 0.15, fasttext 0.05, glove 0.05)")
    assert options["--min-learning-rate"].endswith("(default: 0.0001, fasttext 0.0)")
    assert options["--scale-gradient"].endswith("(default: yes, fasttext no)")
    assert options["--subsample"].endswith("(default: 0.001, fasttext 0.0001)")
    assert options["--epochs"].endswith("(default: 5 to 40 by the length of the text, glove 25)")
    with pytest.raises(SystemExit):
        cli.main(["train", "--help"])
    groups = re.split(r"^(\S.*):$", capsys.readouterr().out, flags=re.MULTILINE)
    of_group = dict(zip(groups[1::2], groups[2::2], strict=True))
    assert "--negative-sharing" in of_group["skipgram"]
    assert "--min-n" in of_group["fasttext"]
    assert "--left-only" in of_group["glove and svd"]
    assert "--scale-gradient" in of_group["cbow and fasttext"]
    assert "--epochs" in of_group["skipgram, cbow, fasttext and glove"]
    assert "--window" in of_group["skipgram, cbow, fasttext, glove and svd"]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_help_is_plain_text(verb, helped):
    """A terminal may have no other letters, and docstrings have markup."""
    for shown in helped(*verb).values():
        assert shown.isascii() and not re.search(r"[`\[]\d|`|\]_|%|\.$", shown), shown


def test_formats_are_those_of_the_table(helped):
    named = "{" + ",".join(fastvec.formats.FORMATS) + "}"
    for verb, option in (("train", "--format"), ("neighbors", "--format"), ("convert", "--to")):
        assert named in helped(verb)[option]
    assert ".fvec .bin .floret .vec .txt .w2v .glove" in helped("train")["-o"]


def model(size, *, rate=None, names=(), exact=False, path=None):
    """Make nothing.

    Parameters
    ----------
    size : int
        Number of `names` [1]_, 1 to 100 % of all. More is said here.
    rate : float, optional
        How fast it is, as in [2]_, with ``size="few"``. The default is fast. And this.
    names : sequence of {"a-b", "c"}
        The α and the ``code``.
    exact : bool
        Whether to be exact.
    path : str or path-like, optional
        A file.
    """


def test_what_is_derived(capsys):
    parser = argparse.ArgumentParser("x")
    add_parameters(parser, {"made": model}, ["size", "rate", "names", "exact", "path"], {"path": "-p"})
    assert given(parser.parse_args([]), model) == {}
    options = parser.parse_args(
        ["--size", "2", "--rate", "3", "--names", "c", "a-b", "--no-exact", "-p", "here"]
    )
    assert given(options, model) == {
        "size": 2, "rate": 3.0, "names": ("c", "a-b"), "exact": False, "path": "here"
    }  # fmt: skip
    shown = " ".join(parser.format_help().split())
    assert "--size N number of --names, 1 to 100 % of all" in shown
    assert "--rate X how fast it is, with --size few; the default is fast --names" in shown
    assert "the alpha and the code (default: none)" in shown
    assert "--exact, --no-exact be exact (default: no)" in shown
    assert "-p FILE, --path FILE a file" in shown
    with pytest.raises(SystemExit):
        parser.parse_args(["--names", "b"])
    assert "invalid choice: 'b'" in capsys.readouterr().err


@pytest.mark.parametrize(("size", "expected"), [("1000", 1000), ("500M", 500 * 2**20), ("4g", 2**32)])
def test_sizes(size, expected):
    parser = argparse.ArgumentParser()
    files.add_texts(parser)
    options = parser.parse_args(["text", "--memory-limit", size])
    assert given(options, fastvec.Corpus) == {"memory_limit": expected}


def test_options_work_without_docstrings(tmp_path):
    text, out = tmp_path / "text", tmp_path / "out.fvec"
    text.write_text("a b c\n" * 20)
    options = ("--window", "2", "--loss", "softmax", "--shuffle", "--subsample", "0", "--vector-size", "2")
    command = [sys.executable, "-OO", "-m", "fastvec", "train", text, "-o", out, *options]
    subprocess.run(command, check=True, env=os.environ, capture_output=True)
    assert fastvec.load(out).metadata["window"] == 2


def test_sizes_of_hidden_layers_are_numbers_without_docstrings(monkeypatch):
    monkeypatch.setattr("inspect.getdoc", lambda _: None)  # python -OO would compile all of scikit-learn anew
    parser = argparse.ArgumentParser()
    add_parameters(parser, {"tag": WindowClassifier})
    assert given(parser.parse_args(["--hidden", "20", "10"]), WindowClassifier) == {"hidden": (20, 10)}


def test_the_size_of_vectors_has_a_short_name():
    for words in (["train", "text", "-o", "short.fvec", "-d", "30"], ["plan", "text", "-d", "30"]):
        options = cli._parser(words).parse_args(words)
        assert given(options, fastvec.SkipGram) == {"vector_size": 30}


def test_a_window_may_be_none(capsys):
    parser = argparse.ArgumentParser()
    add_parameters(parser, {"skipgram": fastvec.SkipGram}, ["window"])
    for text, window in (("none", None), ("3", 3)):
        assert given(parser.parse_args(["--window", text]), fastvec.SkipGram) == {"window": window}
    with pytest.raises(SystemExit):
        parser.parse_args(["--window", "all"])
    assert "argument --window: expected a number of words or none, got 'all'" in capsys.readouterr().err

"""Help, suggestions for what is misspelt, and names of other programs; none of it in processes of its own."""

import re
import shlex
import sys

import pytest
from inside import EXAMPLES

from fastvec import cli

pytestmark = pytest.mark.any_backend


def test_nothing_asked_for_is_answered_by_help(shown):
    status, out, errors = shown()
    assert (status, errors) == (0, "")
    assert out == shown("--help")[1] == shown("help")[1]
    for verb, (_, what) in cli.VERBS.items():
        assert verb in out and what.split()[0] in out
    assert "fastvec help train" in out


@pytest.mark.parametrize("verbs", ["train", "neighbors", "classify", "classify train", "help"])
def test_help_of_a_verb(verbs, shown):
    status, out, errors = shown("help", *verbs.split())
    assert (status, errors) == (0, "")
    assert out == shown(*verbs.split(), "--help")[1]
    assert out.startswith(f"usage: fastvec {verbs} ")
    assert re.fullmatch(r"[A-Z].*[.]", out.split("\n\n")[1], re.DOTALL)  # what it does, in a sentence
    assert "\nexamples:\n  fastvec " in out


def test_verbs_of_verbs_are_shown_if_none_is_given(shown):
    for verb in ("classify", "tag", "documents"):
        assert shown(verb) == (0, shown(verb, "--help")[1], "")


@pytest.mark.parametrize("example", [line for lines in EXAMPLES.values() for line in lines])
def test_examples_are_understood(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = shlex.split(re.split(" [<>] ", example)[0])[1:]
    if words[0] == "help" or "--help" in words:
        return
    for flag in ("--config", "--like"):  # their files are read together with the options
        if flag in words:
            with pytest.raises(FileNotFoundError):
                cli._parser(words).parse_args(words)
            return
    assert callable(cli._parser(words).parse_args(words).run)


def verbs_of(parser):
    """Yield the verbs of a parser and those of its verbs."""
    if parser._subparsers is not None:
        for verb in parser._subparsers._group_actions[0].choices.values():
            yield verb.prog.removeprefix("fastvec ")
            yield from verbs_of(verb)


def test_every_verb_has_examples():
    assert {*EXAMPLES} == {"", *verbs_of(cli._parser())}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("trian x", "argument VERB: invalid choice: 'trian'; did you mean train? (choose from 'train', 'p"),
        ("classify pred", "invalid choice: 'pred'; did you mean predict?"),
        ("help neighbours", "invalid choice: 'neighbours'; did you mean neighbors?"),
        ("xyzzy", "invalid choice: 'xyzzy' (choose from"),
        ("train x -o y --vectr-size 5", "unrecognized arguments: --vectr-size; did you mean --vector-size?"),
        ("train x -o y --loss sofmax", "argument --loss: invalid choice: 'sofmax'; did you mean softmax?"),
        ("train x -o y --xyzzy=1", "unrecognized arguments: --xyzzy (see fastvec train --help)"),
        ("train x -o y -z", "unrecognized arguments: -z (see fastvec train --help)"),
        # an option that is missing because it is misspelt
        ("train x --ouput y", "unrecognized arguments: --ouput; did you mean --output?"),
        # abbreviations, which argparse would take
        ("train x -o y --epoch=5", "unrecognized arguments: --epoch; it is --epochs here"),
        ("train x -o y --win 5", "unrecognized arguments: --win; did you mean --window?"),
        ("neighbors x queen --form fvec", "unrecognized arguments: --form; did you mean --format?"),
        ("classify train x -o y --ep 5", "unrecognized arguments: --ep; did you mean --epochs? (see fastvec"),
        # other programs
        ("skipgram -input x", "it is fastvec train --model fasttext here"),
        ("supervised -input x", "invalid choice: 'supervised'; it is fastvec classify train here"),
        ("quantize x", "invalid choice: 'quantize'; it is fastvec classify quantize here"),
        ("classify quantize x -o y -qnorm", "unrecognized arguments: -qnorm; it is --separate-norms here"),
        ("classify autotune x -autotune-duration 9", "-autotune-duration; it is --seconds here"),
        ("classify train x -o y -autotune-duration 9", "it is fastvec classify autotune --seconds here"),
        ("classify train x -o y -pretrainedVectors z", "-pretrainedVectors; it is --vectors here"),
        ("train x -o y -pretrainedVectors z", "-pretrainedVectors; it is --start-from here"),
        ("classify train x -o y -minCountLabel 9", "-minCountLabel; it is --min-label-count here"),
        ("train -input x -output y", "unrecognized arguments: -input; it is TEXT here"),
        ("classify train -input x", "unrecognized arguments: -input; it is FILE here"),
        ("train x -o y -vector-size 5", "unrecognized arguments: -vector-size; did you mean --vector-size?"),
        ("train x -output y", "unrecognized arguments: -output; it is --output here"),
        ("train x -o y --loss hs", "invalid choice: 'hs'; it is hierarchical_softmax here (choose from"),
        ("train x -o y --loss ova", "'ova'; it is one_vs_all of fastvec classify train here (choose from"),
        ("classify train x -o y --loss ova", "invalid choice: 'ova'; it is one_vs_all here (choose from"),
        ("train x -o y -minCount 5", "unrecognized arguments: -minCount; it is --min-count here"),
        ("train x -o y --size 5", "unrecognized arguments: --size; it is --vector-size here"),
        ("neighbors x queen -dim 5", "unrecognized arguments: -dim 5 (see fastvec neighbors --help)"),
    ],
)  # fmt: skip
def test_errors_suggest_what_was_meant(command, message, shown):
    status, out, errors = shown(*command.split())
    assert (status, out) == (2, "")
    assert errors.startswith("fastvec: error: ") and errors.count("\n") == 1
    assert message in errors


def test_words_that_look_like_options_come_behind_two_dashes(tmp_path, shown):
    path = tmp_path / "x.vec"
    path.write_text("3 2\n--window 1 0\n-size 0 1\nplain 1 1\n")
    assert shown("neighbors", path, "-n", 1, "--", "--window")[1] == " 0.707  plain\n"
    assert shown("neighbors", path, "-n", 1, "--", "-size")[1] == " 0.707  plain\n"


@pytest.mark.parametrize(
    ("command", "package"), [(("completion", "bash"), "shtab"), (("man",), "argparse_manpage.manpage")]
)
def test_a_missing_package_is_named(command, package, monkeypatch, shown):
    monkeypatch.setitem(sys.modules, package, None)
    status, out, errors = shown(*command)
    assert (status, out) == (2, "")
    assert "pip install 'fastvec[completion]'" in errors


def parsers_of(parser):
    """Yield the parsers of all verbs that have none of their own."""
    if parser._subparsers is None:
        yield parser
    else:
        for verb in parser._subparsers._group_actions[0].choices.values():
            yield from parsers_of(verb)


def test_every_verb_with_results_has_json():
    without = {verb.prog for verb in parsers_of(cli._parser()) if "--json" not in verb._option_string_actions}
    assert without == {"fastvec help", "fastvec completion", "fastvec man"}

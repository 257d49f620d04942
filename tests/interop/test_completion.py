"""The scripts that complete the command in shells, and its manual page."""

import os
import re
import shutil
import subprocess

import pytest
from inside import EXAMPLES

from fastvec import cli

pytestmark = pytest.mark.any_backend
pytest.importorskip("shtab", reason="in the extra test-interop")
pytest.importorskip("argparse_manpage", reason="in the extra test-interop")


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """The script of every shell."""
    folder = tmp_path_factory.mktemp("completion")
    written = {}
    for shell in ("bash", "zsh", "fish"):
        path = folder / shell / "_fastvec"
        path.parent.mkdir()
        with pytest.MonkeyPatch.context() as patch, path.open("w", encoding="utf-8") as file:
            patch.setattr("sys.stdout", file)
            assert cli.main(["completion", shell]) == 0
        written[shell] = path
    return written


BASH = """
source "$1"
shift
COMP_WORDS=(${1//=/ = })
[[ $1 == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
COMP_LINE=$1
COMP_POINT=${#COMP_LINE}
eval "$(complete -p fastvec | grep -o '[^ ]*_fastvec')"
printf '%s\\n' "${COMPREPLY[@]}"
"""

# zsh completes only while it edits a line: one that has a terminal prints what it would offer.
ZSH = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
offering='compadd() {
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
    typeset -a offered; builtin compadd -A offered "$@"
    for one in $offered; do print -r -- "OFFERED:$one"; done
}'
typeset -a setup
setup=(
    "fpath=(${(q)1:h} \$fpath); autoload -Uz compinit; compinit -u -D"
    "bindkey '^I' complete-word; unsetopt list_beep; zstyle ':completion:*' insert-tab false"
    "edge() { print -rn -- EDGE }; compprefuncs=(edge); comppostfuncs=(edge exit)"
    $offering
    "print R""EADY"
)
for line in $setup; do zpty -w shell "$line"; done
zpty -r shell out '*READY*READY*'
zpty -n -w shell "$2"$'\t'
zpty -r shell out '*EDGE*EDGE*'
print -r -- "$out"
"""

FISH = "source $argv[1]; complete -C $argv[2]"

COMMANDS = {
    "bash": ["bash", "--norc", "-c", BASH, "bash"],
    "zsh": ["zsh", "-f", "-c", ZSH, "zsh"],
    "fish": ["fish", "-c", FISH],
}
SHELLS = [
    pytest.param(
        shell, marks=pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")
    )
    for shell in COMMANDS
]


def offered(shell, printed):
    """Return what a shell offers, according to what its command has printed."""
    if shell == "zsh":
        return {*re.findall(r"OFFERED:([^\s\x1b]+)", printed)}
    found = (line.partition("\t")[0].rstrip("/") for line in printed.splitlines() if line)
    return {re.sub(r"^--[\w-]+=", "", one) for one in found}  # fish repeats the option


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("fastvec tr", {"train"}),
        ("fastvec help clas", {"classify"}),
        ("fastvec classify pre", {"predict"}),
        ("fastvec train --vector", {"--vector-size"}),
        ("fastvec classify train --word-n", {"--word-ngrams"}),
        ("fastvec train wiki.txt -o x --model gl", {"glove"}),
        ("fastvec train wiki.txt --loss=so", {"softmax"}),
        ("fastvec train --window=5 --model=", {"skipgram", "cbow", "fasttext", "glove", "svd"}),
        ("fastvec train wiki.txt --config=ru", {"run.toml"}),
        ("fastvec train wiki.txt --output=wi", {"wiki.fvec", "wiki.txt"}),
        ("fastvec documents inf", {"infer"}),
        ("fastvec completion ", {"bash", "zsh", "fish"}),
        ("fastvec neighbors wi", {"wiki.fvec", "wiki.txt"}),
        ("fastvec train wiki.txt wiki.t", {"wiki.txt"}),
        ("fastvec train --config ru", {"run.toml"}),
        ("fastvec train fol", {"folder"}),
    ],
)
def test_a_shell_completes(shell, typed, expected, scripts, tmp_path):
    for name in ("wiki.fvec", "wiki.txt", "run.toml"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    command = [*COMMANDS[shell], scripts[shell], typed]
    home = {**os.environ, "HOME": str(tmp_path), "TERM": "dumb"}
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=tmp_path, env=home, timeout=60
    )
    assert offered(shell, done.stdout) == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_have_every_verb(scripts, shell):
    script = scripts[shell].read_text(encoding="utf-8")
    for verb in cli.VERBS:
        assert verb in script
    assert "vector-size" in script and "word-ngrams" in script


def test_the_manual_page_has_all_verbs_options_and_examples(shown):
    status, page, errors = shown("man")
    assert (status, errors) == (0, "")
    assert r".SH NAME" "\n" r"fastvec \- train word vectors" in page
    text = page.replace("\\-", "-").replace("\\fR", "").replace("\\fB", "")
    for verb in cli.VERBS:
        assert f"fastvec {verb}" in text
    for option in ("--vector-size", "--word-ngrams", "--fasttext-model", "--config"):
        assert option in text
    for line in (line for lines in EXAMPLES.values() for line in lines):
        assert line in text
    assert "usage: fastvec train [options] TEXT ... -o FILE" in text


@pytest.mark.parametrize("command", ["groff -man -Tutf8 -ww", "mandoc -Tlint -Wwarning"])
def test_the_manual_page_is_without_faults(command, shown, tmp_path):
    if shutil.which(command.split()[0]) is None:
        pytest.skip(f"{command.split()[0]} is not installed")
    (tmp_path / "fastvec.1").write_text(shown("man")[1], encoding="utf-8")
    done = subprocess.run([*command.split(), "fastvec.1"], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "WARNING" not in done.stdout

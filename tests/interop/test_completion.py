"""The scripts that complete the command in shells, and its manual page."""

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
        with pytest.MonkeyPatch.context() as patch, (folder / shell).open("w", encoding="utf-8") as file:
            patch.setattr("sys.stdout", file)
            assert cli.main(["completion", shell]) == 0
        written[shell] = folder / shell
    return written


COMPLETE = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMP_LINE="$*"
COMP_POINT=${#COMP_LINE}
eval "$(complete -p fastvec | grep -o '[^ ]*_fastvec')"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["tr"], {"train"}),
        (["n"], {"neighbors"}),
        (["train", "--vector"], {"--vector-size"}),
        (["train", "text", "-o", "x", "--model", "gl"], {"glove"}),
        (["classify", "pre"], {"predict"}),
        (["classify", "train", "--word-n"], {"--word-ngrams"}),
        (["completion", ""], {"bash", "zsh", "fish"}),
    ],
)
def test_bash_completes_verbs_options_and_choices(scripts, typed, expected):
    subprocess.run(["bash", "-n", scripts["bash"]], check=True)
    command = ["bash", "--norc", "-c", COMPLETE, "bash", scripts["bash"], "fastvec", *typed]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert {*done.stdout.split()} == expected


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_every_verb_and_accept_their_script(scripts, shell):
    script = scripts[shell].read_text(encoding="utf-8")
    for verb in cli.VERBS:
        assert verb in script
    assert "vector-size" in script and "word-ngrams" in script
    if shutil.which(shell) is not None:
        subprocess.run([shell, "-n", scripts[shell]], check=True)


def test_the_manual_page_has_all_verbs_options_and_examples(shown, tmp_path):
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
    if shutil.which("groff") is not None:
        (tmp_path / "fastvec.1").write_text(page, encoding="utf-8")
        command = ["groff", "-man", "-Tutf8", "-ww", tmp_path / "fastvec.1"]
        assert subprocess.run(command, check=True, capture_output=True, text=True).stderr == ""

"""The tutorial says what the code does today: its examples are run from top to bottom."""

import doctest
import re
from pathlib import Path

TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorial.md"
EXAMPLES = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(text):
    """Return how many examples failed, and how many there are."""
    examples = "\n".join(EXAMPLES.findall(text))
    runner = doctest.DocTestRunner()
    runner.run(doctest.DocTestParser().get_doctest(examples, {}, "tutorial", str(TUTORIAL), 0))
    return runner.summarize(verbose=False)


def test_every_example_of_the_tutorial(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed, tried = run(TUTORIAL.read_text(encoding="utf-8"))
    assert failed == 0
    assert tried > 50


def test_a_wrong_example_is_found():
    assert run("```pycon\n>>> 1 + 1\n3\n\n```\n") == (1, 1)

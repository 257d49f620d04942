"""The table of planted errors is up to date: every text to replace stands in its file."""

import pytest
from mutants import MUTANTS, ROOT

pytestmark = pytest.mark.any_backend


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_the_error_can_be_planted(mutant):
    for edit in mutant.edits:
        text = (ROOT / edit.file).read_text(encoding="utf-8")
        assert edit.planted(text) != text
    for tests in mutant.tests.split():
        name, _, test = tests.partition("::")
        assert f"def {test}" in (ROOT / "tests" / name).read_text(encoding="utf-8")


def test_errors_have_names_of_their_own():
    assert len({mutant.what for mutant in MUTANTS}) == len(MUTANTS)

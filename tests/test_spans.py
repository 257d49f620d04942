"""Spans of tagged words are those of CoNLL's evaluation, and their scores seqeval's."""

import pytest
from inside import inner

from fastvec.classify import span_scores

pytestmark = pytest.mark.any_backend


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("", []),
        ("O O", []),
        ("B-A I-A O B-B", [("A", 0, 2), ("B", 3, 4)]),
        ("B-A B-A", [("A", 0, 1), ("A", 1, 2)]),
        ("I-A I-A O I-B", [("A", 0, 2), ("B", 3, 4)]),  # IOB1
        ("I-A B-A I-A", [("A", 0, 1), ("A", 1, 3)]),
        ("B-A I-B I-B", [("A", 0, 1), ("B", 1, 3)]),
        ("B-A I-A E-A S-A S-B", [("A", 0, 3), ("A", 3, 4), ("B", 4, 5)]),
        ("B-A I-A L-A U-A O", [("A", 0, 3), ("A", 3, 4)]),
        ("E-A E-A I-A", [("A", 0, 1), ("A", 1, 2), ("A", 2, 3)]),
        ("O I-A E-A I-A B-A", [("A", 1, 3), ("A", 3, 4), ("A", 4, 5)]),
        ("B-X-Y I-X-Y I-X", [("X-Y", 0, 2), ("X", 2, 3)]),
    ],
)
def test_spans_of_tags(tags, spans):
    assert inner("spans_of")(tags.split()) == spans


# As seqeval 1.2.2 prints them, by `classification_report(tags, found, digits=4)`.
TAGS = [["B-PER", "I-PER", "O", "B-LOC", "O"], ["B-ORG", "I-ORG", "I-ORG", "O", "B-LOC"], ["O", "B-PER"]]
FOUND = [["B-PER", "I-PER", "O", "B-ORG", "O"], ["B-ORG", "I-ORG", "O", "O", "B-LOC"], ["B-PER", "B-PER"]]
SCORES = {"LOC": (1.0, 0.5, 2 / 3), "ORG": (0.0, 0.0, 0.0), "PER": (2 / 3, 1.0, 0.8)}


def test_scores_are_those_of_seqeval():
    scores = span_scores(TAGS, FOUND)
    found = {name: (one.precision, one.recall, one.f1) for name, one in scores.by_label.items()}
    assert found == {name: pytest.approx(numbers) for name, numbers in SCORES.items()}
    assert (scores.precision, scores.recall, scores.f1) == pytest.approx((0.5, 0.6, 6 / 11))
    assert [one.n for one in scores.by_label.values()] == [2, 2, 1]


def test_tags_that_are_of_words_have_no_spans():
    assert span_scores([["NN", "VB"]], [["NN", "NN"]]) is None
    assert span_scores([["LOC", "O"]], [["LOC", "O"]]) is None
    assert span_scores([["O", "O"]], [["O", "O"]]) is None
    with pytest.raises(ValueError, match="found must have a tag for each word of each sentence of tags"):
        span_scores([["O"]], [["O", "O"]])

"""Spans of tagged words (CoNLL): names and phrases as wholes, and how well they are found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fastvec.classify.texts.scores import TopScores, top_scores

__all__ = ["span_scores", "spans_of"]

# What a tag says of a word in a span: that it begins it, is inside, ends it, or is all of it. The last two
# have two names each, by which the schemes IOBES and BILOU are known.
BEGIN, INSIDE, END, SINGLE = "B", "I", "E", "S"
PLACES = {"B": BEGIN, "I": INSIDE, "E": END, "L": END, "S": SINGLE, "U": SINGLE}


def spans_of(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return the spans of a sentence: what each is, its first word, and the one behind its last.

    Parameters
    ----------
    tags : sequence of str
        Those of the words: ``O`` outside of all spans, else ``B-``, ``I-``, ``E-`` or ``L-``, ``S-`` or
        ``U-`` and what the span is. As in CoNLL's evaluation, a span also begins where the tag before is of
        another kind, so that tags which only say what a word is (IOB1) and those of damaged spans are read
        alike.

    Examples
    --------
    >>> from fastvec.classify.spans import spans_of
    >>> spans_of(["B-PER", "I-PER", "O", "B-LOC", "B-LOC", "I-ORG"])
    [('PER', 0, 2), ('LOC', 3, 4), ('LOC', 4, 5), ('ORG', 5, 6)]
    """
    return list(_spans_of(tags))


def _spans_of(tags: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    kind, begin, ended = "", 0, True
    for i, tag in enumerate([*tags, "O"]):
        place, _, next_kind = ("", "", "") if tag == "O" else tag.partition("-")
        place = PLACES.get(place, "")
        begins = place in (BEGIN, SINGLE) or ended or next_kind != kind
        if begins or not place:
            if not ended:
                yield kind, begin, i
            kind, begin, ended = next_kind, i, not place
        if place in (END, SINGLE):
            yield kind, begin, i + 1
            ended = True


def span_scores(tags: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> TopScores | None:
    """Return precision, recall and F1 of the spans that were found: those of CoNLL's evaluation and seqeval.

    A span is right if it has the same words as one of the given tags, and is of the same kind.

    Parameters
    ----------
    tags, found : sequence of sequences of str
        The tags of all sentences, as they should be and as they were predicted.

    Returns
    -------
    TopScores or None
        With `precision`, `recall` and `f1`, and the same `by_label`; None if the tags are not of spans.

    Raises
    ------
    ValueError
        If there are not as many sentences or words in both.

    Examples
    --------
    >>> from fastvec.classify import span_scores
    >>> scores = span_scores([["B-PER", "I-PER", "O", "B-LOC"]], [["B-PER", "O", "O", "B-LOC"]])
    >>> scores.precision, scores.recall, scores.f1
    (0.5, 0.5, 0.5)
    """
    if [*map(len, tags)] != [*map(len, found)]:
        raise ValueError("found must have a tag for each word of each sentence of tags")
    every = {tag for sentence in tags for tag in sentence}
    if every <= {"O"} or not all(
        tag == "O" or (tag.partition("-")[0] in PLACES and "-" in tag) for tag in every
    ):
        return None
    given = [spans_of(sentence) for sentence in tags]
    predicted = [spans_of(sentence) for sentence in found]
    return top_scores(given, predicted, lambda span: span[0])

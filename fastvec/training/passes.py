"""How many passes over a text a training has by default: the more, the shorter the text is."""

__all__ = ["FEWEST", "MOST", "passes_over"]

# Words that skip-gram is trained on in all passes together, and bounds of these. Long texts have as many as in
# word2vec.c. With more than the most, vectors of short texts become no better, or worse: bench/text_sizes.md.
WORDS_TRAINED_ON, FEWEST, MOST = 100_000_000, 5, 40


def passes_over(n_words: int, cbow: bool = False) -> int:
    """Return the number of passes over a text of so many words; CBOW, whose steps are longer, has half."""
    passes = min(round(WORDS_TRAINED_ON / n_words), MOST)
    return max(passes // 2 if cbow else passes, FEWEST)

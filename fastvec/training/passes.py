"""How many passes over a text a training has by default: the more, the shorter the text is."""

import math

__all__ = ["FEWEST", "MOST", "MOST_OF_LONG_STEPS", "passes_over"]

# Passes over short texts: with more, vectors become no better, or worse, see bench/text_sizes.md. Models that
# have a higher learning rate than skip-gram by default become worse from half as many on.
MOST, MOST_OF_LONG_STEPS = 40, 20
# Passes over long texts, as in word2vec.c, gensim and fastText.
FEWEST = 5
# Up to so many words, a text is short. One that is four times as long has half of the passes.
SHORT_TEXT = 312_500


def passes_over(n_words: int, most: int) -> int:
    """Return the number of passes over a text of so many words, at most `most`."""
    passes = round(MOST * min(1, math.sqrt(SHORT_TEXT / n_words)))
    return min(max(passes, FEWEST), most)

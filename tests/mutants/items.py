"""Errors in what models recommend, and in vectors of new items."""

from mutants._edits import mutant

RECOMMENDATION, WORDS, INFERENCE = "models/recommendation.py", "models/words.py", "vectors/inference.py"

ITEMS = [
    mutant(
        "recommended items are those of the scores, whatever the noise was",
        "recommend",
        (
            RECOMMENDATION,
            "prior += np.log(noise if state.output_of is None else noise[state.output_of])",
            "pass",
        ),
    ),
    mutant(
        "an item is recommended as often with a rare tag as with a frequent one",
        "recommend::test_items_that_differ_in_their_tags_share_a_probability",
        (RECOMMENDATION, "prior += np.log(counts / state.of_outputs(counts)[state.output_of])", "pass"),
    ),
    mutant(
        "recommended items are as frequent as after subsampling",
        "recommend",
        (RECOMMENDATION, "-np.log(state.keep_probabilities(subsample))", "np.zeros(len(state.vocabulary))"),
    ),
    mutant(
        "all items within the window recommend alike",
        "recommend",
        (RECOMMENDATION, "np.ones(n) if window is None else", "np.ones(n) if n else"),
    ),
    mutant(
        "the first items recommend more than the last",
        "recommend",
        (RECOMMENDATION, "np.arange(n - 1, -1, -1)", "np.arange(n)"),
    ),
    mutant(
        "the places after an item weigh those before the next",
        "recommend",
        (
            RECOMMENDATION,
            "position_weights[window - len(sums) : window]",
            "position_weights[window : window + len(sums)]",
        ),
    ),
    mutant(
        "items beyond the window recommend",
        "recommend",
        (WORDS, "[*islice(known, window)][::-1]", "[*known][::-1][: window or None]"),
    ),
    mutant(
        "recommendations follow from parameters that were set later",
        "recommend",
        (WORDS, 'state.given["noise_exponent"] if', "self.noise_exponent if"),
    ),
    mutant(
        "a model is asked for cosines",
        "recommend",
        (
            "evaluate/items.py",
            "by_model(model, rows, vocabulary.words)",
            "by_vectors(vectors, rows, outputs)",
        ),
    ),
    mutant(
        "a new word is around itself",
        "infer",
        (INFERENCE, "totals[last] - totals[first] - of_words", "totals[last] - totals[first]"),
    ),
    mutant(
        "windows reach into other sentences",
        "infer",
        (INFERENCE, "np.maximum(first, positions - window)", "np.maximum(0, positions - window)"),
    ),
    mutant(
        "rare words tell as much of the map as frequent ones",
        "infer",
        (INFERENCE, "weights = np.log1p(counts)", "weights = np.ones(len(counts))"),
    ),
]

"""Errors in how far words have moved, and in words with tags."""

from mutants._edits import mutant

COMPARISON, SIGNIFICANCE, STATE = "vectors/comparison.py", "vectors/significance.py", "models/base.py"

DRIFT = [
    mutant(
        "words that moved are anchors",
        "drift",
        (COMPARISON, "np.argsort((a * b).sum(axis=1))[len(a) // 2 :]", "np.arange(len(a))"),
    ),
    mutant(
        "the words that moved most are anchors",
        "drift",
        (
            COMPARISON,
            "np.argsort((a * b).sum(axis=1))[len(a) // 2 :]",
            "np.argsort((a * b).sum(axis=1))[: len(a) // 2]",
        ),
    ),
    mutant(
        "rotations are not of the residuals alone",
        "drift",
        (SIGNIFICANCE, "    vectors -= vectors.mean(axis=1, keepdims=True)\n", ""),
    ),
    mutant(
        "the variance of a mean is that of a run",
        "drift",
        (
            SIGNIFICANCE,
            "within_x / (m * (m - 1)) + within_y / (n * (n - 1))",
            "within_x / (m - 1) + within_y / (n - 1)",
        ),
    ),
    mutant(
        "p-values are adjusted as if all were the smallest",
        "drift",
        (SIGNIFICANCE, "len(p) / np.arange(len(p), 0, -1)", "len(p) / np.ones(len(p))"),
    ),
    mutant(
        "words with tags have output rows of their own",
        "tags",
        ("kernels/negatives.pxd", "target = outputs.row_of[target]", "pass"),
        ("reference/skipgram.py", "center if output_of is None else int(output_of[center])", "int(center)"),
    ),
    mutant(
        "subsampling counts words with their tags",
        "tags",
        (STATE, "self.of_outputs(self.vocabulary.counts)[self.output_of]", "self.vocabulary.counts"),
    ),
    mutant(
        "words with more tags are drawn as noise more often",
        "tags",
        (
            STATE,
            "noise_probabilities(counts[counts > 0], exponent)",
            "noise_probabilities(np.bincount(self.output_of, minlength=len(counts))[counts > 0], exponent)",
        ),
    ),
    mutant(
        "words that share a row do not get a copy of it",
        "tags",
        (STATE, "outputs[:] = outputs[self.output_of]", "outputs[:] = outputs"),
    ),
]

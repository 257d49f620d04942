"""Errors in what is said of several trainings."""

from mutants._edits import mutant

INTERVALS, STABILITY = "vectors/intervals.py", "models/stability.py"

STABILITIES = [
    mutant(
        "an interval is that of the mean of the trainings",
        "stability::test_what_is_returned_is_what_the_trainings_say",
        (INTERVALS, "ddof=1, dtype=np.float64)", "ddof=1, dtype=np.float64) / len(cosines) ** 0.5"),
    ),
    mutant(
        "ranks begin with 0",
        "stability::test_what_is_returned_is_what_the_trainings_say",
        (INTERVALS, "np.sort(1 + (cosines", "np.sort(0 + (cosines"),
    ),
    mutant(
        "the words of a query are among its neighbors",
        "stability",
        (INTERVALS, "np.delete(np.arange(len(words)), asked)", "np.arange(len(words))"),
    ),
    mutant(
        "all trainings are on the text itself",
        "stability",
        ("corpus/resampling.py", "generator.integers(n, size=n)", "np.arange(n)"),
    ),
    mutant(
        "all trainings have the same seed",
        "stability",
        (STABILITY, "default_rng([self._stability.seed, number])", "default_rng(self._stability.seed)"),
    ),
    mutant(
        "a word is in as many sentences as it has occurrences",
        "stability",
        ("corpus/resampling.py", "pairs = np.unique(", "pairs = np.asarray("),
    ),
    mutant(
        "an interrupted training counts as complete",
        "stability",
        (STABILITY, "if not model.interrupted_:", "if True:"),
    ),
]

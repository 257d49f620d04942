"""Errors in what is said of a training before it."""

from mutants._edits import mutant

TRIALS, ROWS, FOOTPRINT = "models/trials.py", "models/some_rows.py", "models/footprint.py"

PLANS = [
    mutant(
        "a single epoch is planned",
        "plan::test_time_is_in_proportion_to_the_epochs",
        (TRIALS, "positions = epochs * text.of_text(", "positions = text.of_text("),
    ),
    mutant(
        "a plan does not say the number of epochs",
        "plan::test_sizes_are_those_of_the_training",
        ("models/plan.py", 'epochs=getattr(model, "epochs", None)', "epochs=None"),
    ),
    mutant(
        "GloVe is planned for the counts of some words",
        "plan::test_time_is_in_proportion_to_the_epochs",
        (TRIALS, "model.epochs * round(n_entries)", "counts.n_entries_"),
    ),
    mutant(
        "only the words that are counted have entries",
        "plan::test_entries_of_some_rows_tell_those_of_all",
        (ROWS, "if self.step == 1:", "if self.step:"),
    ),
    mutant(
        "large texts have no other words than their excerpts",
        "plan::test_large_texts_are_read_in_pieces",
        ("corpus/excerpts.py", "return float(share**-exponent)", "return 1.0"),
    ),
    mutant(
        "of large texts the beginning is read",
        "plan::test_large_texts_are_read_in_pieces",
        (
            "corpus/excerpts.py",
            "int(ends[-1]) * np.arange(PIECES) // PIECES",
            "PIECE_BYTES * np.arange(PIECES)",
        ),
    ),
    mutant(
        "a plan forgets the output vectors",
        "plan::test_memory_is_that_of_the_arrays",
        (FOOTPRINT, "together, at_once = sum(matrices)", "together, at_once = matrices[0]"),
    ),
]

"""Errors in the search of parameters."""

from mutants._edits import mutant

SEARCH, TRAININGS = "training/search.py", "tuning/trainings.py"
OBJECTIVES, LINKS, UNSEEN = "tuning/objectives.py", "tuning/links.py", "tuning/unseen.py"

TUNING = [
    mutant(
        "a trial that makes its parameters the best shows another mean",
        "tuning::test_the_command",
        ("tuning/autotune.py", "mean = self._search.best_score if is_best", "mean = 0.0 if is_best"),
    ),
    mutant(
        "what is held out of a text is trained on",
        "tuning::test_held_out_words_are_not_trained_on",
        (OBJECTIVES, "self._unseen.training(self._memory_limit)", "self._corpus"),
    ),
    mutant(
        "the other word may be as rare or as frequent as any",
        "tuning::test_held_out_words_tell_what_was_learned",
        (UNSEEN, "RATIO = 2.0", "RATIO = 1000.0"),
    ),
    mutant(
        "edges that are held out are walked over",
        "tuning::test_links_that_were_not_walked_over_are_found",
        (LINKS, "left = ~np.isin(keys, spared)", "left = keys >= 0"),
    ),
    mutant(
        "items of a basket are recommended again",
        "tuning::test_the_next_item_is_that_of_evaluate",
        (
            OBJECTIVES,
            "exclude_seen = self._vocabulary.counts, not self._repeats",
            "exclude_seen = self._vocabulary.counts, False",
        ),
    ),
    mutant(
        "one seed decides",
        "tuning::test_the_best_parameters_are_returned_with_a_model_of_the_whole_text",
        (SEARCH, "if len(scores) < self._runs:", "if not scores:"),
    ),
    mutant(
        "the worst go on to the next part",
        "tuning::test_of_a_long_text_candidates_are_tried_on_parts_first",
        (SEARCH, "key=lambda each: -each.score)[:n]", "key=lambda each: each.score)[:n]"),
    ),
    mutant(
        "all seeds are the same",
        "tuning::test_the_best_parameters_are_returned_with_a_model_of_the_whole_text",
        (TRAININGS, '"seed": self._model.seed + run', '"seed": self._model.seed'),
    ),
    mutant(
        "a resumed search takes the score of one seed for all",
        "tuning::test_a_search_is_resumed_as_if_it_had_not_been_interrupted",
        (
            TRAININGS,
            "json.dumps([proposal.params, proposal.size, proposal.run])",
            "json.dumps([proposal.params, proposal.size])",
        ),
    ),
    mutant(
        "an interrupted training is scored",
        "tuning::test_a_second_signal_ends_the_last_training",
        (TRAININGS, "if trainings.stopping if failed else model.interrupted_:", "if False:"),
    ),
    mutant(
        "the file of a graph is read again after the search",
        "tuning::test_links_that_were_not_walked_over_are_found",
        (OBJECTIVES, "self._seed = model.seed", "self._seed, self._given = model.seed, corpus"),
        (
            OBJECTIVES,
            "self._walks(self._corpus, params, progress",
            "self._walks(self._given, params, progress",
        ),
    ),
    mutant(
        "a full disk ends a search",
        "tuning::test_a_record_that_cannot_be_written_ends_no_search",
        (TRAININGS, "except OSError as error:", "except ZeroDivisionError as error:"),
    ),
    mutant(
        "a slower setting is on the front without being better",
        "tuning::test_the_front_is_of_times_and_scores_up_to_the_best",
        (
            "tuning/autotune.py",
            "if is_candidate and (not front or each.score > front[-1].score):",
            "if is_candidate:",
        ),
    ),
]

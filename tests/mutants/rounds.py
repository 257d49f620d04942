"""Errors in what is known of a lane before it trains, and in what becomes of it afterwards."""

from mutants._edits import mutant

KERNEL, TESTS = "kernels/rounds.pyx", "rounds_kernel"

ROUNDS = [
    mutant(
        "lanes: the last context of a window is not among the rows that are used",
        TESTS,
        (KERNEL, "cover(steps, i + 1, walk.end[i])", "cover(steps, i + 1, max(i + 1, walk.end[i] - 1))"),
    ),
    mutant(
        "lanes: a negative that is the centre counts",
        TESTS,
        (KERNEL, "n += word != target", "n += 1"),
    ),
    mutant(
        "lanes: all contexts have the negatives of the first",
        TESTS,
        (KERNEL, "sampler.draws_per_token + 1 + s * sampler.negatives", "sampler.draws_per_token + 1"),
    ),
    mutant(
        "lanes: the last outputs of a part are not among the rows that are used",
        TESTS,
        (
            KERNEL,
            "    if drawn >= 0:\n        mark_outputs(sampler, drawn, outputs)\n    for i",
            "    for i",
        ),
    ),
    mutant(
        "lanes: only the last rows are added up to the curvature",
        TESTS,
        (KERNEL, "curvature.total[i] += curvature.sums[i]", "curvature.total[i] = curvature.sums[i]"),
    ),
    mutant(
        "lanes: the curvature of a mean is that of a sum",
        TESTS,
        (KERNEL, "scale_of(n, window.mean)", "1"),
    ),
    mutant(
        "lanes: a word with n-grams is a row",
        TESTS,
        (KERNEL, "if subwords is not None:\n            input_rows", "if False:\n            input_rows"),
    ),
    mutant(
        "lanes: the negatives of a context are compared with the word in the middle",
        TESTS,
        (KERNEL, "return context_of(walk, i, s) if sampler.of_contexts else", "return"),
    ),
    mutant(
        "lanes: contexts are as exposed as their mean, however far that goes",
        TESTS,
        (
            "kernels/mean.pxd",
            "reach_of(n_rows, mean, scale_gradient) * exposure_of(step.of_x)",
            "exposure_of(step.of_x)",
        ),
    ),
    mutant(
        "lanes: n-grams are exposed to the last context of a window only",
        TESTS,
        (
            "kernels/turns.pxd",
            "turns.exposure += exposure_of(step.of_x)",
            "turns.exposure = exposure_of(step.of_x)",
        ),
    ),
    mutant(
        "lanes: the first word is exposed to what all words are",
        TESTS,
        (
            "kernels/exposures.pxd",
            "expose_input(exposures, rows[i], exposure)",
            "expose_input(exposures, rows[0], exposure)",
        ),
    ),
    mutant(
        "lanes: a context behind the word in the middle counts for the one before it",
        TESTS,
        ("kernels/exposures.pxd", "(places[c] + (places[c] >= gap))", "places[c]"),
    ),
    mutant(
        "lanes: contexts count for those before them where one is repeated",
        TESTS,
        ("kernels/step.pxd", "step.x_places = step.first_places", "step.x_places = step.in_order"),
    ),
    mutant(
        "lanes: changes are cut off to bfloat16, and not rounded",
        TESTS,
        (KERNEL, "(uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16)", "(uint16_t)(bits >> 16)"),
    ),
    mutant(
        "lanes: negatives that are drawn twice are exposed once",
        TESTS,
        ("kernels/exposures.pxd", "u - u * u * per_count", "(u - u * u * per_count) * per_count"),
    ),
    mutant(
        "lanes: those that differ count as many as equal ones",
        TESTS,
        (KERNEL, "<float>max(1, exposure * exposure / squares)", "3"),
    ),
    mutant(
        "lanes: the other directions are flat",
        TESTS,
        (KERNEL, "if i < side.own.n else max(rest, 0)", "if i < side.own.n else 0"),
    ),
    mutant(
        "lanes: one eigenvalue more is taken for a direction's",
        TESTS,
        (
            KERNEL,
            "slot(&side.own, i)[0] *= side.factors[i] - others",
            "slot(&side.own, i)[0] *= side.factors[i + 1] - others",
        ),
    ),
    mutant(
        "lanes: steep directions are held back by a series that ends too early",
        TESTS,
        (KERNEL, "int_lanes small = z < 0.5f;", "int_lanes small = z < 5.0f;"),
    ),
    mutant(
        "lanes: what both sides correct is left out by both",
        TESTS,
        (KERNEL, "<float>(-0.5 * side.factors[i]", "<float>(-1.0 * side.factors[i]"),
    ),
    mutant(
        "lanes: what both sides correct is sought in rows as often as they are there",
        TESTS,
        (KERNEL, "weight = total * side.w[j]", "weight = side.w[j]"),
    ),
    mutant(
        "lanes: a lane does not put rows back",
        TESTS,
        (KERNEL, "store(row + k, before)", "pass"),
    ),
    mutant(
        "lanes: the changes of the last lane replace those before it",
        TESTS,
        (KERNEL, "load(change + k) + difference if adds else difference", "difference"),
    ),
    mutant(
        "lanes: the first changes of a row are added to what was there",
        TESTS,
        (KERNEL, "if counts[rows[i] - first_row, 0] > 0:", "if True:"),
    ),
    mutant(
        "lanes: rows grow along the directions by the sum of what they are",
        TESTS,
        (KERNEL, "grown[j] += growth[j, k] * slot", "grown[j] += growth[k, j] * slot"),
    ),
    mutant(
        "the rows of a lane are all as exposed as their mean",
        "rounds",
        (
            "distributed/lanes.py",
            "own[own > 0].astype(np.float64)",
            "np.full(np.count_nonzero(own), own.sum() / np.count_nonzero(own))",
        ),
    ),
    mutant(
        "the lanes of a worker count as one",
        "rounds::test_a_worker_returns_the_sum_of_what_its_lanes_change",
        (
            "distributed/lanes.py",
            "return Changes(total.rows, total.exposures, changes)",
            "return Changes(total.rows, _with_squares(total.exposures[:, 0]), changes)",
        ),
    ),
    mutant(
        "lanes that train side by side do so in the same memory",
        "rounds::test_a_worker_returns_the_sum_of_what_its_lanes_change",
        ("distributed/rooms.py", "_own.rooms = [room]", "_own.rooms = rooms[:1]"),
    ),
    mutant(
        "workers train one lane after the other",
        "rounds::test_lanes_of_a_worker_train_side_by_side",
        ("distributed/rooms.py", "with Workers(len(calls)) as workers:", "with Workers(1) as workers:"),
    ),
    mutant(
        "lanes: sums of a worker are cut off to bfloat16, and not rounded",
        TESTS,
        (KERNEL, "to_bfloat16(sums[i, k])", "<uint16_t>((<const uint32_t *>&sums[i, k])[0] >> 16)"),
    ),
    mutant(
        "lanes: negatives are not where their places are",
        TESTS,
        ("kernels/negatives.pxd", "outputs.words[1 + k] = outputs.places[outputs.words[1 + k]]", "pass"),
    ),
    mutant(
        "lanes: negatives of the curvature are not where their places are",
        TESTS,
        (KERNEL, "word = sampler.places[word]", "pass"),
    ),
    mutant(
        "rows that are frozen are those of other words, where a lane has some rows only",
        "rounds_in_files",
        (
            "distributed/used_rows.py",
            'found["frozen"][used.inputs]',
            'found["frozen"][: len(used.inputs)]',
        ),
    ),
    mutant(
        "lanes: negatives of n-grams are not where their places are",
        TESTS,
        ("kernels/subword.pyx", "words[1 + k] = targets.place_of[words[1 + k]]", "pass"),
    ),
    mutant(
        "rows that repeat others of a word go with those that do not, where a lane has some rows only",
        "rounds",
        ("distributed/used_rows.py", "+ np.arange(2)).reshape(-1)", "+ np.array([0, 0])).reshape(-1)"),
    ),
    mutant(
        "words that no lane uses as inputs have no end of their rows",
        "rounds::test_words_that_are_alone_in_their_sentences",
        (
            "distributed/used_rows.py",
            "without = max(1, len(self.rows[1])) - len(used.words)",
            "without = max(1, len(self.rows[1])) - len(used.words) - 1",
        ),
    ),
    mutant(
        "rows that were selected are taken from the first ones",
        "rounds::test_workers_of_other_machines_are_sent_the_rows_that_their_lanes_use",
        (
            "distributed/used_rows.py",
            "numbers = np.searchsorted(block.rows, rows).astype(np.int32)",
            "numbers = np.arange(len(rows), dtype=np.int32)",
        ),
    ),
    mutant(
        "workers of other machines are sent whole blocks",
        "rounds::test_workers_of_other_machines_are_sent_the_rows_that_their_lanes_use",
        ("distributed/rounds.py", "return machines > 1 and n <", "return machines > 9 and n <"),
    ),
    mutant(
        "blocks of a range are combined as one",
        "rounds_in_files",
        ("distributed/row_files.py", "self.begin, self.end, self.of_block", "self.begin, self.end, 1 << 30"),
        (
            "distributed/row_files.py",
            "min(begin + self.of_block, self.end)",
            "self.end",
        ),
    ),
    mutant(
        "the drift of a side is added to, not taken back",
        "rounds",
        (
            "distributed/balance.py",
            "return {inputs: _growth(-k), outputs: _growth(k)}",
            "return {inputs: _growth(k), outputs: _growth(-k)}",
        ),
    ),
    mutant(
        "what all lanes want is what some of them want",
        "rounds",
        ("distributed/balance.py", "change * (n_lanes / len(sampled))", "change"),
    ),
    mutant(
        "lanes: the first row of a block is refused",
        TESTS,
        (
            KERNEL,
            "if not first_row <= rows[i] < first_row + n_rows:",
            "if not first_row < rows[i] < first_row + n_rows:",
        ),
    ),
]

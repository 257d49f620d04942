"""Errors in what threads do that take a chunk together."""

from mutants._edits import mutant

KERNEL, TEAM = "kernels/together.pxd", "kernels/team.h"
THREADS = "together::test_any_number_of_threads_makes_the_same_bytes"
AGREE = "backends_agree::test_batches_of_a_team"
COPIES = "training/copies.py"

TOGETHER = [
    mutant(
        "team: the scores of the second group are left out",
        AGREE,
        (KERNEL, "for group in range(1, all.n_groups):", "for group in range(2, all.n_groups):"),
    ),
    mutant(
        "team: nobody waits for the scores of the others",
        THREADS,
        (KERNEL, "(phase != UPDATE or all.parts > 1)", "(phase == COEFFICIENTS or all.parts > 1)"),
    ),
    mutant(
        "team: nobody waits for the coefficients of the others",
        THREADS,
        (KERNEL, "(phase != UPDATE or all.parts > 1)", "(phase == SCORES or all.parts > 1)"),
    ),
    mutant(
        "team: the scores of a batch are written over those of the batch before",
        THREADS,
        (KERNEL, "    all.turn = 1 - all.turn\n", "    all.turn = 0\n"),
    ),
    mutant(
        "team: the tasks of threads that do not come are lost",
        THREADS,
        (KERNEL, "    for i in range(1, n_tasks):\n", "    for i in range(1, 1):\n"),
    ),
    mutant(
        "team: a part of the columns moves twice",
        THREADS,
        (KERNEL, "step.begin = share(columns // LINE, part, all.parts) * LINE", "step.begin = 0"),
    ),
    mutant(
        "team: the last of what does not divide evenly is nobody's",
        THREADS,
        (KERNEL, "return (n * i + parts - 1) // parts", "return n // parts * i"),
    ),
    mutant(
        "team: every thread differentiates the scores of all steps before its own",
        THREADS,
        (KERNEL, "begin = share(all.n, task, n_tasks)", "begin = 0"),
    ),
    mutant(
        "team: a task may be taken before that of the phase before is done",
        "together",
        (TEAM, "__atomic_load_n(&shared->tasks[task].done, __ATOMIC_ACQUIRE) == before\n        && ", ""),
    ),
    mutant(
        "team: all inputs move that repeat others",
        AGREE,
        (KERNEL, "record.n_moved = n_moved", "record.n_moved = n_rows"),
    ),
    mutant(
        "team: frozen contexts move",
        "backends_agree::test_frozen_rows_of_a_team",
        (KERNEL, "record.n_still = step.n_still", "record.n_still = 0"),
    ),
    mutant(
        "team: contexts that are repeated count once",
        AGREE,
        (KERNEL, "    if step.x_repeats:\n", "    if False:\n"),
    ),
    mutant(
        "team: contexts are counted before later blocks add to the coefficients of the first",
        AGREE,
        (
            KERNEL,
            "    for block in range(step.n_blocks if record.x_counts != NULL else 0):\n"
            "        g = step.coefficients + block * step.block_stride\n"
            "        for c in range(step.n_x):\n",
            "        for c in range(step.n_x if record.x_counts != NULL else 0):\n",
        ),
    ),
    mutant(
        "team: outputs that are repeated have the numbers of a later step",
        AGREE,
        (KERNEL, "    if step.counts == step.merged_counts:\n", "    if False:\n"),
    ),
    mutant(
        "team: every group adds its loss",
        AGREE,
        (KERNEL, "if task == 0 and record.sampled:", "if record.sampled:"),
    ),
    mutant(
        "team: a chunk has the loss of those before it too",
        AGREE,
        (KERNEL, "        all.shared.losses[all.call & 1] = 0\n", "        pass\n"),
    ),
    mutant(
        "team: steps are lost where there is no room for the scores of more",
        "together::test_a_batch_ends_where_there_is_no_more_room",
        (
            KERNEL,
            "        take_all(all, step)\n    if all.over:\n",
            "        all.n = all.place = 0\n    if all.over:\n",
        ),
    ),
    mutant(
        "team: a batch has one step more than it should",
        AGREE,
        (KERNEL, "all.n >= all.steps", "all.n > all.steps"),
    ),
    mutant(
        "team: parts of a chunk may be shorter than windows",
        AGREE,
        ("kernels/walk.pxd", "n // (2 * window + 1)", "n // window"),
    ),
    mutant(
        "team: nobody waits at the end of a chunk",
        "together::test_a_thread_that_goes_away_in_the_middle",
        (TEAM, "return wait_until(shared, &shared->arrived, call * (uint64_t)n_threads);", "return 0;"),
    ),
    mutant(
        "team: threads wait for one that has gone away",
        "together::test_a_thread_that_goes_away_in_the_middle",
        (TEAM, "if (__atomic_load_n(&shared->abandoned, __ATOMIC_ACQUIRE)) return -1;", ""),
    ),
    mutant(
        "team: the last columns are not given back",
        AGREE,
        ("training/team.py", "            theirs[:] = ours\n", "            theirs[:, :16] = ours[:, :16]\n"),
    ),
    mutant(
        "team: the reference makes every move at once",
        "train_is_steps backends_agree::test_batches_of_a_team",
        (
            "reference/together.py",
            "        if len(self.moves) >= self.steps:\n            self.finish()\n",
            "        self.finish()\n",
        ),
    ),
    mutant(
        "copies: what was learned since the last exchange is lost at the end",
        "copies::test_what_each_thread_has_learned_arrives",
        (COPIES, "self.matrix[self.copied] += self.rows - self.before", "pass"),
    ),
    mutant(
        "copies: nothing is exchanged before the end",
        "copies::test_rows_are_exchanged_while_threads_work",
        ("kernels/copies.pxd", "rows.uses[place] += 1", "rows.uses[place] = 0"),
    ),
    mutant(
        "copies: an exchange adds what was there before once more",
        "copies::test_those_of_one_thread_change_nothing",
        ("kernels/copies.pxd", "(load(own + k) - load(before + k))", "load(own + k)"),
    ),
    mutant(
        "copies: rows that are used seldom are copied, too",
        "copies::test_seldom_used_rows_are_shared",
        (COPIES, "int((often >= FEWEST_USES).sum())", "len(often)"),
    ),
]

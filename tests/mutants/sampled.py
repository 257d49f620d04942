"""Errors in what is drawn, most of them in kernel and reference alike: only an outside truth finds them."""

from mutants._edits import mutant

KERNEL, REFERENCE = "kernels/sampling.pxd", "reference/sampling.py"

SAMPLED = [
    mutant(
        "words are kept by the half of the draw that is also their window's",
        "sampling",
        (KERNEL, "return <uint32_t>(word >> 32) <= keep", "return <uint32_t>word <= keep"),
        (REFERENCE, "(word >> HALF) <= keep", "(word & LOWER_HALF) <= keep"),
    ),
    mutant(
        "the largest window is never drawn",
        "sampling",
        (KERNEL, "word * (window + 1 - smallest))", "word * (window - smallest))"),
        (REFERENCE, "np.uint64(window + 1 - smallest)", "np.uint64(window - smallest)"),
    ),
    mutant(
        "windows are of one size",
        "sampling",
        (
            KERNEL,
            "return <int32_t>(smallest + ((<uint64_t><uint32_t>word * (window + 1 - smallest)) >> 32))",
            "return <int32_t>window",
        ),
        (REFERENCE, "    return size + smallest\n", "    return size * 0 + window\n"),
    ),
    mutant(
        "small windows are drawn more often",
        "sampling",
        (KERNEL, "<uint32_t>word * (window", "(<uint32_t>word >> 2) * 3 * (window"),
        (
            REFERENCE,
            "((word & LOWER_HALF) * n_sizes)",
            "((word & LOWER_HALF) // np.uint64(4) * np.uint64(3) * n_sizes)",
        ),
    ),
    mutant(
        "windows reach one word less to the left",
        "sampling",
        ("kernels/walk.pxd", "max(sentence_first, i - size[i])", "max(sentence_first, i - size[i] + 1)"),
        (REFERENCE, "words[max(0, i - size) : i]", "words[max(0, i - size + 1) : i]"),
    ),
    mutant(
        "dropped words count in windows",
        "sampling",
        (
            "kernels/walk.pxd",
            "            n += known & is_kept(word, keep[id if known else 0])",
            "            n += known",
        ),
        (
            REFERENCE,
            "        return positions[stays], window_size(word[stays], window, dynamic_window)",
            "        return positions, window_size(word, window)",
        ),
    ),
    mutant(
        "the coin of a noise word is the half that chose its column",
        "sampling",
        (KERNEL, "<uint32_t>(<uint32_t>word >= entry[0])", "<uint32_t>(<uint32_t>(word >> 32) >= entry[0])"),
        (REFERENCE, "np.where((word & LOWER_HALF) < threshold", "np.where((word >> HALF) < threshold"),
    ),
    mutant(
        "noise words and their aliases are mixed up",
        "sampling",
        (KERNEL, "<uint32_t>(<uint32_t>word >= entry[0])", "<uint32_t>(<uint32_t>word < entry[0])"),
        (REFERENCE, "< threshold, column, alias)", ">= threshold, column, alias)"),
    ),
    mutant(
        "noise words are uniform",
        "sampling",
        (KERNEL, "<uint32_t>(<uint32_t>word >= entry[0])", "<uint32_t>0"),
        (REFERENCE, "< threshold, column, alias)", "< threshold, column, column)"),
    ),
    mutant(
        "the increment of SplitMix64 is another",
        "sampling",
        (KERNEL, "UINT64_C(0x9e3779b97f4a7c15)", "UINT64_C(0x9e3779b97f4a7c17)"),
        (REFERENCE, "np.uint64(0x9E3779B97F4A7C15)", "np.uint64(0x9E3779B97F4A7C17)"),
    ),
    mutant(
        "neighbouring tokens share most of their negatives",
        "sampling",
        (
            "kernels/negatives.pxd",
            "walk.positions[visited(walk, i)] * (1 + outputs.sets * outputs.negatives) + 1",
            "walk.positions[visited(walk, i)] + 1",
        ),
        ("reference/skipgram.py", "position * draws_per_token + 1 + np", "position + 1 + np"),
    ),
    mutant(
        "contexts that should have negatives of their own share them",
        "sampling",
        ("kernels/negatives.pxd", "            counter += outputs.negatives\n", "            pass\n"),
        ("reference/skipgram.py", "noise_words[0 if shared else c]", "noise_words[0]"),
    ),
    mutant(
        "negatives equal to the centre are trained as negatives",
        "sampling",
        ("kernels/step.pxd", "        if n > 0 or i == 0:\n", "        if True:\n"),
        (
            "reference/step.py",
            "counts = np.where(outputs == target, labels, np.float32(1))",
            "counts = np.ones_like(labels)",
        ),
    ),
    mutant(
        "the alias table keeps the fraction that was rounded away",
        "sampling",
        (
            "training/tables.py",
            '    weights[np.argsort(weights - exact, kind="stable")[:missing]] += 1\n',
            "",
        ),
    ),
    mutant(
        "thresholds of words that are kept are the square of their probability",
        "sampling",
        ("training/tables.py", "np.rint(probabilities * FULL)", "np.rint(probabilities**2 * FULL)"),
    ),
    mutant(
        "the keys of epochs do not depend on the epoch",
        "estimator_to_kernel",
        ("training/loop.py", "[self.seed, self.epochs_before + epoch]", "[self.seed, self.epochs_before]"),
    ),
    mutant(
        "the keys of epochs do not depend on the seed",
        "estimator_to_kernel",
        ("training/loop.py", "[self.seed, self.epochs_before + epoch]", "[0, self.epochs_before + epoch]"),
    ),
    mutant(
        "the epochs of a further training draw what those of the first drew",
        "going_on",
        ("training/loop.py", "[self.seed, self.epochs_before + epoch]", "[self.seed, epoch]"),
    ),
    mutant(
        "subsampling follows the paper and not word2vec.c",
        "vocabulary estimator_to_kernel",
        (
            "corpus/vocabulary.py",
            "np.minimum(1.0, np.sqrt(ratio) + ratio)",
            "np.minimum(1.0, np.sqrt(ratio))",
        ),
    ),
    mutant(
        "subsampling takes the frequency among words, not among tokens",
        "vocabulary estimator_to_kernel",
        (
            "corpus/vocabulary.py",
            "subsample * total / counts",
            "subsample * len(counts) / counts",
        ),
    ),
    mutant(
        "a walk turns back as often as it goes to a node nearby",
        "walks",
        ("kernels/walks.pyx", "        return coin < graph.back\n", "        return coin < graph.near\n"),
        ("reference/walks.py", "visited[-2]] = accept[RETURN]", "visited[-2]] = accept[NEAR]"),
    ),
    mutant(
        "a walk asks whether an arc leads from its node, and not from the one before",
        "walks",
        (
            "kernels/walks.pyx",
            "        row = step.before * graph.n_types + kind\n",
            "        row = step.node * graph.n_types + kind\n",
        ),
        (
            "reference/walks.py",
            "known = slice(*offsets[visited[-2] *",
            "known = slice(*offsets[visited[-1] *",
        ),
    ),
    mutant(
        "where no step of a walk is accepted, the weights of arcs are forgotten",
        "walks",
        ("kernels/walks.pyx", "        share = end - graph.cumulative[arc]\n", "        share = 1\n"),
        ("reference/walks.py", "        weight * (threshold + 1) >> 1 for", "        threshold + 1 >> 1 for"),
    ),
    mutant(
        "a step of a walk is accepted by the half of the draw that proposed it",
        "walks",
        ("kernels/walks.pyx", "cdef uint64_t coin = <uint32_t>word", "cdef uint64_t coin = word >> 32"),
        ("reference/walks.py", "(trials & LOWER_HALF) <= accept", "(trials >> HALF) <= accept"),
    ),
    mutant(
        "an arc gets the share of the one before it in the weight of its row",
        "walks",
        ("kernels/walks.pyx", "cumulative[begin + half] <= share", "cumulative[begin + half - 1] <= share"),
        ("reference/walks.py", 'trials >> HALF, side="right") - 1', 'trials >> HALF, side="right") % n'),
    ),
    mutant(
        "p and q are each other",
        "walks",
        (
            "graphs/walks.py",
            "keep_thresholds([smallest / p, smallest, smallest / q",
            "keep_thresholds([smallest / q, smallest, smallest / p",
        ),
    ),
    mutant(
        "all rounds of walks have the same order",
        "walks",
        ("graphs/walks.py", "np.uint64(round_ << 32)", "np.uint64(0)"),
    ),
    mutant(
        "a loop leads both ways",
        "walks",
        ("graphs/graph.py", "other = sources != targets", "other = sources >= 0"),
    ),
    mutant(
        "arcs of weight 0 stay in the graph",
        "walks",
        ("graphs/graph.py", "            there = weights > 0\n", "            there = weights >= 0\n"),
    ),
]

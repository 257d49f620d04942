"""Errors in objectives, many in kernel and reference alike, and in what models hand to their kernels."""

from mutants._edits import mutant

WORD_MODEL, WORD2VEC, TRAINING = "models/words.py", "models/word2vec.py", "training/loop.py"
LINE = "(self.min_learning_rate - self.learning_rate) * done"

MODELS = [
    # What models hand to their kernels.
    mutant(
        "negatives follow the counts and not their power",
        "estimator_to_kernel",
        (
            "models/losses.py",
            "state.noise_probabilities(model.noise_exponent)",
            "state.noise_probabilities(1.0)",
        ),
    ),
    mutant(
        "rare words are dropped and frequent ones kept",
        "estimator_to_kernel",
        (WORD_MODEL, "            keep=keep,\n", "            keep=keep[::-1].copy(),\n"),
    ),
    mutant(
        "no word is ever dropped",
        "estimator_to_kernel",
        (WORD_MODEL, "            keep=keep,\n", "            keep=keep | np.uint32(2**32 - 1),\n"),
    ),
    mutant(
        "the learning rate falls in steps",
        "estimator_to_kernel",
        (TRAINING, LINE, LINE.replace("* done", "* (int(done * self.epochs) / self.epochs)")),
    ),
    mutant(
        "the learning rate never falls",
        "estimator_to_kernel",
        (TRAINING, LINE, LINE.replace("* done", "* 0")),
    ),
    mutant(
        "the learning rate falls within the first epoch",
        "estimator_to_kernel",
        (TRAINING, LINE, LINE.replace("* done", "* min(1, done * self.epochs)")),
    ),
    mutant(
        "the last smaller chunk is dropped",
        "estimator_to_kernel",
        (
            TRAINING,
            "for begin, end in self._parts(visited):",
            "for begin, end in self._parts(visited) if visited + self.schedule.chunk <= "
            "self.schedule.n_positions else ():",
        ),
    ),
    mutant(
        "the last sentence is never trained on",
        "estimator_to_kernel",
        (WORD_MODEL, "n_positions=corpus.n_tokens", "n_positions=int(corpus.sentence_offsets[-2]) or 1"),
    ),
    mutant(
        "batches have as many steps for five words as for many",
        "deterministic::test_texts_of_few_words_are_learned_as_without_it",
        (
            WORD_MODEL,
            "np.clip(FARTHEST / (max(of_input, of_output) * rate), 1, MOST_STEPS)",
            "np.clip(MOST_STEPS, 1, MOST_STEPS)",
        ),
    ),
    mutant(
        "n-grams that words have in common do not make batches smaller",
        "deterministic::test_words_whose_ngrams_are_nearly_the_same_are_learned_as_without_it",
        (WORD_MODEL, 'if "subwords" not in tables:', "if True:"),
    ),
    mutant(
        "a team's position is a chunk too far",
        "deterministic::test_what_is_stopped_within_an_epoch_goes_on_with_other_threads",
        (TRAINING, "self.next_position = visited\n", "self.next_position = visited + self.schedule.chunk\n"),
    ),
    mutant(
        "a team does not bring back its last column",
        "deterministic::test_columns_of_any_number",
        ("training/team.py", "            theirs[:] = ours\n", "            theirs[:, :-1] = ours[:, :-1]\n"),
    ),
    mutant(
        "skip-gram's window is one smaller",
        "estimator_to_kernel",
        (
            WORD2VEC,
            '"window": self._reach(),\n            "negatives": self.negatives,\n'
            '            "loss": self.loss,\n            "shared"',
            '"window": max(1, self.window - 1),\n'
            '            "negatives": self.negatives,\n            "loss": self.loss,\n            "shared"',
        ),
    ),
    mutant(
        "skip-gram has one negative less",
        "estimator_to_kernel",
        (
            WORD2VEC,
            '"negatives": self.negatives,\n            "loss": self.loss,\n            "shared"',
            '"negatives": max(1, self.negatives - 1),\n            "shared"',
        ),
    ),
    mutant(
        "negative_sharing means its opposite",
        "estimator_to_kernel",
        (
            WORD2VEC,
            '"shared": self.negative_sharing == "window"',
            '"shared": self.negative_sharing == "none"',
        ),
    ),
    mutant(
        "CBOW's position weights are not handed on",
        "estimator_to_kernel",
        (
            WORD_MODEL,
            "            **parameters,\n",
            '            **parameters | dict.fromkeys(parameters.keys() & {"position_weights"}),\n',
        ),
    ),
    mutant(
        "CBOW scales the gradient, asked or not",
        "estimator_to_kernel",
        (WORD2VEC, '"scale_gradient": self.scale_gradient', '"scale_gradient": True'),
    ),
    mutant(
        "hierarchical softmax and softmax have windows of 1",
        "estimator_to_kernel",
        (
            WORD_MODEL,
            "arguments = {name: self._arguments()[name] for name in loss.arguments}",
            "arguments = {name: self._arguments()[name] for name in loss.arguments}\n"
            '        if "cbow" in arguments and "negatives" not in arguments:\n'
            '            arguments["window"] = 1',
        ),
    ),
    mutant(
        "FastText's window is 1",
        "estimator_to_kernel",
        ("models/fasttext.py", '"window": self.window', '"window": 1'),
    ),
    mutant(
        "FastText never scales the gradient",
        "estimator_to_kernel",
        ("models/fasttext.py", '"scale_gradient": self.scale_gradient', '"scale_gradient": False'),
    ),
    mutant(
        "FastText takes n-grams that are one character longer",
        "ngrams fasttext_files",
        ("formats/ngrams.py", "max_n=self.max_n,", "max_n=self.max_n and self.max_n + 1,"),
    ),
    mutant(
        "GloVe's alpha is always 0.75",
        "estimator_to_kernel",
        ("models/glove.py", '"alpha": self.alpha', '"alpha": 0.75'),
    ),
    mutant(
        "GloVe's x_max is always 100",
        "estimator_to_kernel",
        ("models/glove.py", '"x_max": self.x_max', '"x_max": 100.0'),
    ),
    mutant(
        "starting values of the second block of numbers and later are not centred",
        "estimator_to_kernel",
        (
            "training/matrices.py",
            "dtype=np.float32) - 0.5) / divisor",
            "dtype=np.float32) - (0 if begin else 0.5)) / divisor",
        ),
    ),
    mutant(
        "blocks of starting values of texts overlap",
        "text_fitting",
        ("classify/texts/classifier.py", "advance(begin * d // 2)", "advance(begin * d // 4)"),
    ),
    mutant(
        "FastText starts from values half as large",
        "fasttext",
        ("models/losses.py", ".n_rows(n_words), uniform=2", ".n_rows(n_words), uniform=1"),
    ),
    mutant(
        "GloVe's vectors are the words' alone, asked for the sum",
        "glove",
        ("models/glove.py", "matrix = words + contexts", "matrix = words"),
    ),
    mutant(
        "GloVe's accumulators start at 0.1",
        "glove",
        (
            "models/glove.py",
            "word_squares[:], context_squares[:] = 1, 1",
            "word_squares[:], context_squares[:] = 0.1, 0.1",
        ),
    ),
    mutant(
        "GloVe's context biases are fixed and its ones are trained",
        "glove",
        (
            "models/glove.py",
            "word_squares[:, d + 1] = context_squares[:, d] = FIXED",
            "word_squares[:, d] = context_squares[:, d + 1] = FIXED",
        ),
    ),
    mutant(
        "GloVe's tiles are trained in the same order every epoch",
        "glove",
        ("models/tiles.py", "np.random.default_rng(key)", "np.random.default_rng(0)"),
    ),
    mutant(
        "old words keep their old counts when new ones come",
        "going_on",
        (WORD_MODEL, "    counts[ids[known]] += other.counts[known]\n", ""),
    ),
    mutant(
        "old words lose their vectors to their new neighbours",
        "going_on",
        (WORD_MODEL, "new[places] = old[:n_old]", "new[:n_old] = old[:n_old]"),
    ),
    mutant(
        "Huffman's tree joins leaves before lighter nodes",
        "huffman",
        ("training/huffman.py", "if leaves[leaf] < nodes[node] or", "if leaves[leaf] < math.inf or"),
    ),
    mutant(
        "paths lead from the words to the root",
        "huffman",
        (
            "training/huffman.py",
            "nodes[offsets[words + 1] - height] = node",
            "nodes[offsets[words] + height - 1] = node",
        ),
        (
            "training/huffman.py",
            "codes[offsets[words + 1] - height] = code",
            "codes[offsets[words] + height - 1] = code",
        ),
    ),
    # Objectives.
    mutant(
        "the last block of words is not looked at for the softmax's largest score",
        "gradients::test_the_largest_score_may_stand_anywhere",
        (
            "kernels/batch.pxd",
            "for block in range(1, batch.n_blocks):\n            most",
            "for block in range(1, batch.n_blocks - 1):\n            most",
        ),
    ),
    mutant(
        "a tile of GloVe is handed on before it is trained",
        "glove_tiles",
        (
            "kernels/glove.pyx",
            "begin = mix64(key + tile) % <uint64_t>n",
            "begin = mix64(key + tile) % <uint64_t>n; raise_by_one(&words_done[tile // n_blocks])",
        ),
        (
            "kernels/glove.pyx",
            "learning_rate)\n            raise_by_one(&words_done[tile // n_blocks])\n",
            "learning_rate)\n",
        ),
    ),
    mutant(
        "the outputs of later blocks see inputs that earlier blocks have moved",
        "gradients::test_gradient",
        (
            "kernels/step.pxd",
            "    if step.n_blocks > 1:\n        x_before",
            "    if step.n_blocks > 9:\n        x_before",
        ),
    ),
    mutant(
        "the contexts that an update of skip-gram sums are one less",
        "train_is_steps",
        (
            "kernels/skipgram.pyx",
            "at_once = MAX_SHARED if shared else 1",
            "at_once = MAX_SHARED - 1 if shared else 1",
        ),
        (
            "reference/skipgram.py",
            "at_once = MAX_SHARED if shared else 1",
            "at_once = MAX_SHARED - 1 if shared else 1",
        ),
    ),
    mutant(
        "a context that occurs twice in a window moves once",
        "gradients::test_gradient_of_repeated_rows",
        ("kernels/step.pxd", "        step.x_counts[c] += 1\n", "        step.x_counts[c] = 1\n"),
    ),
    mutant(
        "a negative drawn twice moves once",
        "gradients::test_gradient_of_repeated_rows",
        (
            "kernels/step.pxd",
            "    slot[0] += 1\n    slot[SLOTS] += 1\n",
            "    slot[0] = 1\n    slot[SLOTS] = 1\n",
        ),
    ),
    mutant(
        "the loss leaves out the negatives",
        "gradients::test_gradient_of_repeated_rows",
        (
            "kernels/losses.pxd",
            "    if negatives > 0:\n        total[0] += negatives * log_one_plus_exp(score)",
            "    if negatives < 0:\n        total[0] += negatives * log_one_plus_exp(score)",
        ),
    ),
    mutant(
        "the target of BPR moves by its first block of negatives alone",
        "gradients::test_gradient",
        (
            "kernels/losses.pxd",
            "        first[c * SLOTS] -= total\n",
            "        first[c * SLOTS] -= total if scores == first else 0\n",
        ),
    ),
    mutant(
        "the contexts of CBOW are summed and not averaged",
        "gradients::test_gradient_of_repeated_rows",
        (
            "kernels/mean.pxd",
            "average(step.hidden, rows, n_rows, step.begin, step.end, scale_of(n_rows, mean))",
            "average(step.hidden, rows, n_rows, step.begin, step.end, 1)",
        ),
        ("reference/mean.py", "np.mean(rows, axis=0) if mean else", "np.sum(rows, axis=0) if mean else"),
    ),
    mutant(
        "the places of CBOW's contexts are counted from the other end",
        "train_is_steps cbow",
        ("kernels/cbow.pyx", "(window - before + c) * stride", "(window + before - 1 - c) * stride"),
        ("reference/cbow.py", "+ np.int32(window - n_before)", "* -1 + np.int32(window + n_before - 1)"),
    ),
    mutant(
        "the gradient of frozen rows moves them",
        "gradients::test_frozen_rows_are_constants",
        ("kernels/frozen.pxd", "if not stays(frozen, rows[i]):", "if True:"),
    ),
    mutant(
        "frozen contexts move",
        "gradients::test_frozen_rows_are_constants",
        ("kernels/step.pxd", "step.x[c] if c < step.n_x - step.n_still else step.hidden", "step.x[c]"),
    ),
    mutant(
        "the scaled gradient of CBOW is divided by one context more",
        "gradients::test_gradient_of_repeated_rows",
        (
            "kernels/mean.pxd",
            "return scale_of(n_rows, mean == scale_gradient)",
            "return scale_of(n_rows + mean, mean == scale_gradient)",
        ),
    ),
    mutant(
        "the contexts of a sum move as those of a mean",
        "gradients::test_gradient_of_repeated_rows",
        (
            "kernels/mean.pxd",
            "return scale_of(n_rows, mean == scale_gradient)",
            "return scale_of(n_rows, scale_gradient)",
        ),
        (
            "reference/mean.py",
            "len(rows) if mean == scale_gradient else 1",
            "len(rows) if scale_gradient else 1",
        ),
    ),
    mutant(
        "a node on two paths counts for the first of them",
        "gradients::test_gradient_of_repeated_rows",
        (
            "kernels/ngram_tree.pyx",
            "            count_uses(node_rows, nodes + n, 1)\n        count_merged",
            "            count_uses(node_rows, nodes + n, 1)\n            count_merged",
        ),
        (
            "reference/ngram_tree.py",
            "np.subtract.at(node_vectors, nodes, rate * np.outer(errors, h))",
            "node_vectors[nodes[::-1]] -= rate * np.outer(errors, h)[::-1]",
        ),
    ),
    mutant(
        "left and right branches of the tree are mixed up",
        "gradients::test_gradient_of_repeated_rows",
        (
            "kernels/hierarchical_softmax.pyx",
            "<unsigned int>(codes[n] == 0)",
            "<unsigned int>(codes[n] == 1)",
        ),
        ("reference/hierarchical_softmax.py", "labels = 1 - codes.astype", "labels = codes.astype"),
    ),
    mutant(
        "FastText's targets share the negatives of the first",
        "train_is_steps",
        (
            "kernels/subword.pyx",
            "targets.random[s * targets.negatives + k], noise",
            "targets.random[k], noise",
        ),
        (
            "reference/subword.py",
            "            noise_words[t : t + at_once],\n".replace("            ", "                "),
            "                noise_words[[0] * len(targets[t : t + at_once])],\n",
        ),
    ),
    mutant(
        "contexts of n-grams do not meet what those before them have moved",
        "train_is_steps",
        ("kernels/turns.pxd", "store(hidden + k, h + s * d)", "store(hidden + k, h)"),
        ("reference/subword.py", "at_once = 1 if team is None else MAX_SHARED", "at_once = MAX_SHARED"),
    ),
    mutant(
        "the mean of n-grams moves as if none of them occurred twice",
        "train_is_steps",
        ("kernels/turns.pxd", "count_moves(rows, n_rows, n_moved) if repeated else n_rows", "n_rows"),
    ),
    mutant(
        "AdaGrad divides by the squares with the newest among them",
        "glove_kernel",
        (
            "kernels/glove.pyx",
            "t * inverse_root(p))\n        store(y + k, b - s * inverse_root(q))",
            "t * inverse_root(p + t * t))\n        store(y + k, b - s * inverse_root(q + s * s))",
        ),
        (
            "reference/glove.py",
            "    x -= t / np.sqrt(x_squares)\n    y -= s / np.sqrt(y_squares)\n",
            "    x -= t / np.sqrt(x_squares + t * t)\n    y -= s / np.sqrt(y_squares + s * s)\n",
        ),
    ),
    mutant(
        "GloVe's weight is the power of the count, not of its share of x_max",
        "glove_tiles",
        ("kernels/glove.pyx", "min(0.0, log_count - log_x_max)", "min(0.0, log_count)"),
        ("reference/glove.py", "(count / x_max) ** alpha", "count**alpha"),
    ),
    mutant(
        "the records of a tile keep the order of the counts",
        "glove_tiles",
        ("kernels/glove.pyx", "begin + <int64_t>(mix64(key + k) % <uint64_t>(k - begin + 1))", "k"),
        ("reference/glove.py", "other = mixed(key + begin + k) % (k + 1)", "other = k"),
    ),
    mutant(
        "negatives of several words of a document count once",
        "paragraphs_kernel",
        ("kernels/paragraphs.pyx", "1 if n < n_words else n_words", "1"),
    ),
    mutant(
        "a word is a negative of itself, where several words of a window share negatives",
        "paragraphs_kernel",
        ("kernels/paragraphs.pyx", "if step.y[n] == words[i]:", "if step.y[n] == words[0]:"),
    ),
    mutant(
        "new documents move the farther, the more epochs there are",
        "doc_vectors",
        ("models/paragraphs.py", ", MOST_STEPS[given.model] / given.epochs)", ", 1)"),
    ),
    mutant(
        "a new document takes the draws of its place among others",
        "doc_vectors",
        ("kernels/paragraphs.pyx", "draw(key, epoch) - <uint64_t>begin", "draw(key, epoch) - <uint64_t>0"),
        ("reference/paragraphs.py", "- begin * (1 + negatives)", "- 0 * (1 + negatives)"),
    ),
    # How many epochs there are by default.
    mutant(
        "a text of four times as many words has a quarter of the passes",
        "default_epochs",
        ("training/passes.py", "math.sqrt(SHORT_TEXT / n_words)", "SHORT_TEXT / n_words"),
    ),
    mutant(
        "words that are left out make passes fewer",
        "default_epochs",
        (WORD_MODEL, "self._number_of_epochs(int(counts.sum()),", "self._number_of_epochs(corpus.n_tokens,"),
    ),
    mutant(
        "CBOW has as many passes as skip-gram",
        "default_epochs",
        (WORD_MODEL, "ClassVar[int] = MOST_OF_LONG_STEPS", "ClassVar[int] = 40"),
    ),
    mutant(
        "what was learned is gone through as often as at first",
        "default_epochs",
        (WORD_MODEL, " if before is None else FEWEST", ""),
    ),
    mutant(
        "a run that is resumed forgets its number of passes",
        "default_epochs",
        (WORD_MODEL, 'checkpoints.value_of("epochs")', "None"),
    ),
    mutant(
        "vectors do not say how many passes they had",
        "default_epochs",
        (WORD_MODEL, '"epochs": epochs, ', ""),
    ),
]

"""Errors around the kernels: reading, counting, phrases, n-grams, files, evaluation, classifiers."""

from mutants._edits import mutant

COUNTING = "kernels/cooccurrence.pyx", "reference/cooccurrence.py"
NGRAMS = "kernels/ngrams.pyx", "reference/ngrams.py"
ROWS = "kernels/rows.pyx", "reference/rows.py"
TOKENIZER = "kernels/tokenizer.pyx", "reference/tokenizer.py"

AROUND = [
    # Reading and counting.
    mutant(
        "a table with commas is a text",
        "file_kinds::test_texts_whose_lines_are_no_sentences",
        ("formats/kinds.py", "and columns != {0}", "and columns == {0}"),
    ),
    mutant(
        "a carriage return is part of a word",
        "tokenizer corpus",
        (TOKENIZER[0], "9 <= c <= 13", "9 <= c <= 12"),
        (TOKENIZER[0], "ones * (128 - 14)", "ones * (128 - 13)"),
        (TOKENIZER[1], '- set(b" \\t\\n\\v\\f\\r")', '- set(b" \\t\\n\\v\\f")'),
        (TOKENIZER[1], "[^ \\t\\n\\v\\f\\r]", "[^ \\t\\n\\v\\f]"),
    ),
    mutant(
        "empty lines are sentences",
        "tokenizer corpus",
        (TOKENIZER[0], "n > sentence_ends[m - 1])", "n >= sentence_ends[m - 1])"),
        (TOKENIZER[1], "len(words) > ends[-1]:", "len(words) >= ends[-1]:"),
    ),
    mutant(
        "of strings in arrays, the bytes from the 9th to the 16th are left out",
        "tokenizer",
        (TOKENIZER[0], "word.second &= first_bytes(max(min(word.length, 16) - 8, 0))", "word.second = 0"),
    ),
    mutant(
        "of words of equal count the last comes first",
        "corpus",
        (
            "corpus/vocabulary.py",
            'order = np.argsort(-counts, kind="stable")',
            "order = np.lexsort((-np.arange(len(counts)), -counts))",
        ),
    ),
    mutant(
        "words that occur min_count times are left out",
        "vocabulary",
        (
            "corpus/vocabulary.py",
            'np.searchsorted(-self.counts, -min_count, side="right")',
            'np.searchsorted(-self.counts, -min_count, side="left")',
        ),
    ),
    mutant(
        "windows of counts reach one word less to the right",
        "cooccurrence_kernel cooccurrence",
        (COUNTING[0], "min(end - 1 - i, window) if symmetric", "min(end - 1 - i, window - 1) if symmetric"),
        (COUNTING[1], "min(len(words) - 1 - i, window) if", "min(len(words) - 1 - i, window - 1) if"),
    ),
    mutant(
        "counts are symmetric, asked or not",
        "cooccurrence_kernel cooccurrence",
        (COUNTING[0], "min(end - 1 - i, window) if symmetric else 0", "min(end - 1 - i, window)"),
        (
            COUNTING[1],
            "min(len(words) - 1 - i, window) if symmetric else 0",
            "min(len(words) - 1 - i, window)",
        ),
    ),
    mutant(
        "the nearest word to the left counts like the farthest",
        "cooccurrence_kernel cooccurrence",
        (
            COUNTING[0],
            "add(sums, marks, at[-1 - k], units_at[k])",
            "add(sums, marks, at[k - n_left], units_at[k])",
        ),
        (COUNTING[1], "kept[position - left : position][::-1]", "kept[position - left : position]"),
    ),
    mutant(
        "harmonic weights are 1 / (distance + 1)",
        "cooccurrence other_systems",
        (
            "counts/units.py",
            "(2 * unit + distances) // (2 * distances)",
            "(2 * unit + distances) // (2 * distances + 2)",
        ),
    ),
    mutant(
        "dynamic weights are divided by one more than the window",
        "cooccurrence",
        (
            "counts/units.py",
            "return window + 1 - distances, window\n",
            "return window + 1 - distances, window + 1\n",
        ),
    ),
    mutant(
        "GloVe's files of counts number words from 0",
        "cooccurrence_files",
        ("counts/glove_files.py", "= rows + 1", "= rows"),
    ),
    # Memory.
    mutant(
        "a text that is counted has the whole limit for its ids",
        "memory_limit",
        ("counts/cooccurrence.py", "half = -(-self.memory_limit // 2)", "half = self.memory_limit"),
    ),
    mutant(
        "counts take the whole limit beside the ids",
        "memory_limit",
        ("counts/cooccurrence.py", "memory_left(self.memory_limit, corpus.ids, ids)", "self.memory_limit"),
    ),
    mutant(
        "entries of GloVe take the whole limit beside the counts",
        "memory_limit",
        (
            "models/glove.py",
            "memory_left(self.memory_limit, *corpus_ids, *counts._matrix())",
            "self.memory_limit",
        ),
    ),
    mutant(
        "phrases are joined beside ids that are not counted",
        "memory_limit",
        ("models/phrases.py", "for given in (corpus, source) if", "for given in (corpus,) if"),
    ),
    # Phrases.
    mutant(
        "phrases are scored without the discount",
        "phrases",
        ("models/phrases.py", "(pairs - self.min_count) / expected", "pairs / expected"),
    ),
    mutant(
        "npmi is divided by the logarithm of the words, not of the pair",
        "phrases",
        ("models/phrases.py", "-np.log(pairs / n_tokens)", "-np.log(expected / n_tokens / n_tokens)"),
    ),
    mutant(
        "a score that is the threshold makes a phrase",
        "phrases",
        ("models/phrases.py", "above = scores > (", "above = scores >= ("),
    ),
    mutant(
        "the last word of a sentence and the first of the next are a pair",
        "phrase_kernels phrases",
        (
            "kernels/phrases.pyx",
            "min(offsets[sentence + 1] - 1, stop)",
            "min(offsets[sentence + 1], min(offsets[n_sentences] - 1, stop))",
        ),
        ("reference/phrases.py", "if i + 1 in begins or", "if i + 1 == len(ids) or"),
    ),
    # N-grams.
    mutant(
        "bytes of n-grams are hashed without their sign",
        "ngrams",
        ("kernels/fnv.pxd", "<uint32_t> <int8_t> byte", "<uint32_t> byte"),
        (NGRAMS[1], "signed = byte if byte < 128 else byte - 256", "signed = byte"),
    ),
    mutant(
        "the second half of floret's hash is like the first",
        "ngrams",
        ("kernels/murmur.pxd", "hashed[1] = a + 2 * b", "hashed[1] = a + b"),
        (NGRAMS[1], "    h2 = h1 + h2 & WORD\n    return", "    h2 = h1\n    return"),
    ),
    mutant(
        "words as in floret are not hashed as a whole",
        "ngrams floret",
        (NGRAMS[0], "hash_count * (1 + n_ngrams(", "hash_count * (0 + n_ngrams("),
        (
            NGRAMS[0],
            "        at = add_buckets(&state, buckets, hash_count, hashes, at)\n    if max_n",
            "    if max_n",
        ),
        (NGRAMS[1], '[b"<" + word + b">"] * whole + [', "["),
    ),
    mutant(
        "new words take over rows of a table that they share",
        "floret",
        ("models/words.py", "n_old if subwords is None else subwords.own_rows(n_old)", "n_old"),
    ),
    mutant(
        "the ends of a word are n-grams of one character",
        "ngrams",
        (NGRAMS[0], "if n >= min_n and not (n == 1 and (i < start or j == stop)):", "if n >= min_n:"),
        (NGRAMS[1], "        if not (n == 1 and i in (0, last))\n", ""),
    ),
    mutant(
        "means of rows are divided by one more",
        "ngrams subword_vectors fasttext",
        (
            NGRAMS[0],
            "(1.0 / (offsets[mean + 1] - offsets[mean]))",
            "(1.0 / (offsets[mean + 1] - offsets[mean] + 1))",
        ),
        (NGRAMS[1], "np.float32(1 / (stop - start))", "np.float32(1 / (stop - start + 1))"),
    ),
    mutant(
        "the last n-gram of an unknown word is left out",
        "subword_vectors",
        (
            "vectors/subwords.py",
            "np.array([0, len(rows)]), rows)",
            "np.array([0, max(1, len(rows) - 1)]), rows)",
        ),
    ),
    # Files.
    mutant(
        "word2vec's binary is big-endian, written and read",
        "formats",
        ("formats/word2vec.py", 'at_once], dtype="<f4")', 'at_once], dtype=">f4")'),
        ("formats/word2vec.py", 'sys.byteorder == "big"', 'sys.byteorder == "little"'),
    ),
    mutant(
        "text has eight digits, which do not give every float32 back",
        "formats rows",
        (ROWS[0], "    n_digits = DIGITS\n", "    n_digits = DIGITS - 1\n"),
        (ROWS[1], 'b" %.9g"', 'b" %.8g"'),
    ),
    # Looking up and evaluating.
    mutant(
        "one word more than `restrict` is considered",
        "evaluate",
        (
            "evaluate/words.py",
            "words = [*map(str, vectors.words[:restrict])]",
            "words = [*map(str, vectors.words[: None if restrict is None else restrict + 1])]",
        ),
        (
            "evaluate/words.py",
            "_answer(vectors._matrix[:restrict], ",
            "_answer(vectors._matrix[: None if restrict is None else restrict + 1], ",
        ),
    ),
    mutant(
        "of equal cosines the later word comes first",
        "vectors",
        (
            "vectors/nearest.py",
            "order = np.lexsort((rows, -cosines, queries))",
            "order = np.lexsort((-rows, -cosines, queries))",
        ),
    ),
    mutant(
        "the word asked for is an answer",
        "vectors",
        (
            "vectors/nearest.py",
            "cosines[without_rows[here] - begin, without_queries[here]] = -np.inf",
            "pass",
        ),
    ),
    mutant(
        "of cosines beyond 1 the highest comes first",
        "vectors",
        ("vectors/nearest.py", "np.where(lowest > -1, np.minimum(lowest, 1), -np.inf)", "lowest"),
    ),
    mutant(
        "an earlier row loses against a later one with the same cosine",
        "vectors",
        ("vectors/nearest.py", "higher &= cosines >= ", "higher &= cosines > "),
    ),
    mutant(
        "vectors of queries are not scaled to length 1",
        "vectors",
        (
            "vectors/vectors.py",
            "self._inverse_norms[:restrict], unit_rows(queries), asked",
            "self._inverse_norms[:restrict], np.asarray(queries), asked",
        ),
    ),
    mutant(
        "equal values have the last of their ranks",
        "evaluate",
        ("evaluate/words.py", "(last - (sizes - 1) / 2)[group]", "(last * 1.0)[group]"),
    ),
    mutant(
        "analogies are answered by a - b + c",
        "evaluate",
        (
            "evaluate/words.py",
            "products[pairs[:, 1]] - subtracted[pairs[:, 0]]",
            "products[pairs[:, 0]] - subtracted[pairs[:, 1]]",
        ),
    ),
    mutant(
        "words of the question are answers",
        "evaluate",
        ("evaluate/words.py", "        _exclude(products, own, begin)\n", ""),
    ),
    mutant(
        "the first word of the question is an answer",
        "evaluate",
        ("evaluate/words.py", "        _exclude(differences, first, begin)\n", ""),
    ),
    mutant(
        "words of the question in another case are answers",
        "evaluate",
        ("evaluate/words.py", "for other in same[row]]", "for other in [row]]"),
    ),
    mutant(
        "analogies are answered by the last of some blocks of words",
        "evaluate",
        ("evaluate/words.py", "higher = highest > best[start:end]", "higher = highest > -2"),
    ),
    mutant(
        "components are those of vectors that are not centred",
        "postprocess",
        ("vectors/common.py", "        rows -= mean\n", ""),
    ),
    mutant(
        "the last components are removed, not the first",
        "postprocess",
        ("vectors/common.py", "vectors[:, d - n_components :]", "vectors[:, :n_components]"),
    ),
    mutant(
        "weights of words in a query are ignored",
        "comparing",
        ("vectors/vectors.py", "query += weight / largest", "query += np.sign(weight)"),
    ),
    mutant(
        "zero vectors count in means of unit vectors",
        "comparing",
        ("vectors/vectors.py", "            counted = counted * matrix.any(axis=1)\n", ""),
    ),
    mutant(
        "3CosMul divides by nothing",
        "evaluate",
        ("evaluate/words.py", "np.log(shifted + np.float32(LEAST_DIVISOR))", "np.zeros_like(shifted)"),
    ),
    mutant(
        "all words are considered for similarities, whatever `restrict`",
        "evaluate",
        (
            "evaluate/words.py",
            "_first_rows([*map(str, vectors.words[:restrict])]",
            "_first_rows([*map(str, vectors.words)]",
        ),
    ),
    mutant(
        "the row of an added word is its vector",
        "new_vectors",
        (
            "vectors/subwords.py",
            "vector * (len(ngram_rows) + 1) - ngram_rows.sum(axis=0, dtype=float)",
            "vector",
        ),
    ),
    mutant(
        "the last components are kept, not the first",
        "new_vectors",
        (
            "vectors/vectors.py",
            "common_part(self._matrix, n_components).components[:, ::-1]",
            "common_part(self._matrix, self.vector_size).components[:, :n_components]",
        ),
    ),
    mutant(
        "notebooks show words as HTML",
        "new_vectors",
        (
            "exports/notebooks.py",
            'escape(str(value).encode(errors="backslashreplace").decode())',
            'str(value).encode(errors="backslashreplace").decode()',
        ),
    ),
    # Explanations.
    mutant(
        "contexts of explanations are not smoothed",
        "explain",
        ("models/explain.py", "SMOOTHING = 0.75", "SMOOTHING = 1.0"),
    ),
    mutant(
        "quotations cross the ends of sentences",
        "explain",
        ("corpus/quotations.py", "pairs = pairs[sentences[:, 0] == sentences[:, 1]]", "pairs = pairs[:]"),
    ),
    mutant(
        "windows of quotations count all words",
        "explain",
        ("corpus/quotations.py", "int(np.count_nonzero(self._counts[between]))", "len(between)"),
    ),
    mutant(
        "what GloVe has fitted lacks the bias of the context",
        "explain",
        (
            "models/explain.py",
            "model.word_biases_[row] + model.context_biases_[column]",
            "model.word_biases_[row]",
        ),
    ),
    # Probes and early stopping.
    mutant(
        "a probe looks whenever another one does",
        "probes",
        (
            "training/pauses.py",
            "if self._times[place] <= now or self._positions[place] <= reached:",
            "if now and reached:",
        ),
    ),
    mutant(
        "a probe sees the vectors of the pause before",
        "probes",
        (
            "models/base.py",
            "                self.stop()\n            state.vectors = None\n",
            "                self.stop()\n",
        ),
    ),
    mutant(
        "early stopping keeps the last epoch",
        "early_stopping",
        (
            "models/base.py",
            "            early_stopping.use_the_best()",
            "            early_stopping.is_over()",
        ),
    ),
    # Factorization.
    mutant(
        "contexts of PPMI are not smoothed",
        "svd",
        ("models/association.py", "smoothed = of_contexts**smoothing", "smoothed = of_contexts"),
    ),
    mutant(
        "words of PPMI are smoothed in place of contexts",
        "svd",
        (
            "models/association.py",
            "np.log(of_words), np.log(smoothed)",
            "np.log(of_words**smoothing), np.log(of_contexts)",
        ),
    ),
    mutant(
        "PPMI is shifted the other way",
        "svd",
        (
            "models/association.py",
            "np.log(smoothed.sum()) - np.log(shift)",
            "np.log(smoothed.sum()) + np.log(shift)",
        ),
    ),
    mutant(
        "singular values are not weighted",
        "svd",
        (
            "models/svd.py",
            'left * values ** np.float32(state.given["eigenvalue_weighting"])',
            "left * values",
        ),
    ),
    # Classifiers.
    mutant(
        "Adam does not correct the bias of its mean",
        "optimizers",
        ("reference/optimizers.py", " / (1 - BETA1**n_steps)", ""),
        ("kernels/rules.pxd", " / (1 - pow(0.9, n_steps))", ""),
    ),
    mutant(
        "momentum is forgotten",
        "optimizers",
        ("reference/optimizers.py", "v = momentum * velocity[which]", "v = 0 * velocity[which]"),
        ("kernels/rules.pxd", "v = momentum * velocity[k]", "v = 0 * velocity[k]"),
    ),
    mutant(
        "AdaGrad divides before it has added the square",
        "optimizers",
        ("reference/optimizers.py", "(np.sqrt(s) + EPSILON)", "(np.sqrt(s - gradient * gradient) + EPSILON)"),
        ("kernels/rules.pxd", "(root(s) + ", "(root(s - gradient[k] * gradient[k]) + "),
    ),
    mutant(
        "the gradient of the penalty is half of it",
        "network_gradients",
        ("classify/networks/layers.py", "+= 2 * l2 * parameters[name]", "+= l2 * parameters[name]"),
    ),
    mutant(
        "the penalty of softmax regression pulls half as hard",
        "regression_kernel",
        ("kernels/regression.pyx", "2 * l2 * weights[k]", "l2 * weights[k]"),
        ("reference/regression.py", "np.float32(2 * l2)", "np.float32(l2)"),
    ),
    mutant(
        "the last mini-batch of softmax regression is divided by the size of the others",
        "regression_kernel",
        ("kernels/regression.pyx", "1 / <float>size", "1 / <float>batch_size"),
    ),
    mutant(
        "softmax regression steps every time as if for the first time",
        "regression_kernel",
        ("kernels/regression.pyx", "n_steps += 1", "n_steps = 1"),
        ("reference/regression.py", "n_steps + number + 1", "1"),
    ),
    mutant(
        "weights start within bounds that are too small",
        "network_gradients",
        ("classify/networks/layers.py", "np.sqrt(6 / sum(shape))", "np.sqrt(3 / sum(shape))"),
    ),
    mutant(
        "mini-batches come in the same order every epoch",
        "network_training",
        ("classify/networks/estimator.py", "= self._generator.permutation(n)", "= np.arange(n)"),
    ),
    mutant(
        "the learning rate of classifiers falls to a half only",
        "network_training",
        (
            "classify/networks/estimator.py",
            "min_learning_rate=0.0 if falling",
            "min_learning_rate=float(rate) / 2 if falling",
        ),
    ),
    mutant(
        "early stopping keeps the last of equal scores",
        "network_training",
        ("training/loop.py", "if score > self.best:", "if score >= self.best:"),
    ),
    mutant(
        "early stopping waits an epoch longer",
        "network_training text_fitting",
        (
            "training/loop.py",
            "return self.waited >= self.patience",
            "return self.waited > self.patience",
        ),
    ),
    mutant(
        "windows of taggers are read from right to left",
        "windows",
        (
            "classify/words/sentences.py",
            "np.arange(-window, window + 1)",
            "np.arange(window, -window - 1, -1)",
        ),
    ),
    mutant(
        "rows of gradients that are the same are not added",
        "scatter optimizers",
        ("kernels/scatter.pyx", "total[k] += value[k]", "total[k] = value[k]"),
        ("reference/scatter.py", "np.add.at(sums, places, values)", "sums[places] = values"),
    ),
    mutant(
        "documents are trained with the labels of their places",
        "documents_kernel text_classifier",
        ("kernels/documents.pyx", "&labels.labels[number]", "&labels.labels[place]"),
        (
            "reference/documents.py",
            "target, offsets = labels[document : document + 1]",
            "target, offsets = labels[place : place + 1]",
        ),
    ),
    mutant(
        "documents come in the same order every epoch",
        "text_fitting",
        (
            "classify/texts/classifier.py",
            "order[:] = generator.permutation(usable)",
            "order[:] = usable",
        ),
    ),
    mutant(
        "labels of a document stay high for the next ones",
        "documents_kernel",
        ("kernels/documents.pyx", "mark(&step, labels.labels[i], 0)", "pass"),
    ),
    mutant(
        "threads never see what others have learned of labels",
        "documents_kernel",
        ("kernels/documents.pyx", "if output_rows.n_waiting:", "if output_rows.n_waiting > 1:"),
    ),
    mutant(
        "the copies of labels are those of others",
        "documents_kernel",
        ("kernels/documents.pyx", "numbers[0] = row_of_label(labels, label)", "numbers[0] = label"),
    ),
    mutant(
        "paths to labels turn the other way",
        "documents_kernel",
        ("kernels/documents.pyx", "labels.path_codes[first + i] == 0", "labels.path_codes[first + i] != 0"),
    ),
    mutant(
        "texts with several labels are trained with the first alone",
        "text_labels",
        ("classify/texts/labels.py", "(generator.random(len(self)) * sizes).astype(np.int64)", "0 * sizes"),
    ),
    mutant(
        "every label is predicted, however improbable",
        "text_labels",
        (
            "classify/texts/classifier.py",
            "kept = probabilities >= np.float64(threshold)",
            "kept = ~np.isnan(probabilities)",
        ),
    ),
    mutant(
        "of equally probable labels, any is found first",
        "tree_search",
        ("kernels/tree_search.pyx", "return a.number < b.number", "return a.number > b.number"),
    ),
    mutant(
        "the most probable labels are those whose branch looks best, whatever is below it",
        "tree_search",
        ("kernels/tree_search.pyx", "item.bound += slack", "item.bound = -INFINITY if slack else item.bound"),
    ),
    mutant(
        "document vectors start half as large as fastText's",
        "text_fitting text_classifier",
        ("classify/texts/classifier.py", "- 0.5, 2 / d, out", "- 0.5, 1 / d, out"),
    ),
    mutant(
        "n-grams of three words end with their second",
        "word_ngrams text_classifier",
        ("kernels/word_ngrams.pyx", "first = n_words - n", "first = 1"),
        ("reference/word_ngrams.py", "hashes[n - 1 :]", "hashes[1:]"),
    ),
    mutant(
        "idf is not smoothed",
        "text_vectorizer",
        (
            "classify/texts/vectorizer.py",
            "np.log((1 + n_documents) / (1 + np.asarray(n_with_word))) + 1",
            "np.log(n_documents / np.maximum(1, n_with_word)) + 1",
        ),
    ),
    mutant(
        "frequent words weigh more in documents, not less",
        "text_vectorizer",
        (
            "classify/texts/vectorizer.py",
            "self.smoothing / (self.smoothing + shares)",
            "shares / (self.smoothing + shares)",
        ),
    ),
    # Several processes and machines.
    mutant(
        "words of shards are numbered as if each began anew",
        "distributed",
        ("distributed/texts.py", "for path in shard.maps[1:]:", "for path in shard.maps[2:]:"),
    ),
    mutant(
        "a line that begins where a text is cut is lost",
        "distributed",
        ("corpus/parts.py", "place -= 1", "pass"),
    ),
    mutant(
        "the first bytes of a part are looked at as those of a file",
        "distributed",
        ("corpus/reading.py", "if is_beginning(path):", "if True:"),
    ),
    mutant(
        "errors in a part count its own lines",
        "distributed",
        ("distributed/texts.py", "_encoded(replace(source, begin=0), how, memory_limit)", "pass"),
    ),
    mutant(
        "of words in several shards, the counts of one are taken",
        "distributed",
        ("distributed/words.py", "sums[ids] += of_list", "sums[ids] = of_list"),
    ),
    mutant(
        "of what neighbours become together, the last is left out",
        "distributed",
        (
            "distributed/engine.py",
            "range(0, len(level), at_once)]",
            "range(0, len(level) - (len(level) > at_once), at_once)]",
        ),
    ),
    mutant(
        "a call may lose no worker",
        "distributed",
        ("distributed/processes.py", "call.n_lost += 1", "call.n_lost += 4"),
    ),
    mutant(
        "what comes late counts, too",
        "distributed",
        ("distributed/processes.py", "if call.is_done:  # another", "if False:  # another"),
    ),
    mutant(
        "the error of a full disk of temporary files says nothing",
        "distributed",
        (
            "distributed/processes.py",
            "file.write(array.reshape(-1).view(np.uint8).data)",
            "array.tofile(file)",
        ),
    ),
    mutant(
        "the hash of a text depends on its shards",
        "distributed",
        ("corpus/fingerprint.py", "first = min(-begin % at_once, len(part))", "first = 0"),
    ),
    mutant(
        "links of phrases keep the numbers of their shards",
        "distributed",
        ("distributed/pairs.py", "lefts[lefts < 0] = np.array(own, np.int64)[-1 - lefts[lefts < 0]]", "pass"),
    ),
    mutant(
        "workers of any version are taken",
        "distributed",
        ("distributed/engine.py", "if here.version != self.version:", "if False:"),
    ),
    # Rounds of lanes.
    mutant(
        "rows of later blocks are taken from the first rows of these",
        "rounds",
        (
            "distributed/lanes.py",
            "found_in(block, first, used.rows[side][own], ",
            "found_in(block, first, used.rows[side][own] * 0 + first, ",
        ),
    ),
    mutant(
        "frozen rows are among those that a round moves",
        "rounds",
        (
            "distributed/lanes.py",
            'of_rows[0][np.flatnonzero(of_text["frozen"])] = 0',
            "pass",
        ),
    ),
    mutant(
        "a checkpoint of rounds lacks their curvature",
        "rounds",
        (
            "models/base.py",
            "others |= of_rounds",
            "others |= {name: item * 0 for name, item in of_rounds.items()}",
        ),
    ),
    mutant(
        "rounds have their full length from the start",
        "rounds",
        ("training/rounds.py", "min(longest, growing)", "longest"),
    ),
    mutant(
        "the first round comes at once",
        "rounds",
        ("training/rounds.py", "int(BEFORE_ROUNDS * n_positions / self.lanes)", "0"),
    ),
    mutant(
        "words that are held out are trained on in rounds",
        "rounds",
        (
            "training/loop.py",
            "for begin, end in piece for part in self._trained_on(begin, end)]",
            "for begin, end in piece for part in [(begin, min(end, self.schedule.n_positions))]]",
        ),
    ),
    mutant(
        "the curvature of earlier rounds does not fade",
        "rounds",
        ("distributed/directions.py", "self.curvature *= DECAY", "pass"),
    ),
    mutant(
        "a run in rounds is resumed without them",
        "rounds",
        ("models/words.py", "for name, value in of_lanes.items()}", "for name, value in ()}"),
    ),
    mutant(
        "one lane has the threads of the model",
        "rounds",
        (
            "distributed/rounds.py",
            "model._fit(corpus, 1, partial(RoundsHere",
            "model._fit(corpus, model.threads, partial(RoundsHere",
        ),
    ),
    mutant(
        "GloVe elsewhere: what is drawn in tiles does not depend on the counts before a range",
        "tiles_elsewhere",
        ("distributed/ranges.py", "key = (key + n_before) % 2**64", "key = key % 2**64"),
    ),
    mutant(
        "GloVe elsewhere: contexts go where they are",
        "tiles_elsewhere",
        ("distributed/tiles.py", "meets = self._ranges_met(after)", "meets = self._ranges_met(here)"),
    ),
    mutant(
        "GloVe elsewhere: sums of squares stay as they were at the beginning",
        "tiles_elsewhere",
        (
            "distributed/ranges.py",
            "return trained, losses, *sent",
            "trained[1] = words[1]\n    return trained, losses, *sent",
        ),
    ),
    mutant(
        "GloVe elsewhere: a run that is resumed begins its epoch again",
        "tiles_elsewhere",
        (
            "distributed/tiles.py",
            "rounds = self._round_of[first:last]",
            "first = 0\n        rounds = self._round_of[first:last]",
        ),
    ),
    mutant(
        "GloVe: the losses of a tile with matrices of its own are exchanged",
        "glove_tiles",
        ("kernels/glove.pyx", "return first, last", "return last, first"),
    ),
    mutant(
        "the files of large results stay",
        "distributed",
        ("distributed/processes.py", "weakref.finalize(handle, _remove, file.path)", "None"),
    ),
    mutant(
        "weights of combined vectors count by their squares",
        "combine",
        ("vectors/combining.py", "np.float32(np.sqrt(share))", "np.float32(share)"),
    ),
    mutant(
        "a lexicon relates words in one direction only",
        "combine",
        ("vectors/retrofitting.py", "np.concatenate([known, known[:, ::-1]])", "known"),
    ),
    mutant(
        "retrofitted words keep to where they were before, not to their own vectors",
        "combine",
        ("vectors/retrofitting.py", "np.float32(own) * original", "np.float32(own) * matrix"),
    ),
    mutant(
        "bfloat16 is cut off, not rounded",
        "small",
        (
            "formats/compact.py",
            "bits += (bits >> np.uint32(16) & np.uint32(1)) + np.uint32(0x7FFF)",
            "bits += np.uint32(0)",
        ),
    ),
    mutant(
        "int8 is cut off, not rounded",
        "small",
        ("formats/compact.py", "np.rint(rows / divisors)", "np.trunc(rows / divisors)"),
    ),
    mutant(
        "scales of int8 are those of the first rows, whichever are asked for",
        "small",
        ("formats/compact.py", "else self.scales[rows])", "else self.scales[: self.codes[key].shape[0]])"),
    ),
    mutant(
        "ordered dimensions begin with the least",
        "small",
        ("vectors/common.py", "np.linalg.eigh(scatter)[1][:, ::-1]", "np.linalg.eigh(scatter)[1]"),
    ),
    mutant(
        "the right item comes first among items of equal score",
        "next_item",
        ("evaluate/items.py", "(scored >= of_answers).sum(axis=1)", "1 + (scored > of_answers).sum(axis=1)"),
    ),
    mutant(
        "baselines know the items that are held out",
        "next_item",
        ("evaluate/items.py", "corpus = Corpus(parts.training)", "corpus = Corpus(sessions)"),
    ),
    mutant(
        "an item visits itself",
        "next_item",
        ("evaluate/recommenders.py", "is_other = others != item", "is_other = others == others"),
    ),
    mutant(
        "words move to other sentences",
        "sessions_as_sets",
        ("models/sessions.py", ">> (np.uint64(64) - RANDOM_BITS)", ">> (np.uint64(60) - RANDOM_BITS)"),
    ),
    mutant(
        "sessions have the same order in every epoch",
        "sessions_as_sets",
        ("models/sessions.py", "draw(key ^ KEY_OF_ORDER, positions)", "draw(KEY_OF_ORDER, positions)"),
    ),
]

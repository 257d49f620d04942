"""Text classifiers as files of fastText hold them: predicting as its package does, saving, quantizing."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec import functional
from fastvec.classify.labelled_files import LABEL
from fastvec.classify.texts.documents import DocumentRows, Documents, read_labelled
from fastvec.classify.texts.losses import HierarchicalSoftmax, Loss, NegativeSampling, OneVsAll, Softmax
from fastvec.classify.texts.quantization import quantize_matrix
from fastvec.classify.words.lexicon import FIRST_WORD, UNKNOWN, Lexicon
from fastvec.formats import supervised
from fastvec.formats.fasttext import Header, check_names, nodes_of_outputs, outputs_of_nodes
from fastvec.formats.ngrams import Subwords
from fastvec.formats.supervised import Matrix, QuantizedMatrix, SupervisedFile
from fastvec.formats.words import decode_words
from fastvec.training.huffman import HuffmanTree
from fastvec.training.matrices import padded_matrix
from fastvec.training.progress import warn
from fastvec.training.threads import number_of_threads

__all__ = ["load", "quantize", "save"]

Array = NDArray[np.float32]

END = "</s>"
# fastText's table of the sigmoid: 0 below −8, 512 steps from there to 8 and 8 itself, and 1 above.
STEPS, LIMIT = 512, np.float32(8)
OF_STEPS = functional.sigmoid(np.arange(STEPS + 1, dtype=np.float32) * (2 * LIMIT / STEPS) - LIMIT)
SIGMOID = np.concatenate(([0], OF_STEPS, [1])).astype(np.float32)
# What fastText adds to a probability before it takes its logarithm.
EPSILON = np.float32(1e-5)


class _Stepwise(Loss):
    """A loss whose probabilities are those of the table.

    Scores are the places in the table; of labels with the same, the last in the file is the first predicted.
    """

    def __init__(self, counts: NDArray[np.int64], negatives: int, places: NDArray[np.intp]) -> None:
        super().__init__(counts, negatives)
        self.below_one = places / len(places)

    def scores(self, hidden: Array, outputs: Array) -> Array:
        scores = super().scores(hidden, outputs)
        steps = np.floor((np.clip(scores, -LIMIT, LIMIT) + LIMIT) * np.float32(STEPS) / LIMIT / np.float32(2))
        steps[scores < -LIMIT], steps[scores > LIMIT] = -1, STEPS + 1
        places: Array = 1 + steps + self.below_one
        return places

    def probabilities(self, scores: Array) -> Array:
        probabilities: Array = SIGMOID[scores.astype(np.intp)]
        return probabilities


class _OneVsAll(_Stepwise, OneVsAll):
    pass


class _NegativeSampling(_Stepwise, NegativeSampling):
    pass


class _HierarchicalSoftmax(HierarchicalSoftmax):
    added = float(EPSILON)

    def logs_of_turns(self, turns: Array) -> tuple[Array, Array]:
        left, right = (np.log(functional.sigmoid(z) + EPSILON) for z in (turns, -turns))
        return left, right


class FastTextRows(DocumentRows):
    """The rows of a document as in fastText, which are those of a file.

    A document ends with its first ``</s>``, or at its end with one, and labels in it are no words. Words are
    looked up only as they are written.

    Parameters
    ----------
    header : Header
        What the file says.
    classes : int array, shape (K,)
        Which class each label of the file is.
    buckets : int
        How many buckets of n-grams there are.
    quantized : SupervisedFile, optional
        The file, if it is quantized.
    """

    is_of_fasttext = True

    def __init__(
        self,
        header: Header,
        classes: NDArray[np.intp],
        buckets: int,
        quantized: SupervisedFile | None = None,
    ) -> None:
        min_n, max_n, longest = header.subwords.min_n, header.subwords.max_n, max(1, header.word_ngrams)
        ngrams = np.empty(0, np.int64)
        if header.kept_buckets is not None:
            ngrams = header.kept_buckets.astype(np.int64)
        elif longest > 1 or max_n:
            ngrams = np.arange(header.n_buckets)
        lexicon = Lexicon([word.decode(errors="surrogateescape") for word in header.words])
        super().__init__(lexicon, ngrams, longest, buckets, min_n, max_n)
        self.header = header
        self.classes = classes
        self.quantized = quantized
        self.is_quantized = quantized is not None
        self._labels = {label.decode() for label in header.labels}

    def look_up(self, documents: Documents) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the rows of all documents end to end, and where each document's begin."""
        words = documents.words
        is_label = np.array([word in self._labels or self._is_new_label(word) for word in words], np.bool_)
        kept = ~is_label[documents.numbers]
        if END in words:
            ends = np.append(0, np.cumsum(documents.numbers == words.index(END)))
            kept &= ends[1:] == np.repeat(ends[documents.offsets[:-1]], np.diff(documents.offsets))
        if not kept.all():
            documents = documents.only(kept)
        return super().look_up(documents.ending_with(END))

    def _own_rows(self, words: list[str]) -> NDArray[np.int32]:
        known = self.lexicon.as_written
        return np.array([known.get(word, UNKNOWN) for word in words], np.int32)

    def _is_new_label(self, word: str) -> bool:
        return word.startswith(LABEL) and word not in self.lexicon.as_written


def load(path: str | os.PathLike[str], estimator: Any) -> Any:
    """Load a classifier that fastText has saved, as a `TextClassifier`, which is the estimator.

    Raises
    ------
    OSError
        If the file is missing or cannot be read.
    ValueError
        If it is not a classifier of fastText, or is damaged.
    """
    contents = supervised.read(path)
    names = contents.header.labels
    labels, _ = decode_words(
        Path(path), names, None, lambda row: f"{os.fspath(path)}, label {row + 1:,} of {len(names):,}"
    )
    if len(set(labels)) < len(labels) or len(labels) < 2:
        raise ValueError(f"{os.fspath(path)}: a classifier must have two labels or more, all different")
    if all(label.startswith(LABEL) for label in labels):
        labels = [label.removeprefix(LABEL) for label in labels]
    given = contents.header.parameters
    classifier = estimator(
        loss=given["loss"],
        negatives=max(1, given["negatives"]),
        word_ngrams=max(1, contents.header.word_ngrams),
        buckets=max(1, contents.header.n_buckets),
        min_n=given["min_n"],
        max_n=given["max_n"],
        vector_size=given["vector_size"],
        min_count=max(1, given["min_count"]),
        epochs=max(1, given["epochs"]),
    )
    _restore(classifier, contents, np.array(labels))
    classifier.history_, classifier.interrupted_ = [], False
    classifier.n_words_ = int(classifier._word_counts.sum())
    return classifier


def save(classifier: Any, path: str | os.PathLike[str]) -> None:
    """Save a classifier for fastText; the extension is ``.ftz`` for a quantized one, and else ``.bin``."""
    is_quantized = classifier._rows.is_quantized
    extension, what = (".ftz", "quantized") if is_quantized else (".bin", "not quantized")
    if Path(path).suffix.lower() != extension:
        raise ValueError(
            f"path must end in {extension} for a classifier that is {what}, got {os.fspath(path)!r}"
        )
    contents = _contents(classifier)
    differences = _differences(classifier)
    if differences:
        warn(
            f"{os.fspath(path)} predicts as fastText does, which differs from the classifier that is saved: "
            f"{'; '.join(differences)}"
        )
    supervised.write(path, contents)


def _differences(classifier: Any) -> list[str]:
    """Return how predictions of a file differ, beside what `save` describes, which holds for almost all."""
    if isinstance(classifier._rows, FastTextRows):
        return []
    found: list[str] = []
    if END in classifier._rows.lexicon.words:
        found.append(f"a text ends with its first {END}, or is given one")
    if not all(isinstance(label, str) for label in classifier.classes_.tolist()):
        found.append("labels become str")
    if classifier._kind != "one":
        found.append("`predict` returns the most probable label only")
    return found


def quantize(
    classifier: Any,
    X: object,
    y: object,
    cutoff: int | None,
    subvector_size: int,
    separate_norms: bool,
    quantize_output: bool,
) -> Any:
    """Return a quantized classifier; the parameters are those of `TextClassifier.quantize`."""
    if classifier._rows.is_quantized:
        raise ValueError("the classifier is quantized already")
    contents, quantized = _contents(classifier), copy.copy(classifier)
    labels_of_file = classifier.classes_[_classes_of_file(classifier)]
    if cutoff is not None and cutoff < contents.input_vectors.shape[0]:
        contents = _pruned(contents, cutoff)
        if X is not None:
            _restore(quantized, contents, labels_of_file)
            quantized.history_ = list(classifier.history_)
            documents, labels = read_labelled(X, y)
            kept = labels.frequent(int(quantized.min_label_count), quantized.classes_)
            documents, labels = documents.with_labels(labels, kept)
            quantized._train(
                documents,
                labels.of_classes(quantized.classes_),
                int(quantized.epochs),
                float(quantized.min_learning_rate),
                False,
            )
            contents = _contents(quantized)

    def quantized_matrix(matrix: Matrix, subvector_size: int) -> QuantizedMatrix:
        threads, seed = number_of_threads(classifier.threads), int(classifier.seed)
        return quantize_matrix(
            _dense(matrix), subvector_size, separate_norms=separate_norms, threads=threads, seed=seed
        )

    contents = contents._replace(input_vectors=quantized_matrix(contents.input_vectors, subvector_size))
    if quantize_output:
        contents = contents._replace(output_vectors=quantized_matrix(contents.output_vectors, 2))
    _restore(quantized, contents, labels_of_file)
    return quantized


def _restore(classifier: Any, contents: SupervisedFile, labels: NDArray[Any]) -> None:
    """Make what a file holds the state of a classifier; its labels are in the order of the file."""
    header = contents.header
    if header.kept_buckets is None and header.word_ngrams < 2 and not header.subwords.max_n:
        header = header._replace(n_buckets=0)  # nothing points at these rows
    n_words = len(header.words)
    order = np.argsort(labels)
    label_counts = header.counts[n_words:]
    classifier.classes_ = labels[order]
    classifier.label_counts_ = label_counts[order]
    classifier._word_counts = header.counts[:n_words]
    classifier._kind = getattr(classifier, "_kind", "one")
    is_quantized = isinstance(contents.input_vectors, QuantizedMatrix)
    classifier._rows = FastTextRows(
        header, np.argsort(order), int(classifier.buckets), contents if is_quantized else None
    )
    classifier._loss = _loss_of(classifier, label_counts, order)
    d = classifier._vector_size = contents.input_vectors.shape[1]
    inputs = padded_matrix(len(classifier._rows), d)
    inputs[FIRST_WORD:, :d] = _dense(contents.input_vectors)[: len(inputs) - FIRST_WORD]
    outputs = padded_matrix(classifier._loss.n_outputs, d)
    of_labels = _dense(contents.output_vectors)
    in_tree = classifier.loss == "hierarchical_softmax"
    outputs[:, :d] = nodes_of_outputs(of_labels) if in_tree else of_labels[order]
    classifier._matrices = {"input_vectors": inputs, "output_vectors": outputs}


def _loss_of(classifier: Any, label_counts: NDArray[np.int64], order: NDArray[np.intp]) -> Loss:
    counts, negatives = label_counts[order], int(classifier.negatives)
    if classifier.loss == "hierarchical_softmax":
        tree, n = HuffmanTree.as_in_fasttext(label_counts), len(order)
        parents = np.append(tree.parents[:n][order], tree.parents[n:])
        codes = np.append(tree.codes[:n][order], tree.codes[n:])
        return _HierarchicalSoftmax(counts, negatives, HuffmanTree(parents, codes))
    if classifier.loss == "softmax":
        return Softmax(counts, negatives)
    stepwise = _OneVsAll if classifier.loss == "one_vs_all" else _NegativeSampling
    return stepwise(counts, negatives, order)


def _dense(matrix: Matrix) -> Array:
    return matrix.rows() if isinstance(matrix, QuantizedMatrix) else matrix


def _contents(classifier: Any) -> SupervisedFile:
    """Return the file of a classifier."""
    rows, classes = classifier._rows, _classes_of_file(classifier)
    if not isinstance(rows, FastTextRows):
        header = _header(classifier, rows, classes)
    elif rows.quantized is not None:
        return rows.quantized
    else:
        header = rows.header
    parameters = classifier.parameters_
    outputs = parameters["output_vectors"]
    in_tree = classifier.loss == "hierarchical_softmax"
    if in_tree:
        _check_tree(classifier, header.counts[len(header.words) :], classes)
    outputs = outputs_of_nodes(outputs) if in_tree else outputs[classes]
    return SupervisedFile(header, parameters["input_vectors"][FIRST_WORD:], outputs)


def _check_tree(classifier: Any, counts: NDArray[np.int64], classes: NDArray[np.intp]) -> None:
    """Raise ValueError if fastText, which makes the tree of the labels' counts, would make another one."""
    tree, n = HuffmanTree.as_in_fasttext(counts), len(classes)
    own = classifier.tree_
    for theirs, ours in ((tree.parents, own.parents), (tree.codes, own.codes)):
        if (theirs != np.append(ours[:n][classes], ours[n:])).any():
            raise ValueError(
                "in fastText's format, the tree of labels must be that of their counts, and is another one, "
                "as in a file of an earlier version; save as .fvmodel, or fit the classifier again"
            )


def _classes_of_file(classifier: Any) -> NDArray[np.intp]:
    """Return which class each label of its file is: in a new one, the most frequent ones are first."""
    if isinstance(classifier._rows, FastTextRows):
        return classifier._rows.classes
    return np.argsort(-classifier.label_counts_, kind="stable")


def _header(classifier: Any, rows: DocumentRows, classes: NDArray[np.intp]) -> Header:
    if rows.hashing != "fasttext" and rows.longest > 1:
        raise ValueError(
            "n-grams of words must have the hashes of fastText, which those of a classifier that an earlier "
            "version has trained do not have; fit it again"
        )
    words = rows.lexicon.words
    labels = [f"{LABEL}{label}" for label in classifier.classes_[classes].tolist()]
    check_names([*words, *labels])
    both = next(iter({*words}.intersection(labels)), None)
    if both is not None:
        raise ValueError(
            f"the word {both!r} is a label in fastText's format, which cannot hold it as a word, too; save "
            "as .fvmodel"
        )
    has_ngrams = rows.longest > 1 or rows.max_n > 0
    return Header(
        classifier.get_params(deep=False),
        rows.longest,
        rows.buckets if has_ngrams else 0,
        Subwords(rows.min_n, rows.max_n, rows.buckets),
        [word.encode() for word in words],
        [label.encode() for label in labels],
        # fastText divides by the counts of words; those of given vectors may not have occurred
        np.append(np.maximum(classifier._word_counts, 1), classifier.label_counts_[classes]),
        rows.ngrams.astype(np.int32) if has_ngrams else None,
    )


def _pruned(contents: SupervisedFile, cutoff: int) -> SupervisedFile:
    """Return a file with the longest rows only, and that of ``</s>``."""
    header, matrix = contents.header, _dense(contents.input_vectors)
    n_words = len(header.words)
    norms = np.linalg.norm(matrix, axis=1)
    if END.encode() in header.words:
        norms[header.words.index(END.encode())] = np.inf
    rows = np.sort(np.argsort(-norms, kind="stable")[:cutoff])
    words, ngrams = rows[rows < n_words], rows[rows >= n_words] - n_words
    kept = np.arange(header.n_buckets) if header.kept_buckets is None else header.kept_buckets
    header = header._replace(
        words=[header.words[row] for row in words],
        counts=np.append(header.counts[words], header.counts[n_words:]),
        kept_buckets=kept[ngrams].astype(np.int32),
    )
    return contents._replace(header=header, input_vectors=matrix[rows])

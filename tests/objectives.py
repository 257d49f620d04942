"""The objectives of the kernels: for each its loss, in a few lines of double precision, and cases to try.

A row of the table is one `Objective`. Its loss takes the arguments of the kernel's ``step`` under their names
and shares nothing with kernels and references. The matrices may have a dimension more in front: the loss is
then one for each matrix of the stack, so that centred differences of many parameters are one call.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

N_WORDS, N_NODES, N_SUBWORDS, N_PLACES = 24, 41, 30, 10


@dataclass(frozen=True, eq=False)
class Objective:
    """One row of the table.

    Attributes
    ----------
    name : str
        What the tests call it.
    kernel : str
        The module with its ``step``.
    rows : dict
        The matrices that ``step`` changes, with their numbers of rows: first that of inputs, then that of
        outputs, of which scores are products.
    ids : dict
        For each matrix the arguments with the rows that may move; none where all rows do.
    loss : callable
        J from the arguments of ``step``.
    draw : callable
        Random arguments of ``step`` from a generator and a shape.
    shapes : sequence of tuples
        Shapes around the sizes of the kernels' blocks.
    awkward : dict
        Named arguments of ``step``: what a row can be besides itself. The last case has it all.
    split : callable
        Arguments of ``step`` whose J sum up to that of the arguments given.
    n_averaged : callable
        How many inputs a piece of `split` takes the mean, or the sum, of.
    label : callable
        ``label(n, t)`` returns arguments of one step or more, which give the rows 0..n − 1 of one matrix the
        label t, each together with one row < n of every other matrix. Row n is one of zeros. None where J
        is not made of sigmoids.
    labelled : str
        The name of that matrix.
    squares : dict
        Further arguments that ``step`` changes, AdaGrad's accumulators, each with the name of its matrix.
        With ones in them a step is one of plain gradient descent.
    """

    name: str
    kernel: str
    rows: dict[str, int]
    ids: dict[str, tuple[str, ...]]
    loss: Callable
    draw: Callable
    shapes: Sequence[tuple[int, ...]]
    awkward: dict[str, dict]
    split: Callable
    n_averaged: Callable
    label: Callable | None = None
    labelled: str = "output_vectors"
    squares: dict[str, str] = field(default_factory=dict)

    def __str__(self):
        return self.name

    @property
    def outputs(self):
        """Return the name of the second matrix, whose gradient ``scale_gradient`` does not change."""
        return list(self.rows)[1]

    def touched(self, matrix, arguments):
        """Return the rows of a matrix that a step may change, as often as they are named."""
        if self.ids[matrix]:
            return np.concatenate([np.ravel(arguments[name]) for name in self.ids[matrix]])
        return np.arange(self.rows[matrix])


def numeric_gradient(loss, matrices, arguments, epsilon=1e-5):
    """Centred differences of the loss for every parameter of every matrix, a row at a time."""
    matrices = {name: np.asarray(matrix, dtype=np.float64) for name, matrix in matrices.items()}
    gradient = {name: np.empty_like(matrix) for name, matrix in matrices.items()}
    for name, matrix in matrices.items():
        n = matrix.shape[1]
        steps = epsilon * np.concatenate((np.eye(n), -np.eye(n)))
        moved = np.repeat(matrix[np.newaxis], 2 * n, axis=0)
        for row in range(len(matrix)):
            moved[:, row] += steps
            above, below = loss(**matrices | {name: moved}, **arguments).reshape(2, n)
            gradient[name][row] = (above - below) / (2 * epsilon)
            moved[:, row] = matrix[row]
    return gradient


def pooled(x, mean):
    """The mean of rows, or their sum, as a row."""
    return x.mean(axis=-2, keepdims=True) if mean else x.sum(axis=-2, keepdims=True)


def alternating(random, arguments):
    """Arguments with the mean in one case and the sum in another: which is in no product of matrices."""
    return arguments | {"mean": bool(random.integers(2))}


def summed(arguments):
    return arguments | {"mean": False}


def int32(ids):
    return np.array(ids, dtype=np.int32)


def dot(x, y):
    return x @ np.swapaxes(y, -1, -2)


def logistic_loss(x, outputs, high, low):
    """−Σ log σ(x · y) over the outputs `high` and −Σ log σ(−x · y) over the outputs `low`, for all x."""
    return np.logaddexp(0, -dot(x, outputs[..., high, :])).sum(axis=(-2, -1)) + np.logaddexp(
        0, dot(x, outputs[..., low, :])
    ).sum(axis=(-2, -1))


def draw_contexts(random, n_contexts, words):
    """Distinct words as far as there are any, else a few of them many times."""
    return int32(words[:n_contexts] if n_contexts < N_WORDS else random.choice(words[:9], n_contexts))


# ---- Negative sampling: skip-gram and CBOW ----------------------------------------------------------------


def ranking_loss(x, outputs, high, low):
    """−Σ log σ(x · y₀ − x · y) over the outputs `low`, with the only output `high` as y₀, for all x."""
    return np.logaddexp(0, dot(x, outputs[..., low, :] - outputs[..., high, :])).sum(axis=(-2, -1))


# Of the scores of a target and its negatives, by their names in kernels.
SCORE_LOSSES = {"negative_sampling": logistic_loss, "bpr": ranking_loss}


def skipgram_loss(input_vectors, output_vectors, contexts, center, negatives, loss):
    x = input_vectors[..., contexts, :]
    return SCORE_LOSSES[loss](x, output_vectors, [center], negatives[negatives != center])


def draw_window(random, n_contexts, n_negatives):
    words = random.permutation(N_WORDS)
    return {
        "contexts": draw_contexts(random, n_contexts, words),
        "center": int(words[-1]),
        "negatives": int32(random.choice(words[5:], n_negatives)),
    }


# (contexts, negatives) around blocks of two, three and four contexts and of six outputs
WINDOW_SHAPES = [
    *[(1, 0), (1, 1), (1, 5), (2, 6), (3, 5), (4, 20), (5, 0)],
    *[(7, 11), (8, 1), (13, 6), (15, 5), (16, 5), (40, 11)],
]


def window(contexts, center, negatives):
    return {"contexts": int32(contexts), "center": center, "negatives": int32(negatives)}


AWKWARD_WINDOWS = {
    "a context twice": window([7, 3, 7], 11, [2, 19, 5, 0, 22]),
    "a context three times, another twice": window([7, 3, 7, 14, 3, 7], 11, [2, 19, 5, 0, 22]),
    "only one context, often": window([9] * 5, 23, [2, 19, 5, 0, 22]),
    "a negative twice": window([7, 3], 11, [2, 19, 2, 0, 22]),
    "a negative in two blocks": window([7, 3, 8], 11, [2, 19, 5, 0, 22, 17, 2, 19, 13, 1]),
    "the same negative always": window([7], 11, [6] * 11),
    "the centre among the negatives": window([7, 3], 11, [2, 11, 5, 0, 22]),
    "the centre in the second block": window([7, 3], 11, [2, 12, 5, 0, 22, 11, 9]),
    "only the centre as negatives": window([7, 3, 18], 11, [11, 11, 11]),
    "a context that is the centre": window([7, 11, 3], 11, [2, 19, 5, 0, 22]),
    "every context is the centre": window([11, 11], 11, [2, 19, 5, 0, 22]),
    "contexts that are negatives": window([7, 3, 2], 11, [2, 3, 7, 3, 22]),
    "everything is one word": window([4, 4, 4], 4, [4, 4]),
    "first and last word": window([0, 23], 0, [23, 23, 0, 0, 23]),
    "all at once": window([7, 11, 3, 7, 2], 11, [2, 11, 2, 7, 22, 11, 22, 22, 0, 3, 16, 2]),
}


def split_contexts(arguments):
    return [arguments | {"contexts": arguments["contexts"][[c]]} for c in range(len(arguments["contexts"]))]


def skipgram(loss, label=None):
    """Skip-gram with a loss; one that costs nothing without negatives is tried with some."""
    return Objective(
        name="skip-gram" if loss == "negative_sampling" else f"skip-gram, {loss}",
        kernel="skipgram",
        rows={"input_vectors": N_WORDS, "output_vectors": N_WORDS},
        ids={"input_vectors": ("contexts",), "output_vectors": ("center", "negatives")},
        loss=skipgram_loss,
        draw=lambda *shape: draw_window(*shape) | {"loss": loss},
        shapes=[shape for shape in WINDOW_SHAPES if label or shape[1] > 1],
        awkward={case: arguments | {"loss": loss} for case, arguments in AWKWARD_WINDOWS.items()},
        split=split_contexts,
        n_averaged=lambda arguments: 1,
        label=label,
        labelled="input_vectors",
    )


def label_contexts(n, t):
    return [window(np.arange(n)[::-1], 0 if t else n, [] if t else [0]) | {"loss": "negative_sampling"}]


SKIPGRAM = skipgram("negative_sampling", label_contexts)


def cbow_loss(
    input_vectors,
    output_vectors,
    position_weights,
    contexts,
    positions,
    center,
    negatives,
    mean,
    scale_gradient,
):
    x = input_vectors[..., contexts, :]
    if position_weights is not None:
        x = x * position_weights[..., positions, :]
    return logistic_loss(pooled(x, mean), output_vectors, [center], negatives[negatives != center])


def draw_cbow(random, n_contexts, n_negatives):
    positions = int32(random.integers(0, N_PLACES, n_contexts))
    drawn = draw_window(random, n_contexts, n_negatives)
    return alternating(random, drawn | {"positions": positions, "scale_gradient": True})


def placed(arguments, positions=None):
    """A window for CBOW: its contexts at the given places, or around the centre."""
    if positions is None:
        n = len(arguments["contexts"])
        positions = np.arange(n) + (N_PLACES - n) // 2
    return arguments | {"positions": int32(positions), "mean": True, "scale_gradient": True}


AWKWARD_PLACES = {name: placed(arguments) for name, arguments in AWKWARD_WINDOWS.items()} | {
    "two contexts at one place": placed(window([7, 3, 8], 11, [2, 19, 5]), [4, 6, 4]),
    "every context at one place": placed(window([7, 3, 8, 1], 11, [2, 19, 5]), [5] * 4),
    "a context twice at one place": placed(window([7, 3, 7], 11, [2, 19, 5]), [4, 6, 4]),
    "first and last place": placed(window([0, 23, 0], 23, [0, 0, 23]), [9, 0, 9]),
    "the sum": summed(placed(AWKWARD_WINDOWS["all at once"], [0, 9, 4, 4, 9])),
    "all at once": placed(AWKWARD_WINDOWS["all at once"], [0, 9, 4, 4, 9]),
}


def with_no_weights(arguments):
    return arguments | {"position_weights": None}


def label_cbow(n, t):
    if t:
        return [placed(window([i], i, []), [i]) for i in range(n)]
    return [placed(window([0], n, np.arange(n)), [0])]


CBOW_WITH_POSITION_WEIGHTS = Objective(
    name="CBOW with position weights",
    kernel="cbow",
    rows={"input_vectors": N_WORDS, "output_vectors": N_WORDS, "position_weights": N_PLACES},
    ids=SKIPGRAM.ids | {"position_weights": ("positions",)},
    loss=cbow_loss,
    draw=draw_cbow,
    shapes=WINDOW_SHAPES,
    awkward=AWKWARD_PLACES,
    split=lambda arguments: [arguments],
    n_averaged=lambda arguments: len(arguments["contexts"]),
    label=label_cbow,
)

CBOW = Objective(
    name="CBOW",
    kernel="cbow",
    rows=SKIPGRAM.rows,
    ids=SKIPGRAM.ids,
    loss=cbow_loss,
    draw=lambda *shape: with_no_weights(draw_cbow(*shape)),
    shapes=WINDOW_SHAPES,
    awkward={
        "the sum": summed(with_no_weights(placed(AWKWARD_WINDOWS["all at once"]))),
        **{name: with_no_weights(placed(case)) for name, case in AWKWARD_WINDOWS.items()},
    },
    split=CBOW_WITH_POSITION_WEIGHTS.split,
    n_averaged=CBOW_WITH_POSITION_WEIGHTS.n_averaged,
    label=lambda n, t: [with_no_weights(arguments) for arguments in label_cbow(n, t)],
)


# ---- Hierarchical softmax ---------------------------------------------------------------------------------


def hierarchical_loss(input_vectors, node_vectors, contexts, nodes, codes, cbow, mean, scale_gradient):
    x = input_vectors[..., contexts, :]
    if cbow:
        x = pooled(x, mean)
    return logistic_loss(x, node_vectors, nodes[codes == 0], nodes[codes == 1])


def path(contexts, nodes, codes, cbow):
    codes = np.array(codes, dtype=np.uint8)
    return {
        "contexts": int32(contexts),
        "nodes": int32(nodes),
        "codes": codes,
        "cbow": cbow,
        "mean": True,
        "scale_gradient": True,
    }


def split_nodes(arguments):
    return [
        arguments | {name: arguments[name][[n]] for name in ("nodes", "codes")}
        for n in range(len(arguments["nodes"]))
    ]


def hierarchical_softmax(name, cbow):
    def draw(random, n_contexts, length):
        contexts = draw_contexts(random, n_contexts, random.permutation(N_WORDS))
        drawn = path(contexts, random.permutation(N_NODES)[:length], random.integers(0, 2, length), cbow)
        return alternating(random, drawn) if cbow else drawn

    return Objective(
        name=name,
        kernel="hierarchical_softmax",
        rows={"input_vectors": N_WORDS, "node_vectors": N_NODES},
        ids={"input_vectors": ("contexts",), "node_vectors": ("nodes",)},
        loss=hierarchical_loss,
        draw=draw,
        # (contexts, length of the path)
        shapes=[
            *[(1, 1), (1, 2), (1, 6), (2, 7), (3, 5), (4, 12), (5, 13), (7, 1)],
            *[(8, 18), (13, 6), (16, 17), (16, 40), (1, 40), (40, 11)],
        ],
        awkward={
            "a context twice": path([7, 3, 7], [0, 19, 5, 7], [0, 1, 1, 0], cbow),
            "a context three times, another twice": path([7, 3, 7, 14, 3, 7], [0, 19, 5], [1, 1, 0], cbow),
            "only one context, often": path([9] * 5, [0, 19, 5], [1, 0, 0], cbow),
            "nodes that are contexts' numbers": path([7, 3, 1], [3, 7, 1], [0, 1, 0], cbow),
            "a path of zeros": path([7, 3, 1], [8, 2, 5, 21, 40, 1, 0], [0] * 7, cbow),
            "a path of ones": path([7, 3, 1], [8, 2, 5, 21, 40, 1, 0], [1] * 7, cbow),
            "first and last": path([23, 0], [40, 0], [0, 1], cbow),
            "the sum": summed(path([0, 7, 23, 7, 7, 3, 0], [40, 7, 0, 3], [0, 1, 1, 0], cbow)),
            "the longest path": path([23, 0, 4], np.arange(N_NODES)[::-1], np.arange(N_NODES) % 2, cbow),
            "all at once": path(
                [0, 7, 23, 7, 7, 3, 0], [40, 7, 0, 3, 12, 30, 23], [0, 1, 1, 0, 1, 0, 0], cbow
            ),
        },
        split=split_nodes if cbow else split_contexts,
        n_averaged=lambda arguments: len(arguments["contexts"]) if cbow else 1,
        label=lambda n, t: [path([0], np.arange(n), np.full(n, 1 - t), cbow)],
        labelled="node_vectors",
    )


# ---- Softmax ----------------------------------------------------------------------------------------------


def softmax_loss(
    input_vectors, output_vectors, inputs, input_offsets, targets, target_offsets, mean, scale_gradient
):
    """With means, or sums, and counts as matrices: h = A X, J = Σ_b Σ_w M_bw (log Σ_v exp z_bv − z_bw)."""
    n_examples = len(input_offsets) - 1
    means = np.zeros((n_examples, input_vectors.shape[-2]))
    counts = np.zeros((n_examples, output_vectors.shape[-2]))
    for b in range(n_examples):
        ids = inputs[input_offsets[b] : input_offsets[b + 1]]
        np.add.at(means[b], ids, 1 / len(ids) if mean else 1)
        np.add.at(counts[b], targets[target_offsets[b] : target_offsets[b + 1]], 1)
    scores = dot(means @ input_vectors, output_vectors)
    log_sums = np.log(np.exp(scores).sum(axis=-1, keepdims=True))
    return (counts * (log_sums - scores)).sum(axis=(-2, -1))


def batch(*examples):
    """Examples (inputs, targets) one after the other."""
    made = {"mean": True, "scale_gradient": True}
    for name, lists in zip(("input", "target"), zip(*examples, strict=True), strict=True):
        made[f"{name}s"] = int32(np.concatenate(lists))
        made[f"{name}_offsets"] = np.cumsum([0, *map(len, lists)], dtype=np.int64)
    return made


def draw_batch(random, n_examples, most_inputs, most_targets):
    """The first example is the largest that may be, the others are smaller."""
    sizes = random.integers(1, [most_inputs + 1, most_targets + 1], (n_examples, 2))
    sizes[0] = most_inputs, most_targets
    return batch(*[(random.choice(N_WORDS, i), random.choice(N_WORDS, t)) for i, t in sizes])


def split_examples(arguments):
    pieces = []
    for b in range(len(arguments["input_offsets"]) - 1):
        example = [
            arguments[f"{name}s"][slice(*arguments[f"{name}_offsets"][b : b + 2])]
            for name in ("input", "target")
        ]
        pieces.append(batch(example) | {name: arguments[name] for name in ("mean", "scale_gradient")})
    return pieces


SOFTMAX = Objective(
    name="softmax",
    kernel="softmax",
    rows={"input_vectors": N_SUBWORDS, "output_vectors": N_WORDS},
    ids={"input_vectors": ("inputs",), "output_vectors": ()},
    loss=softmax_loss,
    draw=draw_batch,
    # (examples, inputs, targets): first those of skip-gram, then those of CBOW, then others
    shapes=[
        *[(1, 1, 1), (1, 1, 2), (1, 1, 10), (2, 1, 3), (3, 1, 40), (4, 1, 5), (15, 1, 10), (16, 1, 10)],
        *[(1, 10, 1), (2, 3, 1), (5, 40, 1), (7, 2, 1), (8, 5, 1), (16, 10, 1)],
        *[(17, 4, 3), (33, 2, 6)],
    ],
    awkward={
        "a target twice": batch(([7], [3, 11, 3])),
        "only one target, often": batch(([7], [3] * 5)),
        "an input twice": batch(([7, 2, 7], [3])),
        "only one input, often": batch(([9] * 5, [3])),
        "an input that is its target": batch(([7], [7, 3]), ([3, 7], [3])),
        "one centre in two examples": batch(([7], [3, 2]), ([8], [5]), ([7], [2, 11])),
        "one target in two examples": batch(([7, 1], [3]), ([8, 4, 5], [5]), ([9], [3])),
        "the same example always": batch(*[([7, 2], [3])] * 16),
        "an input in means of different sizes": batch(([7], [3]), ([7, 8, 7], [5]), ([1, 7], [0])),
        "first and last": batch(([0], [23, 0]), ([29], [0]), ([23, 29], [23, 23])),
        "every word a target": batch(([7], np.arange(N_WORDS))),
        "the sum": summed(batch(([7], [3, 7, 3]), ([0, 7, 7], [23]), ([29, 0, 29, 12], [0]))),
        "more than one batch of the kernel": batch(*[([b % 7], [b % 5, 3]) for b in range(20)]),
        "all at once": batch(
            ([7], [3, 7, 3]), ([0, 7, 7], [23]), ([7], [3, 2]), ([29, 0, 29, 12], [0]), ([2], [2] * 3)
        ),
    },
    split=split_examples,
    n_averaged=lambda arguments: len(arguments["inputs"]),
)


# ---- Subwords ---------------------------------------------------------------------------------------------


def subword_loss(input_vectors, output_vectors, inputs, targets, negatives, n_first, mean, scale_gradient):
    h = pooled(input_vectors[..., inputs, :], mean)
    return logistic_loss(h, output_vectors, targets, negatives[negatives != targets[:, np.newaxis]])


def bag(inputs, targets, negatives, n_first=2):
    return {
        "inputs": int32(inputs),
        "targets": int32(targets),
        "negatives": int32(negatives).reshape(len(targets), -1),
        "n_first": min(n_first, len(inputs)),
        "mean": True,
        "scale_gradient": True,
    }


def draw_bag(random, n_inputs, n_targets, n_negatives):
    drawn = bag(
        random.choice(N_SUBWORDS, n_inputs),
        random.choice(N_WORDS, n_targets),
        random.choice(N_WORDS, (n_targets, n_negatives)),
        n_first=1 + n_inputs // 2,
    )
    return alternating(random, drawn)


def split_targets(arguments):
    return [
        arguments | {name: arguments[name][[t]] for name in ("targets", "negatives")}
        for t in range(len(arguments["targets"]))
    ]


SUBWORD = Objective(
    name="subwords",
    kernel="subword",
    rows={"input_vectors": N_SUBWORDS, "output_vectors": N_WORDS},
    ids={"input_vectors": ("inputs",), "output_vectors": ("targets", "negatives")},
    loss=subword_loss,
    draw=draw_bag,
    # (inputs, targets, negatives): first those of skip-gram, then those of CBOW
    shapes=[
        *[(1, 1, 0), (1, 1, 1), (1, 2, 5), (2, 16, 5), (3, 3, 6), (6, 7, 1), (7, 4, 11), (8, 10, 5)],
        *[(13, 2, 20), (17, 20, 3), (2, 1, 5), (16, 1, 5), (15, 1, 6), (60, 1, 11)],
    ],
    awkward={
        "an input twice": bag([7, 3, 7], [11], [2, 19, 5]),
        "only one input, often": bag([29] * 5, [11, 4], [[2, 19, 5], [1, 8, 6]]),
        "a target twice": bag([7, 3], [11, 5, 11], [[2, 19, 5], [1, 8, 6], [0, 22, 3]]),
        "only one target, often": bag([7, 3], [11] * 7, np.arange(7)[:, np.newaxis]),
        "a negative twice": bag([7, 3], [11, 4], [[2, 19, 2], [19, 8, 6]]),
        "the same negative always": bag([7, 3], [11, 4], [[6] * 11] * 2),
        "the same negatives for every target": bag([7, 3], [11, 4, 9], [[2, 19, 5]] * 3),
        "a negative that is its target": bag([7, 3], [11, 4], [[2, 11, 5], [4, 4, 8]]),
        "only negatives that are their targets": bag([7, 3], [11, 4], [[11, 11], [4, 4]]),
        "a negative that is another's target": bag([7, 3], [11, 4, 9], [[4, 2, 9], [9, 11, 11], [1, 2, 4]]),
        "an input that is target and negative": bag([7, 3, 25], [7, 4], [[3, 2, 9], [3, 7, 11]]),
        "everything is one word": bag([4, 4, 4], [4, 4], [[4, 4], [4, 4]]),
        "first and last": bag([29, 0], [23, 0], [[0, 23, 0], [23, 0, 23]]),
        "the sum": summed(bag([7, 0, 25, 7, 29, 25], [11, 4], [[2, 11, 2], [4, 11, 2]], n_first=4)),
        "all at once": bag(
            [7, 0, 25, 7, 29, 25, 7],
            [11, 4, 11, 0, 23],
            [[2, 11, 2, 4, 22], [4, 11, 2, 2, 0], [7, 3, 11, 4, 16], [0, 0, 0, 23, 23], [11, 22, 0, 23, 9]],
            n_first=5,
        ),
    },
    split=split_targets,
    n_averaged=lambda arguments: len(arguments["inputs"]),
    label=lambda n, t: [bag([0], np.arange(n), []) if t else bag([0], [n], np.arange(n))],
)


def ngram_tree_loss(input_vectors, node_vectors, inputs, nodes, codes, n_first, mean, scale_gradient):
    h = pooled(input_vectors[..., inputs, :], mean)
    return logistic_loss(h, node_vectors, nodes[codes == 0], nodes[codes == 1])


def bag_and_paths(inputs, nodes, codes, n_first=2):
    """A bag and the nodes of paths, one after the other."""
    return {
        "inputs": int32(inputs),
        "nodes": int32(nodes),
        "codes": np.array(codes, dtype=np.uint8),
        "n_first": min(n_first, len(inputs)),
        "mean": True,
        "scale_gradient": True,
    }


def draw_bag_and_paths(random, n_inputs, n_nodes):
    inputs, nodes = random.choice(N_SUBWORDS, n_inputs), random.choice(N_NODES, n_nodes)
    drawn = bag_and_paths(inputs, nodes, random.integers(0, 2, n_nodes), n_first=1 + n_inputs // 2)
    return alternating(random, drawn)


NGRAM_TREE = Objective(
    name="hierarchical softmax of subwords",
    kernel="ngram_tree",
    rows={"input_vectors": N_SUBWORDS, "node_vectors": N_NODES},
    ids={"input_vectors": ("inputs",), "node_vectors": ("nodes",)},
    loss=ngram_tree_loss,
    draw=draw_bag_and_paths,
    shapes=[
        (1, 1),
        (2, 6),
        (3, 7),
        (8, 12),
        (13, 13),
        (2, 40),
        (17, 5),
        (15, 60),
        (60, 2),
    ],  # (inputs, nodes)
    awkward={
        "an input twice": bag_and_paths([7, 3, 7], [0, 19, 5, 7], [0, 1, 1, 0]),
        "a node on two paths": bag_and_paths([7, 3], [40, 19, 5, 40, 6], [1, 1, 0, 1, 0]),
        "paths that part": bag_and_paths([7, 3], [40, 19, 5, 40, 6], [0, 1, 0, 1, 0]),
        "one node, often": bag_and_paths([7, 3], [40] * 16, [0, 1, 1, 0] * 4),
        "the sum": summed(bag_and_paths([7, 0, 25, 7, 29, 25], [40, 3, 40, 5], [0, 1, 1, 1], n_first=4)),
        "all at once": bag_and_paths(
            [7, 0, 25, 7, 29, 25, 7],
            [40, 39, 7, 40, 39, 8, 40, 3, 40, 3, 0],
            [0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1],
            n_first=5,
        ),
    },
    split=split_nodes,
    n_averaged=lambda arguments: len(arguments["inputs"]),
    label=lambda n, t: [bag_and_paths([0], np.arange(n), np.full(n, 1 - t))],
    labelled="node_vectors",
)


# ---- GloVe ------------------------------------------------------------------------------------------------


def glove_loss(word_vectors, context_vectors, word, context, log_count, weight):
    scores = (word_vectors[..., word, :] * context_vectors[..., context, :]).sum(axis=-1)
    return weight / 2 * (scores - log_count) ** 2


def pair(word, context, log_count, weight):
    return {"word": word, "context": context, "log_count": log_count, "weight": weight}


GLOVE = Objective(
    name="GloVe",
    kernel="glove",
    rows={"word_vectors": N_WORDS, "context_vectors": N_WORDS},
    ids={"word_vectors": ("word",), "context_vectors": ("context",)},
    loss=glove_loss,
    draw=lambda random, word, context: pair(word, context, *random.uniform([6, 0.1], [9, 1])),
    shapes=[(0, 0), (0, 23), (23, 0), (23, 23), (7, 7), (7, 8), (8, 7), (15, 16)],  # (word, context)
    awkward={
        "a count of 1": pair(7, 3, 0.0, 1.0),
        "a weight of 0": pair(7, 3, 6.0, 0.0),
        "all at once": pair(11, 11, -7.25, 0.05),
    },
    split=lambda arguments: [arguments],
    n_averaged=lambda arguments: 1,
    squares={"word_squares": "word_vectors", "context_squares": "context_vectors"},
)


OBJECTIVES = [
    SKIPGRAM,
    CBOW,
    CBOW_WITH_POSITION_WEIGHTS,
    *[skipgram(loss) for loss in list(SCORE_LOSSES)[1:]],
    hierarchical_softmax("hierarchical softmax", cbow=False),
    hierarchical_softmax("hierarchical softmax of CBOW", cbow=True),
    SOFTMAX,
    SUBWORD,
    NGRAM_TREE,
    GLOVE,
]

"""Skip-gram with negative sampling.

Objective. For a centre word with contexts c = 1..C (input vectors x_c) and K noise words (negatives), with
y₀ the output vector of the centre and y₁..y_K those of the negatives, minimize

    J = Σ_c [ −log σ(x_c · y₀) − Σ_{k=1..K} log σ(−x_c · y_k) ]

Gradient. With the labels t₀ = 1, t_k = 0 and the errors δ_cn = σ(x_c · yₙ) − tₙ,

    ∂J/∂x_c = Σₙ δ_cn yₙ        ∂J/∂yₙ = Σ_c δ_cn x_c

Update. The errors are those from before the update. The contexts then move one after the other, each by the
output rows as the contexts before it have moved them: for c = 1..C

    x_c ← x_c − η Σₙ δ_cn yₙ        and then        yₙ ← yₙ − η δ_cn x_c with the x_c from before

which costs what an update by all rows from before costs, and is closer to one of pair after pair: see
reference/skipgram.py. A word that occurs twice among the contexts or the negatives counts twice, as a context
at its first place; a negative that is the centre is left out.

Compromises, and where they come from:

- The inputs are the contexts and the output is the centre, as in word2vec.c, so that a window is a small
  matrix product. With ``shared=True`` all its contexts share one set of K negatives (HogBatch: Ji, Satish, Li
  and Dubey 2016), at most ``MAX_SHARED`` contexts an update; with ``shared=False`` every (centre, context)
  pair has its own negatives and its own update, one after the other (Mikolov et al. 2013).
- σ comes from a table of 16 cubics on [−8, 8], absolute error below 3e-6; outside it keeps the value at the
  edge, so that the gradient saturates and does not vanish.
- Several threads may call `train` on the same matrices without locks (Hogwild: Niu, Recht, Ré and Wright
  2011).
"""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from .drawn cimport (
    Drawn, allocate_drawn, draw_outputs, free_drawn, repeats_of, rows_ahead, rows_of, sets_of,
)
from .logistic cimport (
    Step, allocate, compute_coefficients, compute_loss, merge_inputs, merge_outputs, update_rows, use_inputs,
    use_outputs,
)
from .vector cimport copy_rows, fill_sigmoid_table
from .walk cimport Walk, find_repeats, walk_chunk, walk_rows

cdef enum:
    MAX_SHARED = 16    # more inputs in one step and the sum of their gradients overshoots

fill_sigmoid_table()


def step(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    const int32_t[::1] contexts,
    int32_t center,
    const int32_t[::1] negatives,
    float learning_rate,
):
    """Take one gradient step for one window.

    Parameters
    ----------
    input_vectors, output_vectors : IN/OUT, float32 (n_words, stride)
        The matrices, rows padded with zeros to a multiple of 16.
    contexts : IN, int32 (C,)
        Word ids, C >= 1, repetitions allowed.
    center : IN, int
        Word id.
    negatives : IN, int32 (K,)
        Word ids, K >= 0, repetitions and the centre allowed.
    learning_rate : IN, float
        η; with 0 nothing changes.

    Returns
    -------
    float
        J before the update.
    """
    cdef Step work
    cdef Py_ssize_t n_contexts = contexts.shape[0], n_outputs = 1 + negatives.shape[0], i
    cdef Py_ssize_t stride = input_vectors.shape[1]
    cdef float **rows
    cdef double loss = 0
    cdef bint failed
    memset(&work, 0, sizeof(work))
    with nogil:
        rows = <float **>malloc((n_contexts + n_outputs) * sizeof(float *))
        failed = rows == NULL or allocate(&work, stride, n_contexts, n_outputs) != 0
        if not failed:
            for i in range(n_contexts):
                rows[i] = &input_vectors[0, 0] + contexts[i] * stride
            merge_inputs(&work, rows, n_contexts)
            rows[0] = &output_vectors[0, 0] + center * stride
            for i in range(1, n_outputs):
                rows[i] = &output_vectors[0, 0] + negatives[i - 1] * stride
            merge_outputs(&work, rows, n_outputs)
            loss = compute_loss(&work)
            compute_coefficients(&work, learning_rate)
            update_rows(&work)
        free(rows)
        free(work.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a step")
    return loss


def train(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    const int32_t[::1] ids,
    const int64_t[::1] sentence_offsets,
    int64_t start,
    int64_t stop,
    const uint32_t[::1] keep,
    const uint32_t[:, ::1] noise,
    Py_ssize_t window,
    Py_ssize_t negatives,
    bint shared,
    float learning_rate,
    uint64_t key,
    uint64_t loss_every,
):
    """Train on the words at positions [start, stop) of the corpus as centres.

    Windows reach over the ends of the chunk, never over the ends of a sentence, and count kept words only.

    Parameters
    ----------
    input_vectors, output_vectors : IN/OUT, float32 (n_words, stride)
        The matrices, rows padded with zeros to a multiple of 16.
    ids : IN, int32 (n_tokens,)
        The corpus; ids >= n_words are skipped as if they were not there.
    sentence_offsets : IN, int64 (n_sentences + 1,)
        Sentence s is ids[sentence_offsets[s]:sentence_offsets[s + 1]].
    start, stop : IN, int
        The chunk.
    keep : IN, uint32 (n_words,)
        A word is kept with probability (keep + 1) / 2³².
    noise : IN, uint32 (n_words, 2)
        Alias table of the negatives: (threshold, alias).
    window : IN, int
        Windows reach 1..window words to either side, drawn uniformly for every centre.
    negatives : IN, int
        K.
    shared : IN, bool
        One set of negatives for all contexts of a window, or one for each.
    learning_rate : IN, float
        η.
    key : IN, uint64
        Start of the epoch's random sequence.
    loss_every : IN, int, a power of 2
        The loss is taken of centres at positions divisible by it.

    Returns
    -------
    loss : float
        Sum of J over the sampled windows, in double precision.
    sampled_pairs, pairs : int
        (centre, context) pairs in that sum, and trained in all.
    """
    cdef Step work
    cdef Walk walk
    cdef Drawn drawn
    cdef float *inputs = &input_vectors[0, 0]
    cdef float *outputs = &output_vectors[0, 0]
    cdef Py_ssize_t stride = input_vectors.shape[1]
    cdef uint32_t n_words = <uint32_t>keep.shape[0]
    cdef Py_ssize_t sets = 1 if shared else 2 * window
    cdef Py_ssize_t at_once = MAX_SHARED if shared else 1
    cdef Py_ssize_t ahead = rows_ahead(1 + sets * (1 + negatives), stride)
    cdef float **rows = NULL   # of the words of the walk
    cdef float **contexts
    cdef float **next_rows     # of the position that is `ahead`
    cdef Py_ssize_t i, c, n, n_contexts, n_sets, next_sets
    cdef int64_t sampled_pairs = 0, pairs = 0
    cdef double loss = 0
    cdef bint sampled, repeats, failed
    memset(&walk, 0, sizeof(walk))
    memset(&work, 0, sizeof(work))
    with nogil:
        contexts = <float **>malloc((4 * window + 8) * sizeof(float *))
        failed = (
            allocate_drawn(&drawn, negatives, sets, 1) != 0
            or contexts == NULL
            or allocate(&work, stride, at_once, 1 + negatives) != 0
            or walk_chunk(
                &walk, &ids[0], &sentence_offsets[0], sentence_offsets.shape[0] - 1, start, stop,
                &keep[0], n_words, <uint32_t>window, key, 1 + sets * negatives
            ) != 0
        )
        if not failed:
            find_repeats(&walk, window)
            rows = walk_rows(&walk, inputs, stride, 2 * window + 8)
            failed = rows == NULL
        drawn.stop = walk.first
        for i in range(walk.first, walk.first if failed else walk.last):
            if i + ahead >= drawn.stop and drawn.stop < walk.last:
                draw_outputs(
                    &drawn, &work, &walk, window, min(i + drawn.capacity, walk.last),
                    inputs, outputs, &noise[0, 0], n_words, key
                )
            n_contexts = walk.end[i] - walk.begin[i] - 1
            sampled = walk.positions[i] & (loss_every - 1) == 0
            pairs += n_contexts
            sampled_pairs += n_contexts if sampled else 0
            # always the rows of as many contexts as there can be
            copy_rows(contexts, rows + walk.begin[i], 2 * window)
            copy_rows(contexts + i - walk.begin[i], rows + i + 1, 2 * window)
            repeats = shared and walk.distinct[walk.end[i] - 1] > walk.begin[i]
            next_rows = rows_of(&drawn, i + ahead)
            next_sets = sets_of(&drawn, &walk, i + ahead) if i + ahead < walk.last else 0
            c = 0
            while c < n_contexts:
                n = min(at_once, n_contexts - c)
                if repeats:
                    merge_inputs(&work, contexts + c, n)
                else:
                    use_inputs(&work, contexts + c, n)
                if c == 0 or not shared:
                    if repeats_of(&drawn, i)[c]:
                        merge_outputs(&work, rows_of(&drawn, i) + c * drawn.set_rows, 1 + negatives)
                    else:
                        use_outputs(&work, rows_of(&drawn, i) + c * drawn.set_rows, 1 + negatives)
                if sampled:
                    loss += compute_loss(&work)
                # fetch the same set of that position, its centre once only; the last step all that is left
                n_sets = (next_sets if c + at_once >= n_contexts else min(c + 1, next_sets)) - c
                work.next_rows = next_rows + c * drawn.set_rows + (c > 0)
                work.n_next = max(0, n_sets * drawn.set_rows + (c + n_sets == next_sets) - (c > 0))
                compute_coefficients(&work, learning_rate)
                update_rows(&work)
                c += at_once
        free_drawn(&drawn)
        free(contexts)
        free(rows)
        free(work.memory)
        free(walk.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a chunk")
    return loss, sampled_pairs, pairs

"""Skip-gram and CBOW with the full softmax: cross-entropy over the whole vocabulary.

Objective. Example b has the hidden row h_b, the mean of n_b input rows x_i, and targets among the V words.
With the output vectors y_1..y_V and the predicted probabilities ŷ_b = softmax(Y h_b), minimize

    J = Σ_b Σ_{t in targets of b} −log ŷ_bt        with    ŷ_bv = exp(h_b · y_v) / Σ_w exp(h_b · y_w)

Skip-gram: the input is the centre and the targets are its contexts. CBOW: the inputs are the contexts and the
only target is the centre.

Gradient. Let c_bv say how often v is a target of b, and m_b = Σ_v c_bv. With δ_bv = m_b ŷ_bv − c_bv (for one
target the textbook's ŷ − y, since ∂ log Σ_w exp(z_w) / ∂z_v = ŷ_v) and ε_b = Σ_v δ_bv y_v = ∂J/∂h_b,

    ∂J/∂y_v = Σ_b δ_bv h_b        ∂J/∂x_i = Σ_{b, once for every time x_i is an input of b} ε_b / n_b

Update. Every row moves by −η times its derivative, every right-hand side from before the update. All V output
rows take part: the cost of an example is proportional to V.

Compromises, and where they come from:

- Examples are batched, ``BATCH`` an update, so that scores, errors and gradients are matrix products.
- With ``scale_gradient=False`` the inputs take ε_b and not ε_b / n_b, as word2vec.c and gensim do for CBOW
  (Irsoy, Benton and Stratos 2021, arXiv:2012.15332); an input that occurs several times in an example moves
  as if once.
- The exponential is a polynomial, relative error below 2e-7, and at least e⁻⁸⁷.
- Several threads may call `train` on the same matrices without locks (Hogwild: Niu, Recht, Ré and Wright
  2011). Every update writes all output rows, so that threads get in each other's way more than elsewhere.

Reference: Bengio, Ducharme, Vincent and Jauvin 2003; Mikolov, Chen, Corrado and Dean 2013, arXiv:1301.3781.
"""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from .softmax_step cimport Batch, Examples, allocate_batch, free_batch, take_step
from .walk cimport Walk, context_of, walk_chunk

cdef enum:
    BATCH = 16         # examples of an update


def step(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    const int32_t[::1] inputs,
    const int64_t[::1] input_offsets,
    const int32_t[::1] targets,
    const int64_t[::1] target_offsets,
    bint scale_gradient,
    float learning_rate,
):
    """Take one gradient step for a batch of B examples.

    Parameters
    ----------
    input_vectors, output_vectors : IN/OUT, float32 (n_words, stride)
        The matrices, rows padded with zeros to a multiple of 16.
    inputs : IN, int32
        Word ids, those of example b at input_offsets[b]:input_offsets[b + 1], one at least, repetitions
        allowed.
    input_offsets : IN, int64 (B + 1,)
        Where they begin and end.
    targets : IN, int32
        Word ids, those of example b at target_offsets[b]:target_offsets[b + 1], one at least, repetitions
        allowed.
    target_offsets : IN, int64 (B + 1,)
        Where they begin and end.
    scale_gradient : IN, bool
        Whether the inputs take the gradient of the mean, or every row that of the mean itself, once.
    learning_rate : IN, float
        η; with 0 nothing changes.

    Returns
    -------
    float
        J before the update.
    """
    cdef Batch batch
    cdef Examples examples
    cdef double loss = 0
    cdef bint failed
    memset(&batch, 0, sizeof(batch))
    examples.n = input_offsets.shape[0] - 1
    examples.inputs = &inputs[0]
    examples.input_offsets = &input_offsets[0]
    examples.targets = &targets[0]
    examples.target_offsets = &target_offsets[0]
    with nogil:
        failed = allocate_batch(
            &batch, output_vectors.shape[1], output_vectors.shape[0], examples.n, inputs.shape[0]
        ) != 0
        if not failed:
            loss = take_step(
                &batch, &examples, &input_vectors[0, 0], &output_vectors[0, 0], scale_gradient,
                learning_rate, NULL
            )
        free_batch(&batch)
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
    Py_ssize_t window,
    bint cbow,
    bint scale_gradient,
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
    window : IN, int
        Windows reach 1..window words to either side, drawn uniformly for every centre.
    cbow : IN, bool
        Whether the contexts predict the centre, or the centre its contexts.
    scale_gradient : IN, bool
        Whether the inputs take the gradient of the mean, or every row that of the mean itself, once.
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
        (centre, context) pairs in that sum, and trained in all; for CBOW the windows with a context.
    """
    cdef Batch batch
    cdef Walk walk
    cdef Examples examples
    cdef float *inputs = &input_vectors[0, 0]
    cdef float *outputs = &output_vectors[0, 0]
    cdef uint32_t n_words = <uint32_t>keep.shape[0]
    cdef int32_t *many         # the contexts of a batch
    cdef int32_t[BATCH] one    # its centres
    cdef int64_t[BATCH + 1] many_offsets
    cdef int64_t[BATCH + 1] one_offsets
    cdef bint[BATCH] sampled
    cdef Py_ssize_t i, c, b = 0, n_contexts
    cdef int64_t sampled_pairs = 0, pairs = 0
    cdef double loss = 0
    cdef bint failed
    memset(&walk, 0, sizeof(walk))
    memset(&batch, 0, sizeof(batch))
    with nogil:
        many = <int32_t *>malloc(BATCH * 2 * window * sizeof(int32_t))
        failed = (
            many == NULL
            or allocate_batch(&batch, input_vectors.shape[1], n_words, BATCH, 2 * window) != 0
            or walk_chunk(
                &walk, &ids[0], &sentence_offsets[0], sentence_offsets.shape[0] - 1, start, stop,
                &keep[0], n_words, <uint32_t>window, key, 1
            ) != 0
        )
        for b in range(BATCH + 1):
            one_offsets[b] = b
        many_offsets[0] = b = 0
        examples.inputs = many if cbow else &one[0]
        examples.input_offsets = &many_offsets[0] if cbow else &one_offsets[0]
        examples.targets = &one[0] if cbow else many
        examples.target_offsets = &one_offsets[0] if cbow else &many_offsets[0]
        for i in range(walk.first, walk.first if failed else walk.last):
            n_contexts = walk.end[i] - walk.begin[i] - 1
            if n_contexts > 0:
                sampled[b] = walk.positions[i] & (loss_every - 1) == 0
                pairs += 1 if cbow else n_contexts
                sampled_pairs += (1 if cbow else n_contexts) if sampled[b] else 0
                one[b] = walk.words[i]
                for c in range(n_contexts):
                    many[many_offsets[b] + c] = context_of(&walk, i, c)
                many_offsets[b + 1] = many_offsets[b] + n_contexts
                b += 1
            if b == BATCH or (b > 0 and i == walk.last - 1):
                examples.n = b
                loss += take_step(&batch, &examples, inputs, outputs, scale_gradient, learning_rate, sampled)
                b = 0
        free(many)
        free_batch(&batch)
        free(walk.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a chunk")
    return loss, sampled_pairs, pairs

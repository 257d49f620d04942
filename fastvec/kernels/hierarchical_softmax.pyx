"""Skip-gram and CBOW with hierarchical softmax.

Objective. The words are the leaves of a binary tree, and each of its inner nodes has a vector. A centre word
is reached from the root over the nodes n₁..n_L, turning left (code b_l = 0) or right (b_l = 1) at each.
Minimize

    J = Σ_x Σ_{l=1..L} −log σ((1 − 2 b_l) x · n_l)

where x is every context's input vector (skip-gram), or only their mean h = (1/C) Σ_c x_c (CBOW). The factors
of a path are the probabilities of its turns; over all words their products sum to 1: this is a softmax whose
cost grows with log V and not with V.

Gradient. With the labels t_l = 1 − b_l and the errors δ_xl = σ(x · n_l) − t_l,

    ∂J/∂x = Σ_l δ_xl n_l        ∂J/∂n_l = Σ_x δ_xl x        CBOW: ∂J/∂x_c = (1/C) ∂J/∂h

because 1 − σ(z) = σ(−z), so that a turn is a logistic regression with the label t_l.

Update. Every vector moves by −η times its derivative, with the errors from before the update; contexts one
after the other, each by the nodes as the contexts before it have moved them, as in skipgram.pyx. A word that
occurs twice among the contexts counts twice. All nodes of the path take part: nothing is sampled.

Compromises, and where they come from:

- A window's contexts are one update, at most ``MAX_SHARED`` of them, as in skipgram.pyx (HogBatch: Ji,
  Satish, Li and Dubey 2016).
- CBOW's ``scale_gradient=False`` leaves out the factor 1/C, as word2vec.c and gensim do (Irsoy, Benton and
  Stratos 2021), and moves a context that occurs several times as if once, as cbow.pyx does.
- σ comes from a table of 16 cubics on [−8, 8], absolute error below 3e-6; outside it keeps the value at the
  edge, where word2vec.c skips the update.
- Several threads may call `train` on the same matrices without locks (Hogwild: Niu, Recht, Ré and Wright
  2011).

References: Morin and Bengio 2005; Mikolov, Chen, Corrado and Dean 2013, arXiv:1301.3781, with Huffman's tree
(1952).
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from .distinct cimport Seen, move_repeats_behind, start_round
from .drawn cimport rows_ahead
from .hidden cimport take_mean_step
from .logistic cimport (
    ONES, Step, allocate, compute_coefficients, compute_loss, merge_inputs, update_rows, use_inputs,
)
from .tiles cimport BLOCK
from .vector cimport copy_rows, fill_sigmoid_table
from .walk cimport Walk, find_repeats, walk_chunk, walk_rows

cdef extern from *:
    """
    /* TURNS[bits]: the labels of a block, the n-th is bit n; all of them twice, as ONES in logistic.pxd */
    static float TURNS[64][16];
    static void fill_turns(void) {
        for (int bits = 0; bits < 64; bits++)
            for (int n = 0; n < 6; n++) TURNS[bits][n] = TURNS[bits][8 + n] = bits >> n & 1;
    }
    """
    const float *TURNS[64]
    void fill_turns()

cdef enum:
    MAX_SHARED = 16    # more inputs in one step and the sum of their gradients overshoots
    RING = 8           # positions whose paths are at hand, a power of 2

fill_sigmoid_table()
fill_turns()


cdef struct Paths:
    # A ring of positions with the paths of their words, in whole blocks, and behind each an input row to be
    # fetched.
    Py_ssize_t max_blocks
    Py_ssize_t position_rows
    Py_ssize_t *n_blocks       # [position]
    float **rows               # [position][position_rows]
    const float **counts       # [position][max_blocks]
    const float **positives    # [position][max_blocks]
    void *memory               # to be freed by the caller


cdef int allocate_paths(Paths *paths, Py_ssize_t longest) noexcept nogil:
    """Return 0 on success."""
    cdef Py_ssize_t blocks = (longest + BLOCK - 1) // BLOCK
    paths.max_blocks = blocks
    paths.position_rows = blocks * BLOCK + 1
    paths.memory = malloc(RING * (sizeof(Py_ssize_t) + (paths.position_rows + 2 * blocks) * sizeof(void *)))
    if paths.memory == NULL:
        return -1
    paths.n_blocks = <Py_ssize_t *>paths.memory
    paths.rows = <float **>(paths.n_blocks + RING)
    paths.counts = <const float **>(paths.rows + RING * paths.position_rows)
    paths.positives = paths.counts + RING * blocks
    return 0


cdef inline float **path_of(const Paths *paths, Py_ssize_t i) noexcept nogil:
    return paths.rows + (i & (RING - 1)) * paths.position_rows


cdef inline void use_path(Step *step, const Paths *paths, Py_ssize_t i) noexcept nogil:
    """Take the nodes of position i as the outputs of a step."""
    cdef Py_ssize_t slot = i & (RING - 1)
    step.y = path_of(paths, i)
    step.n_blocks = paths.n_blocks[slot]
    step.counts = paths.counts + slot * paths.max_blocks
    step.positives = paths.positives + slot * paths.max_blocks


cdef inline Py_ssize_t find_path(
    Paths *paths, Py_ssize_t i, const int32_t *nodes, const uint8_t *codes, Py_ssize_t length,
    float *node_vectors, const Step *step,
) noexcept nogil:
    """Put a path into the place of position i and return how many rows it has there."""
    cdef Py_ssize_t slot = i & (RING - 1), n_blocks = (length + BLOCK - 1) // BLOCK, block, n, here
    cdef float **rows = path_of(paths, i)
    cdef unsigned int left
    for block in range(n_blocks):
        here = min(<Py_ssize_t>BLOCK, length - block * BLOCK)
        left = 0
        for n in range(here):
            rows[n] = node_vectors + nodes[n] * step.stride
            left |= <unsigned int>(codes[n] == 0) << n
        for n in range(here, BLOCK):
            rows[n] = step.nobody
        paths.counts[slot * paths.max_blocks + block] = ONES[here]
        paths.positives[slot * paths.max_blocks + block] = TURNS[left]
        rows += BLOCK
        nodes += BLOCK
        codes += BLOCK
    paths.n_blocks[slot] = n_blocks
    return n_blocks * BLOCK


cdef inline void take_skipgram_step(Step *work, float learning_rate, double *loss) noexcept nogil:
    """One update of a path and the contexts that the step holds; the loss is added up unless it is NULL."""
    if loss != NULL:
        loss[0] += compute_loss(work)
    compute_coefficients(work, learning_rate)
    update_rows(work)


def step(
    float[:, ::1] input_vectors,
    float[:, ::1] node_vectors,
    const int32_t[::1] contexts,
    const int32_t[::1] nodes,
    const uint8_t[::1] codes,
    bint cbow,
    bint scale_gradient,
    float learning_rate,
):
    """Take one gradient step for one window.

    Parameters
    ----------
    input_vectors : IN/OUT, float32 (n_words, stride)
        The words, rows padded with zeros to a multiple of 16.
    node_vectors : IN/OUT, float32 (n_nodes, stride)
        The inner nodes of the tree.
    contexts : IN, int32 (C,)
        Word ids, C >= 1, repetitions allowed.
    nodes : IN, int32 (L,)
        The path to the centre, L >= 1 different nodes.
    codes : IN, uint8 (L,)
        Its turns, 0 or 1.
    cbow : IN, bool
        Whether the mean of the contexts predicts the turns, or every context does.
    scale_gradient : IN, bool
        Whether the contexts of CBOW take the gradient of the mean, or each that of the mean itself, once.
    learning_rate : IN, float
        η; with 0 nothing changes.

    Returns
    -------
    float
        J before the update.
    """
    cdef Step work
    cdef Paths path
    cdef Seen seen
    cdef Py_ssize_t n_contexts = contexts.shape[0], i
    cdef Py_ssize_t stride = input_vectors.shape[1]
    cdef float **rows
    cdef double loss = 0
    cdef bint failed
    memset(&work, 0, sizeof(work))
    memset(&path, 0, sizeof(path))
    memset(&seen, 0, sizeof(seen))
    with nogil:
        rows = <float **>malloc(n_contexts * sizeof(float *))
        failed = (
            rows == NULL or allocate(&work, stride, n_contexts, nodes.shape[0]) != 0
            or allocate_paths(&path, nodes.shape[0]) != 0 or start_round(&seen, n_contexts) != 0
        )
        if not failed:
            for i in range(n_contexts):
                rows[i] = &input_vectors[0, 0] + contexts[i] * stride
            find_path(&path, 0, &nodes[0], &codes[0], nodes.shape[0], &node_vectors[0, 0], &work)
            use_path(&work, &path, 0)
            if cbow:
                take_mean_step(
                    &work, rows, n_contexts, move_repeats_behind(&seen, rows, n_contexts), scale_gradient,
                    learning_rate, &loss
                )
            else:
                merge_inputs(&work, rows, n_contexts)
                take_skipgram_step(&work, learning_rate, &loss)
        free(seen.slots)
        free(rows)
        free(path.memory)
        free(work.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a step")
    return loss


def train(
    float[:, ::1] input_vectors,
    float[:, ::1] node_vectors,
    const int32_t[::1] ids,
    const int64_t[::1] sentence_offsets,
    int64_t start,
    int64_t stop,
    const uint32_t[::1] keep,
    const int64_t[::1] path_offsets,
    const int32_t[::1] path_nodes,
    const uint8_t[::1] path_codes,
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
    input_vectors : IN/OUT, float32 (n_words, stride)
        The words, rows padded with zeros to a multiple of 16.
    node_vectors : IN/OUT, float32 (n_nodes, stride)
        The inner nodes of the tree.
    ids : IN, int32 (n_tokens,)
        The corpus; ids >= n_words are skipped as if they were not there.
    sentence_offsets : IN, int64 (n_sentences + 1,)
        Sentence s is ids[sentence_offsets[s]:sentence_offsets[s + 1]].
    start, stop : IN, int
        The chunk.
    keep : IN, uint32 (n_words,)
        A word is kept with probability (keep + 1) / 2³².
    path_offsets : IN, int64 (n_words + 1,)
        The path of word w, from the root down, is at path_offsets[w]:path_offsets[w + 1] of the next two.
    path_nodes : IN, int32
        Rows of node_vectors.
    path_codes : IN, uint8
        Turns, 0 or 1.
    window : IN, int
        Windows reach 1..window words to either side, drawn uniformly for every centre.
    cbow : IN, bool
        Whether the mean of the contexts predicts the turns, or every context does.
    scale_gradient : IN, bool
        Whether the contexts of CBOW take the gradient of the mean, or each that of the mean itself, once.
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
    cdef Step work
    cdef Walk walk
    cdef Paths paths
    cdef Seen seen
    cdef float *inputs = &input_vectors[0, 0]
    cdef Py_ssize_t stride = input_vectors.shape[1]
    cdef uint32_t n_words = <uint32_t>keep.shape[0]
    cdef float **rows = NULL   # of the words of the walk
    cdef float **contexts
    cdef Py_ssize_t i, c, n, n_contexts, n_distinct, n_rows, found, ahead, longest = 1
    cdef int32_t word
    cdef int64_t sampled_pairs = 0, pairs = 0
    cdef double loss = 0
    cdef bint sampled, repeats, failed
    memset(&walk, 0, sizeof(walk))
    memset(&work, 0, sizeof(work))
    memset(&paths, 0, sizeof(paths))
    memset(&seen, 0, sizeof(seen))
    with nogil:
        contexts = <float **>malloc((4 * window + 8) * sizeof(float *))
        failed = contexts == NULL or walk_chunk(
            &walk, &ids[0], &sentence_offsets[0], sentence_offsets.shape[0] - 1, start, stop,
            &keep[0], n_words, <uint32_t>window, key, 1
        ) != 0
        if not failed:
            for i in range(walk.first, walk.last):
                longest = max(longest, path_offsets[walk.words[i] + 1] - path_offsets[walk.words[i]])
            if not (cbow and scale_gradient):
                find_repeats(&walk, window)
            rows = walk_rows(&walk, inputs, stride, 2 * window + 8)
            failed = (
                rows == NULL
                or allocate(&work, stride, 1 if cbow else MAX_SHARED, longest) != 0
                or allocate_paths(&paths, longest) != 0
            )
        ahead = rows_ahead(BLOCK, stride)
        found = walk.first
        for i in range(walk.first, walk.first if failed else walk.last):
            while found <= min(i + ahead, walk.last - 1):
                word = walk.words[found]
                n_rows = find_path(
                    &paths, found, &path_nodes[path_offsets[word]], &path_codes[path_offsets[word]],
                    path_offsets[word + 1] - path_offsets[word], &node_vectors[0, 0], &work
                )
                word = walk.words[min(found + window, walk.last - 1)]
                path_of(&paths, found)[n_rows] = inputs + word * stride
                found += 1
            n_contexts = walk.end[i] - walk.begin[i] - 1
            if n_contexts == 0:
                continue
            sampled = walk.positions[i] & (loss_every - 1) == 0
            pairs += 1 if cbow else n_contexts
            sampled_pairs += (1 if cbow else n_contexts) if sampled else 0
            # always the rows of as many contexts as there can be
            copy_rows(contexts, rows + walk.begin[i], 2 * window)
            copy_rows(contexts + i - walk.begin[i], rows + i + 1, 2 * window)
            use_path(&work, &paths, i)
            # the first nodes of a path are in the cache always: they are those of every word
            work.next_rows = path_of(&paths, i + ahead) + BLOCK
            work.n_next = 0
            if i + ahead < walk.last:
                work.n_next = (paths.n_blocks[(i + ahead) & (RING - 1)] - 1) * BLOCK + 1
            repeats = not (cbow and scale_gradient) and walk.distinct[walk.end[i] - 1] > walk.begin[i]
            if cbow:
                n_distinct = n_contexts
                if repeats:
                    failed = start_round(&seen, n_contexts) != 0
                    if failed:
                        break
                    n_distinct = move_repeats_behind(&seen, contexts, n_contexts)
                take_mean_step(
                    &work, contexts, n_contexts, n_distinct, scale_gradient, learning_rate,
                    &loss if sampled else NULL
                )
                continue
            c = 0
            while c < n_contexts:
                n = min(<Py_ssize_t>MAX_SHARED, n_contexts - c)
                if repeats:
                    merge_inputs(&work, contexts + c, n)
                else:
                    use_inputs(&work, contexts + c, n)
                take_skipgram_step(&work, learning_rate, &loss if sampled else NULL)
                work.n_next = 0
                c += n
        free(contexts)
        free(seen.slots)
        free(rows)
        free(paths.memory)
        free(work.memory)
        free(walk.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a chunk")
    return loss, sampled_pairs, pairs

"""Skip-gram and CBOW over words and their character n-grams, with negative sampling (fastText).

Objective. An example has n input rows x_i, and targets t = 1..T with the output vector y_t and K noise words
each, y_t1..y_tK. Minimize

    J = Σ_t [ −log σ(h · y_t) − Σ_{k=1..K} log σ(−h · y_tk) ]        with    h = (1/n) Σ_i x_i

Skip-gram: the input rows are those of the centre, its own and its n-grams', and the targets are its contexts.
CBOW: the input rows are those of all contexts, and the only target is the centre.

Gradient. With the errors δ_t = σ(h · y_t) − 1 and δ_tk = σ(h · y_tk), and
ε = Σ_t [ δ_t y_t + Σ_k δ_tk y_tk ] = ∂J/∂h,

    ∂J/∂y_t = δ_t h        ∂J/∂y_tk = δ_tk h        ∂J/∂x_i = ε / n

Update. Every row moves by −η times its derivative, every right-hand side from before the update. A row that
occurs several times, be it as an input, a target or a negative, takes the sum; a negative that is its own
target is left out. ``reference/subword.py`` derives it, and what is different with ``scale_gradient=False``.

Compromises, and where they come from:

- The mean of a word is computed once for its window and its gradient handed back once; fastText does both for
  every (centre, context) pair. At most ``MAX_TARGETS`` targets make an update.
- With ``scale_gradient=False`` an input takes ε and not ε / n, as in fastText: it learns n times as fast as
  the derivative says (for CBOW see Irsoy, Benton and Stratos 2021, arXiv:2012.15332). A row that a word has
  several times takes ε once; in fastText it takes it every time, which can diverge.
- n-grams share rows, as their hashes say (Bojanowski, Grave, Joulin and Mikolov 2017).
- σ comes from a table of 16 cubics on [−8, 8], absolute error below 3e-6; outside it keeps the value at the
  edge, so that the gradient saturates and does not vanish.
- Several threads may call `train` on the same matrices without locks (Hogwild: Niu, Recht, Ré and Wright
  2011).

Reference: Bojanowski, Grave, Joulin and Mikolov 2017, arXiv:1607.04606.
"""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memset

from .hidden cimport take_mean_step
from .logistic cimport Step, allocate, clear_merged, count_merged, use_merged
from .sampling cimport draw_columns, draw_noise
from .vector cimport fill_sigmoid_table, last_distance
from .walk cimport Walk, context_of, walk_chunk

cdef enum:
    MAX_TARGETS = 16   # more in one update and the sum of their gradients overshoots
    MAX_FETCHED = 32   # input rows of a word that are fetched ahead
    RING = 2           # positions whose outputs are drawn, a power of 2

fill_sigmoid_table()


cdef inline void merge_targets(
    Step *step, const int32_t *words, Py_ssize_t n_words, Py_ssize_t set_words, Py_ssize_t *places,
    float *output_vectors,
) noexcept nogil:
    """Take sets of a target and its negatives as outputs; up to a register before the words is read.

    places is room for n_words numbers.
    """
    cdef Py_ssize_t k, distance, n_y = 0, target = 0
    clear_merged(step, n_words)
    for k in range(n_words):
        if k == target + set_words:
            target = k
        distance = last_distance(words + k, k, words[k])
        if distance:
            places[k] = places[k - distance]
        else:
            places[k] = n_y
            step.y_merged[n_y] = output_vectors + words[k] * step.stride
            n_y += 1
        if k == target or words[k] != words[target]:
            count_merged(step, places[k], k == target)
    use_merged(step, n_y)


def step(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    const int32_t[::1] inputs,
    const int32_t[::1] targets,
    const int32_t[:, ::1] negatives,
    Py_ssize_t n_first,
    bint scale_gradient,
    float learning_rate,
):
    """Take one gradient step for one example.

    Parameters
    ----------
    input_vectors : IN/OUT, float32 (n_words + buckets, stride)
        Words, then n-grams; rows padded with zeros to a multiple of 16.
    output_vectors : IN/OUT, float32 (n_words, stride)
        Words.
    inputs : IN, int32 (n,)
        Rows of input_vectors, n >= 1, repetitions allowed.
    targets : IN, int32 (T,)
        Word ids, T >= 1, repetitions allowed.
    negatives : IN, int32 (T, K)
        Word ids of every target, K >= 0, repetitions and targets allowed.
    n_first : IN, int
        Those of the inputs that move without scale_gradient, 1 <= n_first <= n; the others count in the mean.
    scale_gradient : IN, bool
        Whether all inputs take their gradient, ε / n, or the first ones ε.
    learning_rate : IN, float
        η; with 0 nothing changes.

    Returns
    -------
    float
        J before the update.
    """
    cdef Step work
    cdef Py_ssize_t n_inputs = inputs.shape[0], n_targets = targets.shape[0], n_negatives = negatives.shape[1]
    cdef Py_ssize_t n_words = n_targets * (1 + n_negatives), stride = input_vectors.shape[1], i, t, k
    cdef float **rows
    cdef int32_t *words
    cdef Py_ssize_t *places
    cdef double loss = 0
    cdef bint failed
    memset(&work, 0, sizeof(work))
    with nogil:
        rows = <float **>malloc(n_inputs * sizeof(float *))
        words = <int32_t *>calloc(16 + n_words, sizeof(int32_t))
        places = <Py_ssize_t *>malloc(n_words * sizeof(Py_ssize_t))
        failed = rows == NULL or words == NULL or places == NULL or allocate(&work, stride, 1, n_words) != 0
        if not failed:
            for i in range(n_inputs):
                rows[i] = &input_vectors[0, 0] + inputs[i] * stride
            i = 16
            for t in range(n_targets):
                words[i] = targets[t]
                for k in range(n_negatives):
                    words[i + 1 + k] = negatives[t, k]
                i += 1 + n_negatives
            merge_targets(&work, words + 16, n_words, 1 + n_negatives, places, &output_vectors[0, 0])
            take_mean_step(&work, rows, n_inputs, n_first, scale_gradient, learning_rate, &loss)
        free(rows)
        free(words)
        free(places)
        free(work.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a step")
    return loss


cdef struct Targets:
    # Drawn ahead: a ring of positions with the words of their outputs, sets of a target and its negatives,
    # and the rows to be fetched for them.
    Py_ssize_t sets            # of a position
    Py_ssize_t negatives       # of a set
    Py_ssize_t position_words
    Py_ssize_t position_rows
    int32_t *room
    int32_t *words             # [position][position_words], in room
    float **rows               # [position][position_rows]
    Py_ssize_t *n_rows         # [position]
    Py_ssize_t *places         # of one position's words
    uint64_t *random           # of one position, the draws


cdef int allocate_targets(Targets *drawn, Py_ssize_t negatives, Py_ssize_t sets) noexcept nogil:
    """Return 0 on success; to be freed by free_targets in any case."""
    drawn.sets = sets
    drawn.negatives = negatives
    drawn.position_words = sets * (1 + negatives)
    drawn.position_rows = drawn.position_words + MAX_FETCHED
    # last_distance() reads up to a register before the words
    drawn.room = <int32_t *>calloc(16 + RING * drawn.position_words, sizeof(int32_t))
    drawn.words = drawn.room + 16
    drawn.rows = <float **>malloc(RING * drawn.position_rows * sizeof(float *))
    drawn.n_rows = <Py_ssize_t *>calloc(RING, sizeof(Py_ssize_t))
    drawn.places = <Py_ssize_t *>malloc(drawn.position_words * sizeof(Py_ssize_t))
    drawn.random = <uint64_t *>malloc((sets * negatives + 8) * sizeof(uint64_t))
    return 0 if (
        drawn.room != NULL and drawn.rows != NULL and drawn.n_rows != NULL and drawn.places != NULL
        and drawn.random != NULL
    ) else -1


cdef void free_targets(Targets *drawn) noexcept nogil:
    free(drawn.room)
    free(drawn.rows)
    free(drawn.n_rows)
    free(drawn.places)
    free(drawn.random)


cdef void draw_position(
    Targets *drawn, Py_ssize_t i, const Walk *walk, Py_ssize_t n_sets, int32_t entering,
    float *input_vectors, float *output_vectors, Py_ssize_t stride, const int64_t *subword_offsets,
    const int32_t *subwords, const uint32_t *noise, uint32_t n_words, uint64_t key,
) noexcept nogil:
    """Draw the outputs of position i, and note the rows to fetch: theirs and those of an entering word."""
    cdef Py_ssize_t slot = i & (RING - 1), s, k, n = n_sets * (1 + drawn.negatives)
    cdef int32_t *words = drawn.words + slot * drawn.position_words
    cdef float **rows = drawn.rows + slot * drawn.position_rows
    cdef uint64_t counter = walk.positions[i] * (1 + drawn.sets * drawn.negatives) + 1
    draw_columns(drawn.random, n_sets * drawn.negatives, key, counter, noise, n_words)
    for s in range(n_sets):
        words[s * (1 + drawn.negatives)] = walk.words[i] if drawn.sets == 1 else context_of(walk, i, s)
        for k in range(drawn.negatives):
            words[s * (1 + drawn.negatives) + 1 + k] = draw_noise(
                drawn.random[s * drawn.negatives + k], noise, n_words
            )
    for k in range(n):
        rows[k] = output_vectors + words[k] * stride
    for k in range(
        min(<Py_ssize_t>MAX_FETCHED, subword_offsets[2 * entering + 1] - subword_offsets[2 * entering])
    ):
        rows[n] = input_vectors + subwords[subword_offsets[2 * entering] + k] * stride
        n += 1
    drawn.n_rows[slot] = n


cdef struct Inputs:
    float **rows
    Py_ssize_t n
    Py_ssize_t n_first         # of these, the rows that move without scale_gradient
    Py_ssize_t room
    float *matrix
    Py_ssize_t stride
    const int64_t *offsets     # the rows of word w: different ones from 2w to 2w + 1, repetitions to 2w + 2
    const int32_t *subwords


cdef inline int add_rows(Inputs *inputs, int64_t begin, int64_t end) noexcept nogil:
    """Add subwords[begin:end]; return 0 on success."""
    cdef Py_ssize_t k, n = end - begin
    cdef float **larger
    if inputs.n + n > inputs.room:
        larger = <float **>realloc(inputs.rows, 2 * (inputs.n + n) * sizeof(float *))
        if larger == NULL:
            return -1
        inputs.rows = larger
        inputs.room = 2 * (inputs.n + n)
    for k in range(n):
        inputs.rows[inputs.n + k] = inputs.matrix + inputs.subwords[begin + k] * inputs.stride
    inputs.n += n
    return 0


cdef inline int take_rows_of(Inputs *inputs, int32_t word) noexcept nogil:
    """Take the rows of a word as the inputs; return 0 on success."""
    cdef const int64_t *offsets = inputs.offsets + 2 * word
    inputs.n = 0
    inputs.n_first = offsets[1] - offsets[0]
    return add_rows(inputs, offsets[0], offsets[2])


cdef inline int take_rows_of_contexts(Inputs *inputs, const Walk *walk, Py_ssize_t i) noexcept nogil:
    """Take the rows of the contexts of words[i] as the inputs; return 0 on success."""
    cdef const int64_t *offsets
    cdef Py_ssize_t place
    cdef bint failed = False
    inputs.n = 0
    for place in range(walk.begin[i], walk.end[i]):
        offsets = inputs.offsets + 2 * walk.words[place]
        if place != i:
            failed |= add_rows(inputs, offsets[0], offsets[1]) != 0
    inputs.n_first = inputs.n
    for place in range(walk.begin[i], walk.end[i]):
        offsets = inputs.offsets + 2 * walk.words[place]
        if place != i and offsets[1] < offsets[2]:
            failed |= add_rows(inputs, offsets[1], offsets[2]) != 0
    return -1 if failed else 0


def train(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    const int32_t[::1] ids,
    const int64_t[::1] sentence_offsets,
    int64_t start,
    int64_t stop,
    const uint32_t[::1] keep,
    const uint32_t[:, ::1] noise,
    const int64_t[::1] subword_offsets,
    const int32_t[::1] subwords,
    Py_ssize_t window,
    Py_ssize_t negatives,
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
    input_vectors : IN/OUT, float32 (n_words + buckets, stride)
        Words, then n-grams; rows padded with zeros to a multiple of 16.
    output_vectors : IN/OUT, float32 (n_words, stride)
        Words.
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
    subword_offsets : IN, int64 (2 · n_words + 1,)
        The rows of word w are subwords[subword_offsets[2w]:subword_offsets[2w + 2]], one at least; those
        before subword_offsets[2w + 1] are all different, those behind repeat some of them.
    subwords : IN, int32
        Rows of input_vectors.
    window : IN, int
        Windows reach 1..window words to either side, drawn uniformly for every centre.
    negatives : IN, int
        K.
    cbow : IN, bool
        Whether the contexts' rows predict the centre, or the centre's rows the contexts.
    scale_gradient : IN, bool
        Whether the inputs take their gradient, or the different rows of a word that of the mean.
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
    cdef Targets drawn
    cdef Inputs rows
    cdef float *inputs = &input_vectors[0, 0]
    cdef float *outputs = &output_vectors[0, 0]
    cdef Py_ssize_t stride = input_vectors.shape[1], set_words = 1 + negatives
    cdef uint32_t n_words = <uint32_t>keep.shape[0]
    cdef Py_ssize_t sets = 1 if cbow else 2 * window
    cdef Py_ssize_t at_once = min(<Py_ssize_t>MAX_TARGETS, sets)
    cdef Py_ssize_t i, c, n, n_contexts, n_sets, next_position
    cdef int64_t sampled_pairs = 0, pairs = 0
    cdef int32_t *words
    cdef double loss = 0
    cdef bint sampled, failed
    memset(&walk, 0, sizeof(walk))
    memset(&work, 0, sizeof(work))
    memset(&rows, 0, sizeof(rows))
    rows.matrix = inputs
    rows.stride = stride
    rows.offsets = &subword_offsets[0]
    rows.subwords = &subwords[0]
    with nogil:
        failed = (
            allocate_targets(&drawn, negatives, sets) != 0
            or allocate(&work, stride, 1, at_once * set_words) != 0
            or walk_chunk(
                &walk, &ids[0], &sentence_offsets[0], sentence_offsets.shape[0] - 1, start, stop,
                &keep[0], n_words, <uint32_t>window, key, 1 + sets * negatives
            ) != 0
        )
        next_position = walk.first
        for i in range(walk.first, walk.first if failed else walk.last):
            while next_position <= min(i + 1, walk.last - 1):
                n_contexts = walk.end[next_position] - walk.begin[next_position] - 1
                draw_position(
                    &drawn, next_position, &walk, min(sets, n_contexts),
                    walk.words[min(next_position + window, walk.last - 1) if cbow else next_position],
                    inputs, outputs, stride, &subword_offsets[0], &subwords[0], &noise[0, 0], n_words, key
                )
                next_position += 1
            n_contexts = walk.end[i] - walk.begin[i] - 1
            if n_contexts == 0:
                continue
            sampled = walk.positions[i] & (loss_every - 1) == 0
            n_sets = 1 if cbow else n_contexts
            pairs += n_sets
            sampled_pairs += n_sets if sampled else 0
            if cbow:
                failed = take_rows_of_contexts(&rows, &walk, i) != 0
            else:
                failed = take_rows_of(&rows, walk.words[i]) != 0
            if failed:
                break
            words = drawn.words + (i & (RING - 1)) * drawn.position_words
            work.next_rows = drawn.rows + ((i + 1) & (RING - 1)) * drawn.position_rows
            work.n_next = drawn.n_rows[(i + 1) & (RING - 1)] if i + 1 < walk.last else 0
            c = 0
            while c < n_sets:
                n = min(at_once, n_sets - c)
                merge_targets(&work, words + c * set_words, n * set_words, set_words, drawn.places, outputs)
                take_mean_step(
                    &work, rows.rows, rows.n, rows.n_first, scale_gradient, learning_rate,
                    &loss if sampled else NULL
                )
                c += n
        free_targets(&drawn)
        free(rows.rows)
        free(work.memory)
        free(walk.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a chunk")
    return loss, sampled_pairs, pairs

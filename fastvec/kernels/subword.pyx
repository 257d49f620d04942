"""Skip-gram and CBOW over words and their character n-grams (fastText), as reference/subword.py.

What is done otherwise, and why:

- The sigmoid comes from the table of ``vector.h``, absolute error below 3e-6.
- Outputs that are repeated among the targets and negatives of an update are merged and counted, so that their
  rows are read and written once.
- The contexts of skip-gram take turns with the mean of the centre's rows: the rows are read before the first
  and written after the last.
- Negatives are drawn a position ahead, and the rows fetched into the cache meanwhile.
- Threads share the matrices without locks (Hogwild: Niu, Recht, Ré and Wright 2011).
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from .ahead cimport Ring, allocate_ring, fetch_rows_of, free_ring, place_of, rows_of
from .bags cimport MAX_FETCHED, Bag, free_bag, note_rows_of, take_rows_of, take_rows_of_contexts, use_rows
from .exposures cimport Exposures, add_exposures, use_exposures
from .frozen cimport Frozen, moving_first, use_frozen
from .mean cimport take_mean_step
from .step cimport (
    MAX_SHARED, Step, allocate, clear_merged, count_merged, merge_outputs, use_merged, use_outputs,
)
from .sampling cimport draw_columns, draw_noise
from .tiles cimport BLOCK
from .together cimport Together, finish, join, leave, take_mean, use_zeros
from .turns cimport Turns, begin_turns, end_turns, take_turn
from .vector cimport fill_sigmoid_table, has_repeats, last_distance
from .walk cimport Walk, context_of, free_walk, renumber, visit_in_lanes, visited, walk_chunk

cdef enum:
    POSITIONS = 2      # whose outputs are drawn, a power of 2

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
    bint mean,
    bint scale_gradient,
    float learning_rate,
    const uint8_t[::1] frozen=None,
):
    """Take one gradient step for one example."""
    cdef Step work
    cdef Frozen still
    cdef Py_ssize_t n_inputs = inputs.shape[0], n_targets = targets.shape[0], n_negatives = negatives.shape[1]
    cdef Py_ssize_t n_words = n_targets * (1 + n_negatives), stride = input_vectors.shape[1], i, t, k
    cdef float **rows
    cdef int32_t *words
    cdef Py_ssize_t *places
    cdef double loss = 0
    cdef bint failed
    memset(&work, 0, sizeof(work))
    use_frozen(&still, frozen, input_vectors)
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
            n_first = moving_first(&still, rows, NULL, n_inputs if scale_gradient else n_first)
            take_mean_step(&work, rows, n_inputs, n_first, mean, scale_gradient, learning_rate, &loss)
        free(rows)
        free(words)
        free(places)
        free(work.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a step")
    return loss


cdef struct Targets:
    # Drawn ahead: a ring of positions with the rows to be fetched, and with the words of their outputs, sets
    # of a target and its negatives.
    Ring ring
    Py_ssize_t sets            # of a position
    Py_ssize_t negatives       # of a set
    Py_ssize_t set_rows        # in whole blocks
    Py_ssize_t position_words
    const int32_t *place_of    # of words, those in the matrix; NULL: their numbers
    int32_t *room
    int32_t *words             # [position][position_words], in room
    Py_ssize_t *places         # of one position's words
    uint64_t *random           # of one position, the draws


cdef int allocate_targets(Targets *targets, Py_ssize_t negatives, Py_ssize_t sets) noexcept nogil:
    """Return 0 on success; to be freed by free_targets in any case."""
    cdef bint failed
    targets.place_of = NULL
    targets.sets = sets
    targets.negatives = negatives
    targets.set_rows = negatives // BLOCK * BLOCK + BLOCK
    targets.position_words = sets * (1 + negatives)
    failed = allocate_ring(&targets.ring, POSITIONS, sets * targets.set_rows + MAX_FETCHED) != 0
    # last_distance() reads up to a register before the words, has_repeats() also behind them
    targets.room = <int32_t *>calloc(16 + POSITIONS * targets.position_words + 16, sizeof(int32_t))
    targets.words = targets.room + 16
    targets.places = <Py_ssize_t *>malloc(targets.position_words * sizeof(Py_ssize_t))
    targets.random = <uint64_t *>malloc((sets * negatives + 8) * sizeof(uint64_t))
    failed |= targets.room == NULL or targets.places == NULL or targets.random == NULL
    return -1 if failed else 0


cdef void free_targets(Targets *targets) noexcept nogil:
    free_ring(&targets.ring)
    free(targets.room)
    free(targets.places)
    free(targets.random)


cdef inline int32_t *words_of(const Targets *targets, Py_ssize_t i) noexcept nogil:
    return targets.words + place_of(&targets.ring, i) * targets.position_words


cdef void draw_position(
    Targets *targets, Py_ssize_t number, const Step *step, const Walk *walk, Py_ssize_t n_sets,
    int32_t entering, const Bag *bag, float *output_vectors, const uint32_t *noise, uint32_t n_words,
    uint64_t key,
) noexcept nogil:
    """Draw the outputs of a word, and note the rows to fetch: theirs and those of an entering word."""
    cdef Py_ssize_t s, k, i = visited(walk, number)
    cdef int32_t *words = words_of(targets, number)
    cdef float **rows = rows_of(&targets.ring, number)
    cdef uint64_t counter = walk.positions[i] * (1 + targets.sets * targets.negatives) + 1
    draw_columns(targets.random, n_sets * targets.negatives, key, counter, noise, n_words)
    for s in range(n_sets):
        words[0] = walk.words[i] if targets.sets == 1 else context_of(walk, i, s)
        for k in range(targets.negatives):
            words[1 + k] = draw_noise(targets.random[s * targets.negatives + k], noise, n_words)
        for k in range(targets.negatives if targets.place_of != NULL else 0):
            words[1 + k] = targets.place_of[words[1 + k]]
        for k in range(1 + targets.negatives):
            rows[k] = output_vectors + words[k] * bag.stride
        for k in range(1 + targets.negatives, targets.set_rows):
            rows[k] = step.zero_row
        words += 1 + targets.negatives
        rows += targets.set_rows
    targets.ring.n_rows[place_of(&targets.ring, number)] = (
        n_sets * targets.set_rows + note_rows_of(bag, entering, rows)
    )


cdef inline void take_turns(
    Turns *turns, Step *step, const Targets *targets, Py_ssize_t number, Py_ssize_t n_sets,
    float learning_rate, double *loss,
) noexcept nogil:
    """Let the sets of a position take turns; meanwhile the rows that the step is to fetch are fetched."""
    cdef Py_ssize_t s, n_words = 1 + targets.negatives, n_next = step.n_next
    cdef int32_t *words = words_of(targets, number)
    cdef float **rows = rows_of(&targets.ring, number)
    cdef float **next_rows = step.next_rows
    for s in range(n_sets):
        if has_repeats(words, n_words):
            merge_outputs(step, rows, n_words)
        else:
            use_outputs(step, rows, n_words)
        step.next_rows = next_rows + s * n_next // n_sets
        step.n_next = (s + 1) * n_next // n_sets - s * n_next // n_sets
        take_turn(turns, step, learning_rate, loss)
        words += n_words
        rows += targets.set_rows


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
    bint mean,
    bint scale_gradient,
    float learning_rate,
    uint64_t key,
    uint64_t loss_every,
    team=None,
    const uint8_t[::1] frozen=None,
    bint dynamic_window=True,
    float[:, ::1] exposures=None,
    const int32_t[::1] places=None,
):
    """Train on the words at positions [start, stop) of the corpus as centres."""
    cdef Step work
    cdef Walk walk
    cdef Targets targets
    cdef Turns turns
    cdef Bag rows
    cdef Together all
    cdef Frozen still
    cdef Exposures exposed
    cdef bint team_works = team is not None
    cdef float *outputs = &output_vectors[0, 0]
    cdef Py_ssize_t stride = input_vectors.shape[1], set_words = 1 + negatives
    cdef uint32_t n_words = <uint32_t>keep.shape[0]
    cdef Py_ssize_t sets = 1 if cbow else 2 * window
    cdef bint in_turn = not cbow and not team_works
    cdef Py_ssize_t at_once = 1 if in_turn else min(<Py_ssize_t>MAX_SHARED, sets)
    cdef Py_ssize_t number, word, i, c, n, n_contexts, n_sets, n_moved, next_position
    cdef int64_t sampled_pairs = 0, pairs = 0
    cdef int32_t *words
    cdef double loss = 0
    cdef bint sampled, failed
    cdef const int32_t *place_of_word = NULL
    if places is not None:
        place_of_word = &places[0]
    memset(&walk, 0, sizeof(walk))
    memset(&work, 0, sizeof(work))
    use_rows(&rows, &input_vectors[0, 0], stride, &subword_offsets[0], &subwords[0])
    join(&all, team, learning_rate)
    use_frozen(&still, frozen, input_vectors)
    if exposures is not None:
        use_exposures(&exposed, exposures, input_vectors, output_vectors)
        work.exposures = &exposed
    with nogil:
        failed = (
            allocate_targets(&targets, negatives, sets) != 0
            or allocate(&work, stride, 1, at_once * set_words) != 0
            or walk_chunk(
                &walk, ids, sentence_offsets, start, stop, keep, <uint32_t>window, dynamic_window, key,
                1 + sets * negatives
            ) != 0
            or (team_works and visit_in_lanes(&walk, all.steps, window) != 0)
        )
        use_zeros(&all, &work)
        targets.place_of = place_of_word
        if not failed:
            renumber(&walk, place_of_word)
        next_position = walk.first
        for number in range(walk.first, walk.first if failed else walk.last):
            i = visited(&walk, number)
            while next_position <= min(number + 1, walk.last - 1):
                word = visited(&walk, next_position)
                n_contexts = walk.end[word] - walk.begin[word] - 1
                draw_position(
                    &targets, next_position, &work, &walk, min(sets, n_contexts),
                    walk.words[min(word + window, walk.last - 1) if cbow else word],
                    &rows, outputs, &noise[0, 0], n_words, key
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
            n_moved = moving_first(&still, rows.rows, NULL, rows.n if scale_gradient else rows.n_first)
            words = words_of(&targets, number)
            fetch_rows_of(&work, &targets.ring, number + 1, 0, walk.last)
            if in_turn:
                begin_turns(
                    &turns, &work, rows.rows, rows.n, n_moved,
                    still.rows != NULL or (scale_gradient and rows.n_first < rows.n), mean, scale_gradient
                )
                take_turns(
                    &turns, &work, &targets, number, n_sets, learning_rate, &loss if sampled else NULL
                )
                end_turns(&turns, &work)
                continue
            c = 0
            while c < n_sets:
                n = min(at_once, n_sets - c)
                merge_targets(&work, words + c * set_words, n * set_words, set_words, targets.places, outputs)
                take_mean(
                    &all, &work, rows.rows, rows.n, n_moved, mean, scale_gradient, learning_rate,
                    &loss if sampled else NULL
                )
                c += n
        if work.exposures != NULL:
            add_exposures(&exposed)
        failed = finish(&all, &work, failed, &loss)
        free_targets(&targets)
        free_bag(&rows)
        free(work.memory)
        free_walk(&walk)
    leave(&all, team)
    if failed:
        raise MemoryError("no memory for the buffers of a chunk")
    return loss, sampled_pairs, pairs

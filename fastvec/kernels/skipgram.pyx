"""Skip-gram with a target and its negatives, as reference/skipgram.py.

What is done otherwise, and why:

- The sigmoid comes from the table of ``vector.h``, absolute error below 3e-6.
- A context that is repeated in a window is merged and counted, so that its row is read and written once.
- Negatives are drawn some positions ahead, and the output rows fetched into the cache meanwhile.
- Threads share the matrices without locks (Hogwild: Niu, Recht, Ré and Wright 2011).
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from .ahead cimport positions_ahead
from .copies cimport Rows, exchange, see_rows
from .exposures cimport Exposures, add_exposures, expose_words, use_exposures
from .frozen cimport Frozen, use_frozen
from .losses cimport loss_named
from .negatives cimport (
    Outputs, allocate_outputs, draw_outputs, free_outputs, rows_of_set, sets_of, use_set,
)
from .step cimport MAX_SHARED, Step, allocate, let_stay, merge_inputs, merge_outputs, take_step, use_inputs
from .tiles cimport SLOTS
from .together cimport Together, finish, join, leave, take, use_zeros
from .vector cimport fill_sigmoid_table
from .walk cimport (
    Walk, copy_contexts, find_repeats, find_rows, free_walk, renumber, visit_in_lanes, visited, walk_chunk,
)

fill_sigmoid_table()


def step(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    const int32_t[::1] contexts,
    int32_t center,
    const int32_t[::1] negatives,
    str loss,
    float learning_rate,
    const uint8_t[::1] frozen=None,
):
    """Take one gradient step for one window."""
    cdef Step work
    cdef Frozen still
    cdef Py_ssize_t n_contexts = contexts.shape[0], n_outputs = 1 + negatives.shape[0], i
    cdef Py_ssize_t stride = input_vectors.shape[1]
    cdef float **rows
    cdef double total = 0
    cdef bint failed
    memset(&work, 0, sizeof(work))
    work.loss = loss_named(loss)
    use_frozen(&still, frozen, input_vectors)
    with nogil:
        rows = <float **>malloc((n_contexts + n_outputs) * sizeof(float *))
        failed = rows == NULL or allocate(&work, stride, n_contexts, n_outputs) != 0
        if not failed:
            for i in range(n_contexts):
                rows[i] = &input_vectors[0, 0] + contexts[i] * stride
            merge_inputs(&work, rows, n_contexts)
            let_stay(&work, &still)
            rows[0] = &output_vectors[0, 0] + center * stride
            for i in range(1, n_outputs):
                rows[i] = &output_vectors[0, 0] + negatives[i - 1] * stride
            merge_outputs(&work, rows, n_outputs)
            take_step(&work, learning_rate, &total)
        free(rows)
        free(work.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a step")
    return total


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
    str loss,
    bint shared,
    float learning_rate,
    uint64_t key,
    uint64_t loss_every,
    team=None,
    copies=None,
    const uint8_t[::1] frozen=None,
    bint dynamic_window=True,
    float[:, ::1] exposures=None,
    const int32_t[::1] output_of=None,
    const int32_t[::1] places=None,
):
    """Train on the words at positions [start, stop) of the corpus as centres."""
    cdef Step work
    cdef Walk walk
    cdef Rows input_rows, output_rows
    cdef Outputs outputs
    cdef Together all
    cdef Frozen still
    cdef Exposures exposed
    cdef bint team_works = team is not None
    cdef Py_ssize_t stride = input_vectors.shape[1]
    cdef uint32_t n_words = <uint32_t>keep.shape[0]
    cdef Py_ssize_t sets = 1 if shared else 2 * window
    cdef Py_ssize_t at_once = MAX_SHARED if shared else 1
    cdef Py_ssize_t ahead = positions_ahead(1 + sets * (1 + negatives), stride)
    cdef float **next_rows     # of the position that is `ahead`
    cdef Py_ssize_t number, i, c, n, n_contexts, n_sets, next_sets
    cdef int64_t sampled_pairs = 0, pairs = 0
    cdef double total = 0
    cdef bint sampled, repeats, failed
    cdef float *of_words = NULL   # what steps tell of each as a context, unless let_stay() changes the order
    cdef const int32_t *row_of = NULL
    cdef const int32_t *place_of_word = NULL
    memset(&walk, 0, sizeof(walk))
    memset(&work, 0, sizeof(work))
    work.loss = loss_named(loss)
    if output_of is not None:
        row_of = &output_of[0]
    if places is not None:
        place_of_word = &places[0]
    see_rows(&input_rows, input_vectors, copies, "input_vectors")
    see_rows(&output_rows, output_vectors, copies, "output_vectors")
    join(&all, team, learning_rate)
    use_frozen(&still, frozen, input_vectors)
    if exposures is not None:
        use_exposures(&exposed, exposures, input_vectors, output_vectors)
        work.exposures = &exposed
    with nogil:
        failed = (
            allocate_outputs(&outputs, negatives, sets) != 0
            or allocate(&work, stride, at_once, 1 + negatives) != 0
            or walk_chunk(
                &walk, ids, sentence_offsets, start, stop, keep, <uint32_t>window, dynamic_window, key,
                1 + sets * negatives
            ) != 0
            or (team_works and visit_in_lanes(&walk, all.steps, window) != 0)
        )
        use_zeros(&all, &work)
        outputs.row_of = row_of
        outputs.places = place_of_word
        if not failed:
            renumber(&walk, place_of_word)
            find_repeats(&walk, window)
            find_rows(&walk, &input_rows, window)
        if not failed and work.exposures != NULL and still.rows == NULL:
            of_words = <float *>calloc(walk.n * SLOTS, sizeof(float))
            failed = of_words == NULL
        outputs.stop = walk.first
        for number in range(walk.first, walk.first if failed else walk.last):
            i = visited(&walk, number)
            if number + ahead >= outputs.stop and outputs.stop < walk.last:
                draw_outputs(
                    &outputs, &work, &walk, number, window, &input_rows, &output_rows, &noise[0, 0], n_words,
                    key
                )
            n_contexts = walk.end[i] - walk.begin[i] - 1
            sampled = walk.positions[i] & (loss_every - 1) == 0
            pairs += n_contexts
            sampled_pairs += n_contexts if sampled else 0
            copy_contexts(&walk, i, window)
            repeats = shared and walk.distinct[walk.end[i] - 1] > walk.begin[i]
            next_rows = rows_of_set(&outputs, number + ahead, 0)
            next_sets = sets_of(&outputs, &walk, number + ahead) if number + ahead < walk.last else 0
            c = 0
            while c < n_contexts:
                n = min(at_once, n_contexts - c)
                if repeats:
                    merge_inputs(&work, walk.contexts + c, n)
                else:
                    use_inputs(&work, walk.contexts + c, n)
                let_stay(&work, &still)
                if c == 0 or not shared:
                    use_set(&work, &outputs, number, c)
                # fetch the same set of that position, its centre once only; the last step all that is left
                n_sets = (next_sets if c + at_once >= n_contexts else min(c + 1, next_sets)) - c
                work.next_rows = next_rows + c * outputs.set_rows + (c > 0)
                work.n_next = max(0, n_sets * outputs.set_rows + (c + n_sets == next_sets) - (c > 0))
                if of_words != NULL:
                    work.of_contexts = of_words + (walk.begin[i] + c) * SLOTS
                    work.gap = max(0, i - walk.begin[i] - c)
                take(&all, &work, learning_rate, &total if sampled else NULL)
                c += at_once
        exchange(&input_rows)
        exchange(&output_rows)
        if of_words != NULL:
            expose_words(&exposed, walk.rows, of_words, walk.n)
        if work.exposures != NULL:
            add_exposures(&exposed)
        failed = finish(&all, &work, failed, &total)
        free_outputs(&outputs)
        free(of_words)
        free(work.memory)
        free_walk(&walk)
    leave(&all, team)
    if failed:
        raise MemoryError("no memory for the buffers of a chunk")
    return total, sampled_pairs, pairs

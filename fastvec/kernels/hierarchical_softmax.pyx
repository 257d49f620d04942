"""Skip-gram and CBOW with hierarchical softmax, as reference/hierarchical_softmax.py.

What is done otherwise, and why:

- The sigmoid comes from the table of ``vector.h``, absolute error below 3e-6.
- A context that is repeated in a window is merged and counted, so that its row is read and written once.
- The nodes of a path are found some positions ahead, and fetched into the cache meanwhile but for the first
  block: those nodes are on the paths of most words and in the cache always.
- Threads share the matrices without locks (Hogwild: Niu, Recht, Ré and Wright 2011).
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from .ahead cimport (
    Ring, allocate_ring, fetch_rows_of, free_ring, place_of, positions_ahead, rows_of,
)
from .copies cimport Rows, count_uses, exchange, row_of, see_rows, share_rows
from .distinct cimport Seen, make_room, move_repeats_behind
from .frozen cimport Frozen, moving_first, use_frozen
from .mean cimport take_mean_step
from .step cimport MAX_SHARED, ONES, Step, allocate, let_stay, merge_inputs, take_step, use_inputs
from .tiles cimport BLOCK
from .together cimport Together, finish, join, leave, take, take_mean, use_zeros
from .vector cimport fill_sigmoid_table
from .walk cimport (
    Walk, copy_contexts, find_repeats, find_rows, free_walk, visit_in_lanes, visited, walk_chunk,
)

cdef extern from *:
    """
    /* TURNS[bits]: the labels of a block, the n-th is bit n; all of them twice, as ONES in step.pxd */
    static float TURNS[64][16];
    static void fill_turns(void) {
        for (int bits = 0; bits < 64; bits++)
            for (int n = 0; n < 6; n++) TURNS[bits][n] = TURNS[bits][8 + n] = bits >> n & 1;
    }
    """
    const float *TURNS[64]
    void fill_turns()

cdef enum:
    POSITIONS = 8      # whose paths are at hand, a power of 2

fill_sigmoid_table()
fill_turns()


cdef struct Paths:
    # A ring of positions with the paths of their words, in whole blocks, and behind each an input row to be
    # fetched.
    Ring ring
    Py_ssize_t max_blocks
    const float **counts       # [position][max_blocks]
    const float **positives    # [position][max_blocks]


cdef int allocate_paths(Paths *paths, Py_ssize_t longest) noexcept nogil:
    """Return 0 on success; to be freed by free_paths in any case."""
    cdef Py_ssize_t blocks = (longest + BLOCK - 1) // BLOCK
    cdef bint failed = allocate_ring(&paths.ring, POSITIONS, blocks * BLOCK + 1) != 0
    paths.max_blocks = blocks
    # copy_rows() reads up to seven more
    paths.counts = <const float **>malloc((POSITIONS * blocks + 7) * sizeof(float *))
    paths.positives = <const float **>malloc((POSITIONS * blocks + 7) * sizeof(float *))
    return -1 if failed or paths.counts == NULL or paths.positives == NULL else 0


cdef void free_paths(Paths *paths) noexcept nogil:
    free_ring(&paths.ring)
    free(paths.counts)
    free(paths.positives)


cdef inline void use_path(Step *step, const Paths *paths, Py_ssize_t i) noexcept nogil:
    """Take the nodes of position i as the outputs of a step."""
    cdef Py_ssize_t place = place_of(&paths.ring, i)
    step.y = rows_of(&paths.ring, i)
    step.n_blocks = paths.ring.n_rows[place] // BLOCK
    step.counts = paths.counts + place * paths.max_blocks
    step.positives = paths.positives + place * paths.max_blocks


cdef inline void find_path(
    Paths *paths, Py_ssize_t i, const int32_t *nodes, const uint8_t *codes, Py_ssize_t length,
    Rows *node_vectors, float *next_input, const Step *step,
) noexcept nogil:
    """Put a path into the place of position i, and the input row to be fetched with it."""
    cdef Py_ssize_t place = place_of(&paths.ring, i), n_blocks = (length + BLOCK - 1) // BLOCK, block, n, here
    cdef float **rows = rows_of(&paths.ring, i)
    cdef unsigned int left
    count_uses(node_vectors, nodes, length)
    for block in range(n_blocks):
        here = min(<Py_ssize_t>BLOCK, length - block * BLOCK)
        left = 0
        for n in range(here):
            rows[n] = row_of(node_vectors, nodes[n])
            left |= <unsigned int>(codes[n] == 0) << n
        for n in range(here, BLOCK):
            rows[n] = step.zero_row
        paths.counts[place * paths.max_blocks + block] = ONES[here]
        paths.positives[place * paths.max_blocks + block] = TURNS[left]
        rows += BLOCK
        nodes += BLOCK
        codes += BLOCK
    rows[0] = next_input
    paths.ring.n_rows[place] = n_blocks * BLOCK + 1


def step(
    float[:, ::1] input_vectors,
    float[:, ::1] node_vectors,
    const int32_t[::1] contexts,
    const int32_t[::1] nodes,
    const uint8_t[::1] codes,
    bint cbow,
    bint mean,
    bint scale_gradient,
    float learning_rate,
    const uint8_t[::1] frozen=None,
):
    """Take one gradient step for one window."""
    cdef Step work
    cdef Rows node_rows
    cdef Paths path
    cdef Seen seen
    cdef Frozen still
    cdef Py_ssize_t n_contexts = contexts.shape[0], n_moved = n_contexts, i
    cdef Py_ssize_t stride = input_vectors.shape[1]
    cdef float **rows
    cdef double loss = 0
    cdef bint failed
    memset(&work, 0, sizeof(work))
    memset(&path, 0, sizeof(path))
    memset(&seen, 0, sizeof(seen))
    use_frozen(&still, frozen, input_vectors)
    with nogil:
        rows = <float **>malloc(n_contexts * sizeof(float *))
        failed = (
            rows == NULL or allocate(&work, stride, n_contexts, nodes.shape[0]) != 0
            or allocate_paths(&path, nodes.shape[0]) != 0 or make_room(&seen, n_contexts) != 0
        )
        if not failed:
            for i in range(n_contexts):
                rows[i] = &input_vectors[0, 0] + contexts[i] * stride
            share_rows(&node_rows, &node_vectors[0, 0], stride)
            find_path(&path, 0, &nodes[0], &codes[0], nodes.shape[0], &node_rows, NULL, &work)
            use_path(&work, &path, 0)
            if cbow:
                if not scale_gradient:
                    n_moved = move_repeats_behind(&seen, rows, n_contexts)
                n_moved = moving_first(&still, rows, NULL, n_moved)
                take_mean_step(
                    &work, rows, n_contexts, n_moved, mean, scale_gradient, learning_rate, &loss
                )
            else:
                merge_inputs(&work, rows, n_contexts)
                let_stay(&work, &still)
                take_step(&work, learning_rate, &loss)
        free(seen.slots)
        free(rows)
        free_paths(&path)
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
    bint mean,
    bint scale_gradient,
    float learning_rate,
    uint64_t key,
    uint64_t loss_every,
    team=None,
    copies=None,
    const uint8_t[::1] frozen=None,
    bint dynamic_window=True,
):
    """Train on the words at positions [start, stop) of the corpus as centres."""
    cdef Step work
    cdef Walk walk
    cdef Rows input_rows, node_rows
    cdef Paths paths
    cdef Seen seen
    cdef Together all
    cdef Frozen still
    cdef bint team_works = team is not None
    cdef float **contexts = NULL
    cdef Py_ssize_t stride = input_vectors.shape[1]
    cdef Py_ssize_t number, i, c, n, n_contexts, n_moved, found, ahead, entering, longest = 1
    cdef int32_t word
    cdef int64_t sampled_pairs = 0, pairs = 0
    cdef double loss = 0
    cdef bint sampled, repeats, failed
    memset(&walk, 0, sizeof(walk))
    memset(&work, 0, sizeof(work))
    memset(&paths, 0, sizeof(paths))
    memset(&seen, 0, sizeof(seen))
    see_rows(&input_rows, input_vectors, copies, "input_vectors")
    see_rows(&node_rows, node_vectors, copies, "node_vectors")
    join(&all, team, learning_rate)
    use_frozen(&still, frozen, input_vectors)
    with nogil:
        failed = make_room(&seen, 2 * window) != 0 or walk_chunk(
            &walk, ids, sentence_offsets, start, stop, keep, <uint32_t>window, dynamic_window, key, 1
        ) != 0 or (team_works and visit_in_lanes(&walk, all.steps, window) != 0)
        if not failed:
            for i in range(walk.first, walk.last):
                longest = max(longest, path_offsets[walk.words[i] + 1] - path_offsets[walk.words[i]])
            if not (cbow and scale_gradient):
                find_repeats(&walk, window)
            find_rows(&walk, &input_rows, window)
            contexts = walk.contexts   # read once: for all the compiler knows, a row's update changes it
            failed = (
                allocate(&work, stride, 1 if cbow else MAX_SHARED, longest) != 0
                or allocate_paths(&paths, longest) != 0
            )
        use_zeros(&all, &work)
        ahead = positions_ahead(BLOCK, stride)
        found = walk.first
        for number in range(walk.first, walk.first if failed else walk.last):
            i = visited(&walk, number)
            while found <= min(number + ahead, walk.last - 1):
                word = walk.words[visited(&walk, found)]
                entering = min(visited(&walk, found) + window, walk.last - 1)
                exchange(&input_rows)
                exchange(&node_rows)
                find_path(
                    &paths, found, &path_nodes[path_offsets[word]], &path_codes[path_offsets[word]],
                    path_offsets[word + 1] - path_offsets[word], &node_rows,
                    row_of(&input_rows, walk.words[entering]), &work
                )
                count_uses(&input_rows, walk.words + entering, 1)
                found += 1
            n_contexts = walk.end[i] - walk.begin[i] - 1
            if n_contexts == 0:
                continue
            sampled = walk.positions[i] & (loss_every - 1) == 0
            pairs += 1 if cbow else n_contexts
            sampled_pairs += (1 if cbow else n_contexts) if sampled else 0
            copy_contexts(&walk, i, window)
            use_path(&work, &paths, number)
            fetch_rows_of(&work, &paths.ring, number + ahead, BLOCK, walk.last)
            repeats = not (cbow and scale_gradient) and walk.distinct[walk.end[i] - 1] > walk.begin[i]
            if cbow:
                n_moved = n_contexts
                if repeats:
                    n_moved = move_repeats_behind(&seen, contexts, n_contexts)
                n_moved = moving_first(&still, contexts, NULL, n_moved)
                take_mean(
                    &all, &work, contexts, n_contexts, n_moved, mean, scale_gradient, learning_rate,
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
                let_stay(&work, &still)
                take(&all, &work, learning_rate, &loss if sampled else NULL)
                work.n_next = 0
                c += n
        exchange(&input_rows)
        exchange(&node_rows)
        failed = finish(&all, &work, failed, &loss)
        free(seen.slots)
        free_paths(&paths)
        free(work.memory)
        free_walk(&walk)
    leave(&all, team)
    if failed:
        raise MemoryError("no memory for the buffers of a chunk")
    return loss, sampled_pairs, pairs

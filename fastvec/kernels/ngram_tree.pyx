"""Hierarchical softmax for words and their character n-grams (fastText), as reference/ngram_tree.py.

What is done otherwise, and why:

- The sigmoid comes from the table of ``vector.h``, absolute error below 3e-6.
- Nodes that are on several paths of an update are merged and counted, so that their rows are read and written
  once.
- The rows of the next position are fetched into the cache meanwhile, but for the first nodes of paths: those
  are on the paths of most words and in the cache always.
- Threads share the matrices without locks (Hogwild: Niu, Recht, Ré and Wright 2011).
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from .ahead cimport Ring, allocate_ring, fetch_rows_of, free_ring, place_of, rows_of
from .bags cimport MAX_FETCHED, Bag, free_bag, note_rows_of, take_rows_of, take_rows_of_contexts, use_rows
from .copies cimport Rows, count_uses, exchange, row_of, see_rows, share_rows
from .frozen cimport Frozen, moving_first, use_frozen
from .mean cimport take_mean_step
from .step cimport MAX_SHARED, Step, allocate, clear_merged, count_merged, use_merged
from .tiles cimport BLOCK
from .together cimport Together, finish, join, leave, take_mean, use_zeros
from .vector cimport fill_sigmoid_table
from .walk cimport Walk, context_of, free_walk, visit_in_lanes, visited, walk_chunk

cdef enum:
    POSITIONS = 2      # whose rows are noted, a power of 2

fill_sigmoid_table()


cdef struct Paths:
    const int64_t *offsets
    const int32_t *nodes
    const uint8_t *codes


cdef struct Places:
    # of nodes among the outputs of a step
    int32_t *of_nodes          # of each node; right if the node is there
    Py_ssize_t n               # outputs so far


cdef inline void add_path(
    Step *step, Places *places, Rows *node_rows, const int32_t *nodes, const uint8_t *codes, Py_ssize_t length
) noexcept nogil:
    """Count the nodes of a path among the outputs of a step, after clear_merged()."""
    cdef Py_ssize_t n, place
    cdef float *row
    for n in range(length):
        row = row_of(node_rows, nodes[n])
        place = places.of_nodes[nodes[n]]
        if place >= places.n or step.y_merged[place] != row:
            place = places.n
            places.of_nodes[nodes[n]] = <int32_t>place
            step.y_merged[place] = row
            places.n += 1
            count_uses(node_rows, nodes + n, 1)
        count_merged(step, place, codes[n] == 0)


cdef inline void use_paths(
    Step *step, Places *places, Rows *node_rows, const Paths *paths, const Walk *walk, Py_ssize_t i,
    bint cbow, Py_ssize_t first, Py_ssize_t last,
) noexcept nogil:
    """Take the paths of the targets [first, last) of words[i] as the outputs of a step."""
    cdef Py_ssize_t t, length, n = 0
    cdef int64_t begin
    cdef int32_t word
    for t in range(first, last):
        word = walk.words[i] if cbow else context_of(walk, i, t)
        n += paths.offsets[word + 1] - paths.offsets[word]
    clear_merged(step, n)
    places.n = 0
    for t in range(first, last):
        word = walk.words[i] if cbow else context_of(walk, i, t)
        begin = paths.offsets[word]
        length = paths.offsets[word + 1] - begin
        add_path(step, places, node_rows, paths.nodes + begin, paths.codes + begin, length)
    use_merged(step, places.n)


def step(
    float[:, ::1] input_vectors,
    float[:, ::1] node_vectors,
    const int32_t[::1] inputs,
    const int32_t[::1] nodes,
    const uint8_t[::1] codes,
    Py_ssize_t n_first,
    bint mean,
    bint scale_gradient,
    float learning_rate,
    const uint8_t[::1] frozen=None,
):
    """Take one gradient step for one bag of rows."""
    cdef Step work
    cdef Rows node_rows
    cdef Frozen still
    cdef Places places
    cdef Py_ssize_t n_inputs = inputs.shape[0], stride = input_vectors.shape[1], i
    cdef float **rows
    cdef double loss = 0
    cdef bint failed
    memset(&work, 0, sizeof(work))
    use_frozen(&still, frozen, input_vectors)
    with nogil:
        rows = <float **>malloc(n_inputs * sizeof(float *))
        places.of_nodes = <int32_t *>calloc(node_vectors.shape[0], sizeof(int32_t))
        failed = (
            rows == NULL or places.of_nodes == NULL or allocate(&work, stride, 1, nodes.shape[0]) != 0
        )
        if not failed:
            for i in range(n_inputs):
                rows[i] = &input_vectors[0, 0] + inputs[i] * stride
            share_rows(&node_rows, &node_vectors[0, 0], stride)
            clear_merged(&work, nodes.shape[0])
            places.n = 0
            add_path(&work, &places, &node_rows, &nodes[0], &codes[0], nodes.shape[0])
            use_merged(&work, places.n)
            n_first = moving_first(&still, rows, NULL, n_inputs if scale_gradient else n_first)
            take_mean_step(&work, rows, n_inputs, n_first, mean, scale_gradient, learning_rate, &loss)
        free(rows)
        free(places.of_nodes)
        free(work.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a step")
    return loss


cdef void note_rows(
    Ring *ring, Py_ssize_t number, const Walk *walk, Py_ssize_t n_targets, int32_t entering, bint cbow,
    const Bag *bag, const Paths *paths, const Rows *node_rows,
) noexcept nogil:
    """Note the rows to fetch for a position: those of its paths, and those of an entering word."""
    cdef Py_ssize_t t, n = 0, i = visited(walk, number)
    cdef int64_t k
    cdef int32_t word
    cdef float **rows = rows_of(ring, number)
    for t in range(n_targets):
        word = walk.words[i] if cbow else context_of(walk, i, t)
        for k in range(paths.offsets[word] + BLOCK, paths.offsets[word + 1]):
            rows[n] = row_of(node_rows, paths.nodes[k])
            n += 1
    ring.n_rows[place_of(ring, number)] = n + note_rows_of(bag, entering, rows + n)


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
    const int64_t[::1] subword_offsets,
    const int32_t[::1] subwords,
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
    cdef Ring ring
    cdef Bag bag
    cdef Rows node_rows
    cdef Paths paths
    cdef Places places
    cdef Together all
    cdef Frozen still
    cdef bint team_works = team is not None
    cdef Py_ssize_t stride = input_vectors.shape[1]
    cdef Py_ssize_t most = 1 if cbow else 2 * window, at_once = min(<Py_ssize_t>MAX_SHARED, most)
    cdef Py_ssize_t number, word, i, c, n, n_contexts, n_targets, n_moved, next_position, longest = 1
    cdef int64_t sampled_pairs = 0, pairs = 0
    cdef double loss = 0
    cdef bint sampled, failed
    memset(&walk, 0, sizeof(walk))
    memset(&work, 0, sizeof(work))
    memset(&ring, 0, sizeof(ring))
    use_rows(&bag, &input_vectors[0, 0], stride, &subword_offsets[0], &subwords[0])
    see_rows(&node_rows, node_vectors, copies, "node_vectors")
    paths.offsets, paths.nodes, paths.codes = &path_offsets[0], &path_nodes[0], &path_codes[0]
    join(&all, team, learning_rate)
    use_frozen(&still, frozen, input_vectors)
    with nogil:
        places.of_nodes = <int32_t *>calloc(node_vectors.shape[0] + node_rows.n_copies, sizeof(int32_t))
        failed = places.of_nodes == NULL or walk_chunk(
            &walk, ids, sentence_offsets, start, stop, keep, <uint32_t>window, dynamic_window, key, 1
        ) != 0 or (team_works and visit_in_lanes(&walk, all.steps, window) != 0)
        if not failed:
            for i in range(walk.n):
                longest = max(longest, path_offsets[walk.words[i] + 1] - path_offsets[walk.words[i]])
            failed = (
                allocate(&work, stride, 1, at_once * longest) != 0
                or allocate_ring(&ring, POSITIONS, most * longest + MAX_FETCHED) != 0
            )
        use_zeros(&all, &work)
        next_position = walk.first
        for number in range(walk.first, walk.first if failed else walk.last):
            i = visited(&walk, number)
            exchange(&node_rows)
            while next_position <= min(number + 1, walk.last - 1):
                word = visited(&walk, next_position)
                n_contexts = walk.end[word] - walk.begin[word] - 1
                note_rows(
                    &ring, next_position, &walk, min(most, n_contexts),
                    walk.words[min(word + window, walk.last - 1) if cbow else word], cbow, &bag, &paths,
                    &node_rows
                )
                next_position += 1
            n_contexts = walk.end[i] - walk.begin[i] - 1
            if n_contexts == 0:
                continue
            sampled = walk.positions[i] & (loss_every - 1) == 0
            n_targets = 1 if cbow else n_contexts
            pairs += n_targets
            sampled_pairs += n_targets if sampled else 0
            if cbow:
                failed = take_rows_of_contexts(&bag, &walk, i) != 0
            else:
                failed = take_rows_of(&bag, walk.words[i]) != 0
            if failed:
                break
            n_moved = moving_first(&still, bag.rows, NULL, bag.n if scale_gradient else bag.n_first)
            fetch_rows_of(&work, &ring, number + 1, 0, walk.last)
            c = 0
            while c < n_targets:
                n = min(at_once, n_targets - c)
                use_paths(&work, &places, &node_rows, &paths, &walk, i, cbow, c, c + n)
                take_mean(
                    &all, &work, bag.rows, bag.n, n_moved, mean, scale_gradient, learning_rate,
                    &loss if sampled else NULL
                )
                c += n
        exchange(&node_rows)
        failed = finish(&all, &work, failed, &loss)
        free_ring(&ring)
        free_bag(&bag)
        free(places.of_nodes)
        free(work.memory)
        free_walk(&walk)
    leave(&all, team)
    if failed:
        raise MemoryError("no memory for the buffers of a chunk")
    return loss, sampled_pairs, pairs

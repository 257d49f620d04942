"""One step: any rows of x against any outputs, each as a target, as a negative or both, at whatever loss.

Rows that occur several times are merged first and counted: an update reads and writes every row once.
"""

from libc.stdint cimport int32_t
from libc.string cimport memcpy, memset

from .exposures cimport Exposures, expose_block, expose_input, exposure_of
from .frozen cimport Frozen, moving_first
from .losses cimport LOGISTIC, add_cost, differentiate
from .memory cimport allocate_zeros, reserve
from .tiles cimport BLOCK, SLOTS, dot_four, dot_one, dot_two, update_in_turn, update_one
from .vector cimport REGISTERS, broadcast, inlined_void, lanes, noinline_void, prefetch_row

cdef extern from *:
    """
    /* Numbers for the outputs of a block, all of them twice: for two rows of x, one AVX-512 register. */
    static const float FIRST[16] = {1, 0, 0, 0, 0, 0, 0, 0, 1};
    /* ones for the first n outputs */
    static const float ONES[7][16] = {
        {0},
        {1, 0, 0, 0, 0, 0, 0, 0, 1},
        {1, 1, 0, 0, 0, 0, 0, 0, 1, 1},
        {1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1},
        {1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1},
        {1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1},
        {1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1},
    };
    """
    const float *FIRST
    const float *ONES[7]


cdef enum:
    MAX_SHARED = 16    # inputs or targets of an update, as in the reference


cdef struct Step:
    int loss                   # LOGISTIC, unless set
    Py_ssize_t stride          # floats from one row of a matrix to the next
    Py_ssize_t begin           # of the floats that move; all unless set
    Py_ssize_t end
    Py_ssize_t n_x
    float **x                  # rows, all different
    bint x_repeats             # whether x_counts says how often each counts; else once
    Py_ssize_t n_still         # the last of them, which do not move
    Py_ssize_t n_blocks        # of outputs
    float **y                  # rows, all different; zero_row behind the last
    const float **counts       # how often each output counts, for every block [2][SLOTS]: all numbers twice
    const float **positives    # how often it does so as a positive
    float **next_rows          # rows to fetch into the cache during the update
    Py_ssize_t n_next
    # room to work in
    float *hidden              # two rows, for a mean of inputs and its gradient
    float *coefficients        # of the update, [n_blocks][block_stride], in it [n_x][SLOTS]
    Py_ssize_t block_stride
    float **x_before           # the rows of x before the update, copies where there are several blocks
    float **x_after            # where the rows of x are moved to, if some of them do not move
    float *copies
    float *zero_row            # fills the last block
    const float **all_once
    const float **first_is_positive
    float *merged              # [n_blocks][counts, positives][2][SLOTS]
    const float **merged_counts
    const float **merged_positives
    float **y_merged
    float *x_counts
    float **x_merged
    Exposures *exposures       # NULL: what steps tell of rows is not wanted
    float *of_x                # what a step has told of its rows of x, [max_x][SLOTS]
    float *of_contexts         # what steps have told of the words of a window, [n][SLOTS]; NULL: in of_x
    Py_ssize_t gap             # the place among these of the word in the middle
    int32_t *x_places          # of the rows of x among contexts
    int32_t *first_places      # of merged ones, where each occurs first
    int32_t *in_order          # 0, 1, 2, ...
    void *memory               # to be freed by the caller


cdef inline Py_ssize_t lay_out(Step *step, char *base, Py_ssize_t max_x, Py_ssize_t n_blocks) noexcept nogil:
    """Place everything behind base and return the size of it all."""
    cdef char *room = base
    step.hidden = <float *>reserve(&room, 2 * step.stride * sizeof(float))
    step.coefficients = <float *>reserve(&room, n_blocks * step.block_stride * sizeof(float))
    step.x_before = <float **>reserve(&room, max_x * sizeof(void *))
    step.x_after = <float **>reserve(&room, max_x * sizeof(void *))
    step.copies = <float *>reserve(&room, max_x * step.stride * sizeof(float) if n_blocks > 1 else 0)
    step.zero_row = <float *>reserve(&room, step.stride * sizeof(float))
    step.all_once = <const float **>reserve(&room, n_blocks * sizeof(void *))
    step.first_is_positive = <const float **>reserve(&room, n_blocks * sizeof(void *))
    step.merged = <float *>reserve(&room, n_blocks * 4 * SLOTS * sizeof(float))
    step.merged_counts = <const float **>reserve(&room, n_blocks * sizeof(void *))
    step.merged_positives = <const float **>reserve(&room, n_blocks * sizeof(void *))
    step.y_merged = <float **>reserve(&room, n_blocks * BLOCK * sizeof(void *))
    step.x_counts = <float *>reserve(&room, max_x * sizeof(float))
    step.x_merged = <float **>reserve(&room, max_x * sizeof(void *))
    step.of_x = <float *>reserve(&room, max_x * SLOTS * sizeof(float))
    step.first_places = <int32_t *>reserve(&room, max_x * sizeof(int32_t))
    step.in_order = <int32_t *>reserve(&room, max_x * sizeof(int32_t))
    return room - base


cdef inline int allocate(Step *step, Py_ssize_t stride, Py_ssize_t max_x, Py_ssize_t n_y) noexcept nogil:
    """Make room for steps of up to max_x rows of x and n_y outputs; return 0 on success."""
    cdef Py_ssize_t n_blocks = (n_y + BLOCK - 1) // BLOCK, block, c
    cdef char *room
    step.stride = stride
    step.begin = 0
    step.end = stride
    # behind the last row, a tile of AVX-512 writes up to 8 floats more
    step.block_stride = (max_x + 1) * SLOTS
    step.n_next = 0
    room = <char *>allocate_zeros(&step.memory, lay_out(step, NULL, max_x, n_blocks))
    if room == NULL:
        return -1
    lay_out(step, room, max_x, n_blocks)
    for block in range(n_blocks):
        step.all_once[block] = ONES[min(<Py_ssize_t>BLOCK, n_y - block * BLOCK)]
        step.first_is_positive[block] = FIRST if block == 0 else ONES[0]
        step.merged_counts[block] = step.merged + block * 4 * SLOTS
        step.merged_positives[block] = step.merged_counts[block] + 2 * SLOTS
    for c in range(max_x):
        step.in_order[c] = <int32_t>c
    return 0


cdef inline Py_ssize_t find_or_append(float **rows, Py_ssize_t n, float *row) noexcept nogil:
    """The place of the row among rows[0:n], or n after putting it there."""
    cdef Py_ssize_t i = 0
    rows[n] = row
    while rows[i] != row:
        i += 1
    return i


cdef inline void use_inputs(Step *step, float **rows, Py_ssize_t n_rows) noexcept nogil:
    """Take rows that are all different."""
    step.x = rows
    step.n_x = n_rows
    step.x_repeats = False
    step.x_places = step.in_order


cdef inline void merge_inputs(Step *step, float **rows, Py_ssize_t n_rows) noexcept nogil:
    cdef Py_ssize_t c, i, n_x = 0
    for i in range(n_rows):
        c = find_or_append(step.x_merged, n_x, rows[i])
        if c == n_x:
            step.x_counts[c] = 0
            step.first_places[c] = <int32_t>i
            n_x += 1
        step.x_counts[c] += 1
    use_inputs(step, step.x_merged, n_x)
    step.x_repeats = True
    step.x_places = step.first_places


cdef inline void let_stay(Step *step, const Frozen *frozen) noexcept nogil:
    """Put the inputs that are frozen behind the others, where they do not move."""
    cdef float *counts = step.x_counts if step.x_repeats else NULL
    if frozen.rows != NULL:
        step.n_still = step.n_x - moving_first(frozen, step.x, counts, step.n_x)


cdef inline void use_outputs(Step *step, float **rows, Py_ssize_t n_rows) noexcept nogil:
    """Take as many rows as there is room for, all different, the first the positive one."""
    step.y = rows
    step.n_blocks = (n_rows + BLOCK - 1) // BLOCK
    step.counts = step.all_once
    step.positives = step.first_is_positive


cdef inline void merge_outputs(Step *step, float **rows, Py_ssize_t n_rows) noexcept nogil:
    """Take rows of which the first is the positive one; negatives equal to it are left out."""
    cdef Py_ssize_t i, n, n_y = 0
    clear_merged(step, n_rows)
    for i in range(n_rows):
        n = find_or_append(step.y_merged, n_y, rows[i])
        n_y = max(n_y, n + 1)
        if n > 0 or i == 0:
            count_merged(step, n, i == 0)
    use_merged(step, n_y)


cdef inline void clear_merged(Step *step, Py_ssize_t n_rows) noexcept nogil:
    memset(step.merged, 0, (n_rows + BLOCK - 1) // BLOCK * 4 * SLOTS * sizeof(float))


cdef inline void count_merged(Step *step, Py_ssize_t n, bint positive) noexcept nogil:
    """Count row n of y_merged once more."""
    cdef float *slot = step.merged + n // BLOCK * 4 * SLOTS + n % BLOCK
    slot[0] += 1
    slot[SLOTS] += 1
    slot[2 * SLOTS] += positive
    slot[3 * SLOTS] += positive


cdef inline void use_merged(Step *step, Py_ssize_t n_y) noexcept nogil:
    """Take the first rows of y_merged, as they were counted."""
    cdef Py_ssize_t n
    step.y = step.y_merged
    step.n_blocks = (n_y + BLOCK - 1) // BLOCK
    step.counts = step.merged_counts
    step.positives = step.merged_positives
    for n in range(n_y, step.n_blocks * BLOCK):
        step.y_merged[n] = step.zero_row


cdef inline double compute_loss(const Step *step) noexcept nogil:
    """J before the update, in double precision and without the table."""
    cdef Py_ssize_t block, c, n
    cdef double total = 0, positives, negatives, x_count
    cdef float[3 * SLOTS] scores, first
    first[0] = 0
    for block in range(step.n_blocks):
        for c in range(step.n_x):
            dot_one(step.x[c], step.y + block * BLOCK, 0, step.stride, scores)
            if block == 0:
                first[0] = scores[0]
            elif step.loss != LOGISTIC:  # which does not compare scores
                dot_one(step.x[c], step.y, 0, step.stride, first)
            x_count = step.x_counts[c] if step.x_repeats else 1
            for n in range(BLOCK):
                positives = step.positives[block][n]
                negatives = step.counts[block][n] - positives
                add_cost(&total, step.loss, scores[n], first[0], x_count * positives, x_count * negatives)
    return total


cdef inline void fetch_next_row(Step *step) noexcept nogil:
    if step.n_next:
        prefetch_row(step.next_rows[0], step.stride)
        step.next_rows += 1
        step.n_next -= 1


cdef inline inlined_void compute_coefficients_of(Step *step, int loss, float learning_rate) noexcept nogil:
    cdef Py_ssize_t block, c, slot
    cdef float *g
    cdef float *first = step.coefficients
    cdef float **y
    cdef const float *counts
    cdef const float *positives
    cdef lanes rate = broadcast(learning_rate)
    for block in range(step.n_blocks):
        g = step.coefficients + block * step.block_stride
        y = step.y + block * BLOCK
        counts = step.counts[block]
        positives = step.positives[block]
        c = 0
        while REGISTERS == 32 and c + 3 < step.n_x:
            fetch_next_row(step)
            dot_four(step.x + c, y, 0, step.stride, g + c * SLOTS)
            differentiate(loss, g + c * SLOTS, 4, positives, counts, rate, first + c * SLOTS)
            c += 4
        while c + 1 < step.n_x:
            fetch_next_row(step)
            dot_two(step.x[c], step.x[c + 1], y, 0, step.stride, g + c * SLOTS)
            differentiate(loss, g + c * SLOTS, 2, positives, counts, rate, first + c * SLOTS)
            c += 2
        if c < step.n_x:
            dot_one(step.x[c], y, 0, step.stride, g + c * SLOTS)
            differentiate(loss, g + c * SLOTS, 1, positives, counts, rate, first + c * SLOTS)
    for block in range(step.n_blocks if step.x_repeats else 0):
        g = step.coefficients + block * step.block_stride
        for c in range(step.n_x):
            for slot in range(BLOCK):
                g[c * SLOTS + slot] *= step.x_counts[c]


cdef inline noinline_void compute_coefficients(Step *step, float learning_rate) noexcept nogil:
    """coefficients[c, n] ← −η · ∂J/∂(x_c · yₙ)"""
    if step.loss == LOGISTIC:  # a loop of its own, in which the sigmoid's table stays in registers
        compute_coefficients_of(step, LOGISTIC, learning_rate)
    else:
        compute_coefficients_of(step, step.loss, learning_rate)


cdef inline noinline_void find_places(const Step *step) noexcept nogil:
    """Fill x_after: the rows that do not move are as they are to the outputs, and their moves are lost."""
    cdef Py_ssize_t c
    for c in range(step.n_x):
        step.x_after[c] = step.x[c] if c < step.n_x - step.n_still else step.hidden


cdef inline void update_rows(const Step *step) noexcept nogil:
    cdef Py_ssize_t block, c
    cdef float **x_before = step.x
    cdef float **x_after = step.x
    if step.n_still:
        find_places(step)
        x_after = step.x_after
    elif step.n_x == 1 and step.n_blocks == 1:
        update_one(step.x[0], step.y, step.begin, step.end, step.coefficients, step.next_rows, step.n_next)
        return
    if step.n_blocks > 1:
        x_before = step.x_before
        for c in range(step.n_x):
            x_before[c] = step.copies + c * step.stride
            memcpy(
                x_before[c] + step.begin, step.x[c] + step.begin, (step.end - step.begin) * sizeof(float)
            )
    for block in range(step.n_blocks):
        update_in_turn(
            x_after, x_before, step.n_x, step.y + block * BLOCK, step.begin, step.end,
            step.coefficients + block * step.block_stride, step.next_rows, step.n_next if block == 0 else 0,
        )


cdef inline void expose_blocks(
    Step *step, float learning_rate, float *of_x, const int32_t *places, Py_ssize_t gap
) noexcept nogil:
    cdef const float *x_counts = step.x_counts if step.x_repeats else NULL
    cdef Py_ssize_t block
    for block in range(step.n_blocks if learning_rate > 0 else 0):
        expose_block(
            step.exposures, step.coefficients + block * step.block_stride, step.n_x, step.y + block * BLOCK,
            step.positives[block], step.counts[block], step.zero_row, learning_rate, x_counts, of_x, places,
            gap,
        )


cdef inline void expose_outputs(Step *step, float learning_rate) noexcept nogil:
    """Add what a step tells of its outputs, and fill of_x."""
    memset(step.of_x, 0, step.n_x * SLOTS * sizeof(float))
    expose_blocks(step, learning_rate, step.of_x, step.in_order, step.n_x)


cdef inline noinline_void expose_rows(Step *step, float learning_rate) noexcept nogil:
    cdef Py_ssize_t c
    if step.of_contexts != NULL:
        expose_blocks(step, learning_rate, step.of_contexts, step.x_places, step.gap)
        return
    expose_outputs(step, learning_rate)
    for c in range(step.n_x):
        expose_input(step.exposures, step.x[c], exposure_of(step.of_x + c * SLOTS))


cdef inline void take_step(Step *step, float learning_rate, double *loss) noexcept nogil:
    """One update of the rows of x and the outputs; the loss is added up unless it is NULL."""
    if loss != NULL:
        loss[0] += compute_loss(step)
    compute_coefficients(step, learning_rate)
    update_rows(step)
    if step.exposures != NULL:
        expose_rows(step, learning_rate)

"""Steps that several threads take together, with the same bits for any number of threads.

Steps wait until there is a batch of windows. The scores of all are computed from the matrices as they are then; after
that the rows move, step by step, as in ``step.pxd`` and ``mean.pxd``. Every thread goes through all steps, and moves
columns of its own of every row: whole cache lines, which no other thread ever writes, and with up to GROUPS threads
none ever reads. What they exchange are scores. Columns form GROUPS groups, whatever the number of threads, and a score
is the sum of those of the groups, in order: this is why bits do not depend on it.
"""

from libc.stdint cimport int64_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from .losses cimport add_cost, differentiate
from .mean cimport average, update_inputs_and_outputs
from .step cimport Step, update_rows
from .tiles cimport BLOCK, SLOTS, dot_four, dot_one, dot_two
from .vector cimport REGISTERS, broadcast, lanes, load, prefetch_to_write, store

cdef extern from "team.h" nogil:
    const Py_ssize_t SHARED
    int wait_for_all(uint64_t *shared, Py_ssize_t n)

cdef enum:
    WINDOWS = 64       # of a batch, unless there is not enough room
    GROUPS = 2         # of columns
    LINE = 16          # floats of a cache line
    AHEAD = 3          # steps between the prefetch of rows and their use
    SCORES = 1 << 16   # room for scores of a batch and group, unless a window needs more


cdef struct Record:
    # a step that waits
    Py_ssize_t n_x
    Py_ssize_t n_blocks
    float **x                  # or NULL for the mean of rows
    const float *x_counts      # or NULL
    float **y
    const float **counts
    const float **positives
    float **rows
    Py_ssize_t n_rows
    Py_ssize_t n_moved
    float *hidden
    float scale
    Py_ssize_t place           # where its scores are
    bint sampled


cdef struct Piece:
    Piece *next
    Py_ssize_t size


cdef struct Together:
    uint64_t *shared           # NULL: steps are taken at once
    Py_ssize_t n_threads
    Py_ssize_t thread
    Py_ssize_t stride
    float *scores              # [turn][GROUPS][room]
    double *losses             # [turn][max_records]
    Py_ssize_t room
    Py_ssize_t turn
    Record *records
    Py_ssize_t max_records
    Py_ssize_t n
    Py_ssize_t place
    Py_ssize_t windows
    Py_ssize_t window_scores   # at most
    Py_ssize_t window_records
    float learning_rate
    double loss
    Py_ssize_t[GROUPS + 1] groups   # where they begin
    Py_ssize_t begin           # own columns
    Py_ssize_t end
    Piece *first               # memory of the records
    Piece *current
    char *at
    bint failed


cdef inline Py_ssize_t share(Py_ssize_t n, Py_ssize_t i, Py_ssize_t parts) noexcept nogil:
    """Where part i of n things begins."""
    return (n * i + parts - 1) // parts


cdef inline void *take_room(Together *all, Py_ssize_t size) noexcept nogil:
    cdef Piece *piece
    cdef void *taken
    size = (size + 15) // 16 * 16
    while all.at + size > <char *>all.current + all.current.size:
        if all.current.next == NULL or all.current.next.size < size + 64:
            piece = <Piece *>malloc(max(<Py_ssize_t>1 << 16, size + 64))
            if piece == NULL:
                all.failed = True
                return NULL
            piece.size = max(<Py_ssize_t>1 << 16, size + 64)
            piece.next = all.current.next
            all.current.next = piece
        all.current = all.current.next
        all.at = <char *>all.current + 64
    taken = all.at
    all.at += size
    return taken


cdef inline int begin_together(
    Together *all, uint64_t[::1] team, Py_ssize_t n_threads, Py_ssize_t thread, Py_ssize_t stride,
    Py_ssize_t window_records, Py_ssize_t window_scores, float learning_rate,
) noexcept nogil:
    """Make room and meet; return 0 on success."""
    cdef Py_ssize_t lines = stride // LINE, i
    cdef char *shared
    all.shared = &team[0]
    all.n_threads = n_threads
    all.thread = thread
    all.stride = stride
    all.learning_rate = learning_rate
    all.window_records = window_records
    all.window_scores = window_scores
    all.room = max(<Py_ssize_t>SCORES, window_scores)
    all.max_records = WINDOWS * window_records
    for i in range(GROUPS + 1):
        all.groups[i] = share(lines, i, GROUPS) * LINE
    all.begin = share(lines, thread, n_threads) * LINE
    all.end = share(lines, thread + 1, n_threads) * LINE
    all.records = <Record *>malloc(all.max_records * sizeof(Record))
    all.first = all.current = <Piece *>malloc(1 << 16)
    all.failed = all.records == NULL or all.first == NULL
    if not all.failed:
        all.first.size = 1 << 16
        all.first.next = NULL
        all.at = <char *>all.first + 64
    if thread == 0:
        shared = <char *>malloc(
            2 * GROUPS * all.room * sizeof(float) + 2 * all.max_records * sizeof(double) + 64
        )
        all.shared[SHARED] = <uint64_t>shared
    if wait_for_all(all.shared, n_threads) != 0:
        return -1
    shared = <char *>all.shared[SHARED]
    if shared == NULL:
        return -1
    all.scores = <float *>((<uint64_t>shared + 63) // 64 * 64)
    all.losses = <double *>(all.scores + 2 * GROUPS * all.room)
    return 0


cdef inline void end_together(Together *all) noexcept nogil:
    cdef Piece *piece = all.first
    cdef Piece *next
    wait_for_all(all.shared, all.n_threads)
    if all.thread == 0:
        free(<void *>all.shared[SHARED])
    while piece != NULL:
        next = piece.next
        free(piece)
        piece = next
    free(all.records)


cdef inline Record *new_record(Together *all, const Step *step, Py_ssize_t n_x, bint sampled) noexcept nogil:
    cdef Record *record = all.records + all.n
    cdef Py_ssize_t block
    cdef float *numbers
    record.n_x = n_x
    record.n_blocks = step.n_blocks
    record.y = <float **>take_room(all, step.n_blocks * BLOCK * sizeof(void *))
    memcpy(record.y, step.y, step.n_blocks * BLOCK * sizeof(void *))
    record.counts = <const float **>take_room(all, 2 * step.n_blocks * sizeof(void *))
    record.positives = record.counts + step.n_blocks
    if step.counts == step.merged_counts:
        numbers = <float *>take_room(all, step.n_blocks * 4 * SLOTS * sizeof(float))
        memcpy(numbers, step.merged, step.n_blocks * 4 * SLOTS * sizeof(float))
        for block in range(step.n_blocks):
            record.counts[block] = numbers + block * 4 * SLOTS
            record.positives[block] = record.counts[block] + 2 * SLOTS
    else:
        memcpy(record.counts, step.counts, step.n_blocks * sizeof(void *))
        memcpy(record.positives, step.positives, step.n_blocks * sizeof(void *))
    record.place = all.place
    record.sampled = sampled
    all.place += step.n_blocks * (n_x + 1) * SLOTS
    all.n += 1
    return record


cdef inline void postpone(Together *all, const Step *step, bint sampled) noexcept nogil:
    """Let a step of step.pxd wait."""
    cdef Record *record = new_record(all, step, step.n_x, sampled)
    cdef float *counts
    record.rows = NULL
    record.x = <float **>take_room(all, step.n_x * sizeof(void *))
    memcpy(record.x, step.x, step.n_x * sizeof(void *))
    record.x_counts = NULL
    if step.x_repeats:
        counts = <float *>take_room(all, step.n_x * sizeof(float))
        memcpy(counts, step.x_counts, step.n_x * sizeof(float))
        record.x_counts = counts


cdef inline void postpone_mean(
    Together *all, const Step *step, float **rows, Py_ssize_t n_rows, Py_ssize_t n_first, bint scale_gradient,
    bint sampled,
) noexcept nogil:
    """Let a step of mean.pxd wait."""
    cdef Record *record = new_record(all, step, 1, sampled)
    record.rows = <float **>take_room(all, n_rows * sizeof(void *))
    memcpy(record.rows, rows, n_rows * sizeof(void *))
    record.n_rows = n_rows
    record.n_moved = n_rows if scale_gradient else n_first
    record.scale = 1.0 / <float>n_rows if scale_gradient else 1
    record.hidden = <float *>take_room(all, 2 * all.stride * sizeof(float))
    record.x = NULL
    record.x_counts = NULL


cdef inline void use_record(Together *all, Step *step, Record *record) noexcept nogil:
    step.n_x = record.n_x
    step.x = record.x if record.rows == NULL else &record.hidden
    step.n_blocks = record.n_blocks
    step.y = record.y
    step.counts = record.counts
    step.positives = record.positives
    step.block_stride = (record.n_x + 1) * SLOTS
    step.coefficients = all.scores + all.turn * GROUPS * all.room + record.place
    step.n_next = 0


cdef inline void fetch(Together *all, Py_ssize_t i, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """Fetch the columns of a record into the cache."""
    cdef Record *record
    cdef Py_ssize_t n, k
    if i >= all.n:
        return
    record = all.records + i
    for n in range(record.n_blocks * BLOCK):
        k = begin
        while k < end:
            prefetch_to_write(record.y[n] + k)
            k += LINE
    for n in range(record.n_rows if record.rows != NULL else record.n_x):
        k = begin
        while k < end:
            prefetch_to_write((record.rows[n] if record.rows != NULL else record.x[n]) + k)
            k += LINE


cdef inline void compute_scores(
    Together *all, Step *step, Record *record, Py_ssize_t group
) noexcept nogil:
    """Scores of columns."""
    cdef Py_ssize_t block, c, begin = all.groups[group], end = all.groups[group + 1]
    cdef float **y
    cdef float *g
    if record.rows != NULL:
        average(record.hidden, record.rows, record.n_rows, begin, end, 1.0 / <float>record.n_rows)
    for block in range(step.n_blocks):
        g = step.coefficients + group * all.room + block * step.block_stride
        y = step.y + block * BLOCK
        c = 0
        while REGISTERS == 32 and c + 3 < step.n_x:
            dot_four(step.x + c, y, begin, end, g + c * SLOTS)
            c += 4
        while c + 1 < step.n_x:
            dot_two(step.x[c], step.x[c + 1], y, begin, end, g + c * SLOTS)
            c += 2
        if c < step.n_x:
            dot_one(step.x[c], y, begin, end, g + c * SLOTS)


cdef inline void add_groups(float *scores, Py_ssize_t n, Py_ssize_t room) noexcept nogil:
    cdef Py_ssize_t i = 0, group
    cdef lanes total
    for i in range(n):
        for group in range(1, GROUPS):
            scores[i] += scores[group * room + i]


cdef inline double cost(const Step *step, const Record *record) noexcept nogil:
    cdef Py_ssize_t block, c, n
    cdef double total = 0, positives, negatives, x_count
    for block in range(step.n_blocks):
        for c in range(step.n_x):
            x_count = record.x_counts[c] if record.x_counts != NULL else 1
            for n in range(BLOCK):
                positives = step.positives[block][n]
                negatives = step.counts[block][n] - positives
                add_cost(
                    &total, step.loss, step.coefficients[block * step.block_stride + c * SLOTS + n],
                    step.coefficients[c * SLOTS], x_count * positives, x_count * negatives
                )
    return total


cdef inline void combine(Together *all, Step *step, Record *record, double *loss) noexcept nogil:
    """Scores of groups become coefficients."""
    cdef Py_ssize_t block, c, n, slot
    cdef float *g
    cdef lanes rate = broadcast(all.learning_rate)
    for block in range(step.n_blocks):
        add_groups(step.coefficients + block * step.block_stride, step.n_x * SLOTS, all.room)
    if record.sampled:
        loss[0] = cost(step, record)
    for block in range(step.n_blocks):
        g = step.coefficients + block * step.block_stride
        c = 0
        while c < step.n_x:
            n = min(<Py_ssize_t>4, step.n_x - c)
            differentiate(
                step.loss, g + c * SLOTS, n, step.positives[block], step.counts[block], rate,
                step.coefficients + c * SLOTS
            )
            c += n
    if record.x_counts != NULL:
        for block in range(step.n_blocks):
            g = step.coefficients + block * step.block_stride
            for c in range(step.n_x):
                for slot in range(BLOCK):
                    g[c * SLOTS + slot] *= record.x_counts[c]


cdef inline int finish_batch(Together *all, Step *step) noexcept nogil:
    """Take all steps that wait; return 0 on success."""
    cdef Py_ssize_t i, group, begin, end, n = all.n
    cdef Step kept = step[0]
    cdef double *losses = all.losses + all.turn * all.max_records
    for group in range(GROUPS):
        # tasks of group: [group * n, (group + 1) * n)
        begin = max(share(GROUPS * n, all.thread, all.n_threads) - group * n, <Py_ssize_t>0)
        end = min(share(GROUPS * n, all.thread + 1, all.n_threads) - group * n, n)
        for i in range(begin, end):
            use_record(all, step, all.records + i)
            fetch(all, i + AHEAD, all.groups[group], all.groups[group + 1])
            compute_scores(all, step, all.records + i, group)
    if wait_for_all(all.shared, all.n_threads) != 0:
        return -1
    for i in range(share(n, all.thread, all.n_threads), share(n, all.thread + 1, all.n_threads)):
        use_record(all, step, all.records + i)
        combine(all, step, all.records + i, losses + i)
    if wait_for_all(all.shared, all.n_threads) != 0:
        return -1
    step.begin = all.begin
    step.end = all.end
    for i in range(n):
        use_record(all, step, all.records + i)
        if all.records[i].rows != NULL:
            update_inputs_and_outputs(step, all.records[i].rows, all.records[i].n_moved, all.records[i].scale)
        else:
            update_rows(step)
        if all.records[i].sampled:
            all.loss += losses[i]
    step[0] = kept
    all.turn = 1 - all.turn
    all.n = all.place = all.windows = 0
    all.current = all.first
    all.at = <char *>all.first + 64
    if all.n_threads > GROUPS and wait_for_all(all.shared, all.n_threads) != 0:
        return -1
    return 0


cdef inline bint is_full(const Together *all) noexcept nogil:
    """Whether there is no room for another window."""
    return all.windows == WINDOWS or all.place + all.window_scores > all.room

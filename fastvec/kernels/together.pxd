"""Steps that threads take together, so that vectors have the same bits for any number of threads.

As reference/together.py: steps wait until there is a batch of them. Then the scores of all are computed from
the rows as they are, and the rows move, step after step, as in ``step.pxd`` and ``mean.pxd``.

Every thread goes through all of the text and makes the same steps; what it computes is columns. The matrices
are cut into groups of columns, each a matrix of its own in memory (``fastvec/training/team.py``). A score is
the sum of those of the groups, and is what threads exchange: no row is ever in the caches of two threads,
unless there are more threads than groups. Into how many groups matrices are cut depends on d alone, and so do
the bits.

A batch is three phases: the scores of the groups; their sums, which become coefficients; the update. A phase
has a task for each thread, see ``team.h``.
"""

from libc.stdint cimport int64_t, uint64_t, uintptr_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from .losses cimport add_cost, differentiate
from .mean cimport average, gradient_scale_of, scale_of, take_mean_step, update_inputs_and_outputs
from .step cimport Step, take_step, update_rows
from .tiles cimport BLOCK, SLOTS, dot_four, dot_one, dot_two
from .vector cimport (
    LANES, REGISTERS, broadcast, copy_rows, lanes, load, prefetch_to_read, prefetch_to_write, store,
)

cdef extern from "team.h" nogil:
    ctypedef struct Shared:
        double losses[2]
    void abandon(Shared *shared)
    bint take_task(Shared *shared, Py_ssize_t task, uint64_t phase)
    bint is_taken(const Shared *shared, Py_ssize_t task, uint64_t phase, bint patient)
    void finish_task(Shared *shared, Py_ssize_t task, uint64_t phase)
    int wait_for_tasks(const Shared *shared, Py_ssize_t n_tasks, uint64_t phase)
    int meet(Shared *shared, uint64_t call, Py_ssize_t n_threads)

cdef enum:
    AHEAD = 3          # steps between the prefetch of rows and their use
    SCORES_AHEAD = 8   # the same for scores, which may come from another processor
    LINE = 16          # floats of a cache line
    ROOM = 1 << 16     # floats for the scores of a batch and group, as in fastvec/training/team.py
    MAX_RECORDS = ROOM // (2 * SLOTS)

cdef enum Phase:
    SCORES
    COEFFICIENTS
    UPDATE


cdef struct Record:
    # a step that waits
    Py_ssize_t n_x
    float **x                  # NULL: a mean of rows
    const float *x_counts      # NULL: once
    Py_ssize_t n_still
    float **rows
    Py_ssize_t n_rows
    Py_ssize_t n_moved         # of the rows
    float scale                # of their sum
    float gradient_scale
    Py_ssize_t n_blocks
    float **y
    const float **counts
    const float **positives
    Py_ssize_t place           # of its scores, and behind them the mean, in the room of a group
    bint sampled


cdef struct Piece:
    # of memory for the pointers of records
    Piece *next
    char *end


cdef struct Together:
    # as fastvec/training/team.py says
    Shared *shared             # NULL: steps are taken at once
    Py_ssize_t n_threads
    Py_ssize_t thread
    Py_ssize_t n_groups
    Py_ssize_t parts           # of the tasks of a group
    Py_ssize_t steps           # of a batch; fewer if their scores have no room
    Py_ssize_t n_columns
    Py_ssize_t stride          # floats from one row of a group to the next: its columns
    Py_ssize_t offset          # floats from a row of a group to that of the next
    float *zero_row
    float *scores              # [2][n_groups][ROOM]
    double *losses             # [2][MAX_RECORDS]
    uint64_t phase
    uint64_t call
    # of this call
    float learning_rate
    Py_ssize_t turn            # of two batches
    Py_ssize_t n               # steps that wait
    Record *records
    Py_ssize_t place           # where the room for scores is free
    Piece *pieces
    Piece *piece
    char *at
    float **pointers           # room for those of another group
    Py_ssize_t n_pointers
    bint impatient             # another thread did not come
    bint failed                # there is no memory
    bint over                  # for this reason, or since another thread has gone away


cdef inline int join(Together *all, object team, float learning_rate) except -1:
    """Become a thread of a team, see fastvec/training/team.py; without one, steps are taken at once."""
    cdef uint64_t[::1] numbers
    cdef float[::1] scores, zero_row
    cdef double[::1] losses
    memset(all, 0, sizeof(Together))
    if team is None:
        return 0
    numbers, scores, losses, zero_row = team.numbers, team.scores, team.losses, team.zero_row
    all.shared = <Shared *>&numbers[0]
    all.scores = &scores[0]
    all.losses = &losses[0]
    all.zero_row = &zero_row[0]
    all.n_threads = team.n_threads
    all.thread = team.thread
    all.n_groups = team.n_groups
    all.parts = max(1, all.n_threads // all.n_groups)
    all.n_columns = team.n_columns
    all.steps = team.steps
    all.stride = zero_row.shape[0]
    all.offset = team.offset
    all.phase = team.phase
    all.call = team.call
    all.learning_rate = learning_rate
    all.records = <Record *>malloc(MAX_RECORDS * sizeof(Record))
    if all.records == NULL:
        abandon(all.shared)
        raise MemoryError("no memory for the steps of a batch")
    return 0


cdef inline void use_zeros(Together *all, Step *step) noexcept nogil:
    """Let a step fill its last block with zeros of the team, which are as far apart as rows of the groups."""
    if all.shared != NULL:
        step.zero_row = all.zero_row


cdef inline int leave(Together *all, object team) except -1:
    """Free what join() and steps have allocated, after finish()."""
    cdef Piece *next
    if team is None:
        return 0
    team.phase = all.phase
    team.call = all.call + 1
    while all.pieces != NULL:
        next = all.pieces.next
        free(all.pieces)
        all.pieces = next
    free(all.records)
    free(all.pointers)
    return 0


cdef inline void fail(Together *all) noexcept nogil:
    all.failed = all.over = True
    abandon(all.shared)


cdef inline void *take_room(Together *all, Py_ssize_t size) noexcept nogil:
    """Memory until the end of the batch; NULL, and training is over, if there is none."""
    cdef Piece *piece
    cdef Py_ssize_t piece_size = max(<Py_ssize_t>1 << 16, size + <Py_ssize_t>sizeof(Piece))
    cdef void *taken
    while all.piece == NULL or all.at + size > all.piece.end:
        piece = all.pieces if all.piece == NULL else all.piece.next
        if piece == NULL:
            piece = <Piece *>malloc(piece_size)
            if piece == NULL:
                fail(all)
                return NULL
            piece.next = NULL
            piece.end = <char *>piece + piece_size
            if all.piece == NULL:
                all.pieces = piece
            else:
                all.piece.next = piece
        all.piece = piece
        all.at = <char *>(piece + 1)
    taken = all.at
    all.at += (size + 7) // 8 * 8
    return taken


cdef inline float **copy_of_rows(Together *all, float **rows, Py_ssize_t n) noexcept nogil:
    cdef float **copy = <float **>take_room(all, (n + 7) * sizeof(void *))
    if copy != NULL:
        copy_rows(copy, rows, n)
    return copy


cdef inline const float *copy_of_counts(Together *all, const float *counts, Py_ssize_t n) noexcept nogil:
    cdef void *copy = take_room(all, n * sizeof(float))
    return <const float *>memcpy(copy, counts, n * sizeof(float)) if copy != NULL else NULL


cdef inline Record *add_record(
    Together *all, Step *step, Py_ssize_t n_x, Py_ssize_t mean, bint sampled
) noexcept nogil:
    """Let the outputs of a step wait, with room for a mean of so many floats; NULL if training is over."""
    cdef Py_ssize_t size = step.n_blocks * (n_x + 1) * SLOTS + mean, block
    cdef Record *record
    cdef const float *numbers
    if all.n >= all.steps or all.place + size > ROOM or all.n == MAX_RECORDS:
        take_all(all, step)
    if all.over:
        return NULL
    record = all.records + all.n
    record.n_x = n_x
    record.sampled = sampled
    record.place = all.place
    record.n_blocks = step.n_blocks
    record.y = copy_of_rows(all, step.y, step.n_blocks * BLOCK)
    record.counts = step.counts
    record.positives = step.positives
    if step.counts != step.all_once:
        record.counts = <const float **>copy_of_rows(all, <float **>step.counts, step.n_blocks)
        record.positives = <const float **>copy_of_rows(all, <float **>step.positives, step.n_blocks)
    if step.counts == step.merged_counts:
        numbers = copy_of_counts(all, step.merged, step.n_blocks * 4 * SLOTS)
        for block in range(0 if all.over else step.n_blocks):
            record.counts[block] = numbers + block * 4 * SLOTS
            record.positives[block] = record.counts[block] + 2 * SLOTS
    if all.over:
        return NULL
    all.place += size
    all.n += 1
    return record


cdef inline void postpone(Together *all, Step *step, bint sampled) noexcept nogil:
    """Let a step wait; take_step() of step.pxd."""
    cdef Record *record = add_record(all, step, step.n_x, 0, sampled)
    if record == NULL:
        return
    record.x = copy_of_rows(all, step.x, step.n_x)
    record.x_counts = NULL
    record.n_still = step.n_still
    record.n_rows = 0
    if step.x_repeats:
        record.x_counts = copy_of_counts(all, step.x_counts, step.n_x)


cdef inline void postpone_mean(
    Together *all, Step *step, float **rows, Py_ssize_t n_rows, Py_ssize_t n_moved, bint mean,
    bint scale_gradient, bint sampled,
) noexcept nogil:
    """Let a step wait; take_mean_step() of mean.pxd."""
    cdef Record *record = add_record(all, step, 1, all.stride, sampled)
    if record == NULL:
        return
    record.x = NULL
    record.x_counts = NULL
    record.n_still = 0
    record.rows = copy_of_rows(all, rows, n_rows)
    record.n_rows = n_rows
    record.n_moved = n_moved
    record.scale = scale_of(n_rows, mean)
    record.gradient_scale = gradient_scale_of(n_rows, mean, scale_gradient)


cdef inline Py_ssize_t share(Py_ssize_t n, Py_ssize_t i, Py_ssize_t parts) noexcept nogil:
    """Where part i of n things begins."""
    return (n * i + parts - 1) // parts


cdef inline Py_ssize_t columns_of(const Together *all, Py_ssize_t group) noexcept nogil:
    return min(all.stride, all.n_columns - group * all.stride)


cdef inline float *scores_of(const Together *all, Py_ssize_t group) noexcept nogil:
    return all.scores + (all.turn * all.n_groups + group) * ROOM


cdef inline Py_ssize_t own_group(const Together *all) noexcept nogil:
    return all.thread // all.parts % all.n_groups


cdef inline float **moved(float **to, float **rows, Py_ssize_t n, Py_ssize_t by) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        to[i] = rows[i] + by
    return to


cdef inline int use_record(Together *all, Step *step, Record *record, Py_ssize_t group) noexcept nogil:
    """Take the rows of a group, and its scores; return 0 on success."""
    cdef Py_ssize_t by = (group - own_group(all)) * all.offset, n_y = record.n_blocks * BLOCK
    cdef Py_ssize_t n = n_y + (record.n_x if record.x != NULL else 1)
    cdef float **room
    step.n_x = record.n_x
    step.x = record.x
    step.n_still = record.n_still
    step.n_blocks = record.n_blocks
    step.y = record.y
    step.counts = record.counts
    step.positives = record.positives
    step.block_stride = (record.n_x + 1) * SLOTS
    step.coefficients = scores_of(all, 0) + record.place
    step.n_next = 0
    if all.n_pointers < n + record.n_rows:
        free(all.pointers)
        all.pointers = <float **>malloc(2 * (n + record.n_rows) * sizeof(void *))
        all.n_pointers = 2 * (n + record.n_rows) if all.pointers != NULL else 0
        if all.pointers == NULL:
            return -1
    room = all.pointers
    if by:
        step.y = moved(room, record.y, n_y, by)
    if record.x == NULL:
        step.x = room + n_y
        step.x[0] = scores_of(all, group) + record.place + record.n_blocks * step.block_stride
    elif by:
        step.x = moved(room + n_y, record.x, record.n_x, by)
    return 0


cdef inline float **rows_of_group(Together *all, Record *record, Py_ssize_t group) noexcept nogil:
    """The rows of the mean that is a record's only row of x; after use_record()."""
    cdef Py_ssize_t by = (group - own_group(all)) * all.offset
    if by == 0:
        return record.rows
    return moved(all.pointers + record.n_blocks * BLOCK + 1, record.rows, record.n_rows, by)


cdef inline void fetch_columns(float **rows, Py_ssize_t n, Py_ssize_t by, Py_ssize_t columns) noexcept nogil:
    cdef Py_ssize_t i, k
    for i in range(n):
        k = 0
        while k < columns:
            prefetch_to_write(rows[i] + by + k)
            k += LINE


cdef inline void fetch_record(Together *all, Record *record, Py_ssize_t group) noexcept nogil:
    """Fetch the outputs of a group into the cache, and the last input: the others were used not long ago."""
    cdef Py_ssize_t by = (group - own_group(all)) * all.offset, columns = columns_of(all, group)
    fetch_columns(record.y, record.n_blocks * BLOCK, by, columns)
    if record.x != NULL:
        fetch_columns(record.x + record.n_x - 1, 1, by, columns)
    else:
        fetch_columns(record.rows + record.n_rows - 1, 1, by, columns)


cdef inline void fetch_scores(
    Together *all, Record *record, Py_ssize_t first_group, Py_ssize_t last_group
) noexcept nogil:
    """Fetch what other threads have written."""
    cdef Py_ssize_t group, k
    for group in range(first_group, last_group):
        k = 0
        while k < record.n_blocks * (record.n_x + 1) * SLOTS:
            prefetch_to_read(scores_of(all, group) + record.place + k)
            k += LINE


cdef inline void compute_scores(
    Step *step, float *scores, Py_ssize_t begin, Py_ssize_t end
) noexcept nogil:
    """scores[c, n] = x_c · yₙ of some columns, block by block."""
    cdef Py_ssize_t block, c
    cdef float **y
    cdef float *s
    for block in range(step.n_blocks):
        s = scores + block * step.block_stride
        y = step.y + block * BLOCK
        c = 0
        while REGISTERS == 32 and c + 3 < step.n_x:
            dot_four(step.x + c, y, begin, end, s + c * SLOTS)
            c += 4
        while c + 1 < step.n_x:
            dot_two(step.x[c], step.x[c + 1], y, begin, end, s + c * SLOTS)
            c += 2
        if c < step.n_x:
            dot_one(step.x[c], y, begin, end, s + c * SLOTS)


cdef inline double cost_of(const Step *step, const Record *record) noexcept nogil:
    """J of the scores."""
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


cdef inline void add_groups(Together *all, float *scores, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i = 0, group
    cdef lanes total
    while i < n:
        total = load(scores + i)
        for group in range(1, all.n_groups):
            total += load(scores + group * ROOM + i)
        store(scores + i, total)
        i += LANES


cdef inline void compute_coefficients(
    Together *all, Step *step, Record *record, double *loss
) noexcept nogil:
    """The scores of the groups become coefficients, in the place of those of the first."""
    cdef Py_ssize_t block, c, slot
    cdef float *g
    cdef lanes rate = broadcast(all.learning_rate)
    for block in range(step.n_blocks):
        add_groups(all, step.coefficients + block * step.block_stride, step.n_x * SLOTS)
    if record.sampled:
        loss[0] = cost_of(step, record)
    for block in range(step.n_blocks):
        g = step.coefficients + block * step.block_stride
        c = 0
        while c < step.n_x:
            differentiate(
                step.loss, g + c * SLOTS, min(<Py_ssize_t>4, step.n_x - c), step.positives[block],
                step.counts[block], rate, step.coefficients + c * SLOTS
            )
            c += 4
    # after all blocks, each of which may add to the coefficients of the first output
    for block in range(step.n_blocks if record.x_counts != NULL else 0):
        g = step.coefficients + block * step.block_stride
        for c in range(step.n_x):
            for slot in range(BLOCK):
                g[c * SLOTS + slot] *= record.x_counts[c]


cdef inline int do_task(Together *all, Step *step, int phase, Py_ssize_t task) noexcept nogil:
    """Return 0 on success."""
    cdef Py_ssize_t group = task // all.parts, part = task % all.parts, n_tasks = all.n_groups * all.parts
    cdef Py_ssize_t columns = columns_of(all, group), i, begin = 0, end = all.n
    cdef Record *record
    cdef double *losses = all.losses + all.turn * MAX_RECORDS
    cdef float **rows
    if phase == SCORES:
        begin = share(all.n, part, all.parts)
        end = share(all.n, part + 1, all.parts)
    elif phase == COEFFICIENTS:
        group = own_group(all)
        begin = share(all.n, task, n_tasks)
        end = share(all.n, task + 1, n_tasks)
    else:
        step.begin = share(columns // LINE, part, all.parts) * LINE
        step.end = share(columns // LINE, part + 1, all.parts) * LINE
    for i in range(begin, end):
        record = all.records + i
        if use_record(all, step, record, group) != 0:
            return -1
        if phase == SCORES:
            if i + AHEAD < end:
                fetch_record(all, record + AHEAD, group)
            if record.x == NULL:
                rows = rows_of_group(all, record, group)
                average(step.x[0], rows, record.n_rows, 0, columns, record.scale)
            compute_scores(step, scores_of(all, group) + record.place, 0, columns)
        elif phase == COEFFICIENTS:
            if i + SCORES_AHEAD < end:
                fetch_scores(all, record + SCORES_AHEAD, 0, all.n_groups)
            compute_coefficients(all, step, record, losses + i)
        else:
            if i + SCORES_AHEAD < end:
                fetch_scores(all, record + SCORES_AHEAD, 0, 1)
            if record.x == NULL:
                rows = rows_of_group(all, record, group)
                update_inputs_and_outputs(step, rows, record.n_moved, record.gradient_scale)
            else:
                update_rows(step)
            if task == 0 and record.sampled:
                all.shared.losses[all.call & 1] += losses[i]
    return 0


cdef inline void try_task(Together *all, Step *step, int phase, Py_ssize_t task) noexcept nogil:
    """Do a task of a phase unless another thread has taken it."""
    if not all.over and take_task(all.shared, task, all.phase):
        if do_task(all, step, phase, task) != 0:
            fail(all)
        finish_task(all.shared, task, all.phase)


cdef inline void run_phase(Together *all, Step *step, int phase) noexcept nogil:
    """Do the tasks of a phase, the own one first, until all are done.

    Where a thread is the only one that works on a group, it may begin with the next batch while others are
    still moving theirs.
    """
    cdef Py_ssize_t n_tasks = all.n_groups * all.parts, i, task
    cdef bint patient = all.n_threads > 1 and not all.impatient
    all.phase += 1
    all.impatient = False
    try_task(all, step, phase, all.thread)
    for i in range(1, n_tasks):
        task = (all.thread + i) % n_tasks
        if not is_taken(all.shared, task, all.phase, patient):
            patient = False
            all.impatient = True
            try_task(all, step, phase, task)
    if all.n_threads > 1 and not all.over and (phase != UPDATE or all.parts > 1):
        all.over = wait_for_tasks(all.shared, n_tasks, all.phase) != 0


cdef inline void take_all(Together *all, Step *step) noexcept nogil:
    """Take all steps that wait."""
    cdef Step before = step[0]
    run_phase(all, step, SCORES)
    run_phase(all, step, COEFFICIENTS)
    run_phase(all, step, UPDATE)
    step[0] = before
    all.turn = 1 - all.turn
    all.n = all.place = 0
    all.piece = NULL


cdef inline void take(Together *all, Step *step, float learning_rate, double *loss) noexcept nogil:
    """take_step() of step.pxd, or let it wait."""
    if all.shared == NULL:
        take_step(step, learning_rate, loss)
    else:
        postpone(all, step, loss != NULL)


cdef inline void take_mean(
    Together *all, Step *step, float **rows, Py_ssize_t n_rows, Py_ssize_t n_moved, bint mean,
    bint scale_gradient, float learning_rate, double *loss,
) noexcept nogil:
    """take_mean_step() of mean.pxd, or let it wait."""
    if all.shared == NULL:
        take_mean_step(step, rows, n_rows, n_moved, mean, scale_gradient, learning_rate, loss)
    else:
        postpone_mean(all, step, rows, n_rows, n_moved, mean, scale_gradient, loss != NULL)


cdef inline bint finish(Together *all, Step *step, bint failed, double *loss) noexcept nogil:
    """Take the last steps and wait for the other threads; return whether there was no memory.

    The loss becomes that of all threads for the first one, which is to return it.
    """
    if all.shared == NULL:
        return failed
    if failed:
        fail(all)
    take_all(all, step)
    if not all.over:
        all.over = meet(all.shared, all.call, all.n_threads) != 0
    loss[0] = 0
    if all.thread == 0:
        loss[0] = all.shared.losses[all.call & 1]
        all.shared.losses[all.call & 1] = 0
    return all.failed

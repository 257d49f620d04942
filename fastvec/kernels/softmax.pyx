"""Skip-gram and CBOW with the full softmax, as reference/softmax.py.

What is done otherwise, and why:

- The exponential is a polynomial, relative error below 2e-7, and at least e⁻⁸⁷.
- Threads share the matrices without locks (Hogwild: Niu, Recht, Ré and Wright 2011). Every update
  writes all output rows, so that threads get in each other's way more than elsewhere.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from .batch cimport Batch, Examples, allocate_batch, free_batch, take_step
from .frozen cimport Frozen, use_frozen
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
    bint mean,
    bint scale_gradient,
    float learning_rate,
    const uint8_t[::1] frozen=None,
):
    """Take one gradient step for a batch of B examples."""
    cdef Batch batch
    cdef Examples examples
    cdef Frozen still
    cdef double loss = 0
    cdef bint failed
    memset(&batch, 0, sizeof(batch))
    use_frozen(&still, frozen, input_vectors)
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
                &batch, &examples, &input_vectors[0, 0], &output_vectors[0, 0], mean, scale_gradient, &still,
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
    bint mean,
    bint scale_gradient,
    float learning_rate,
    uint64_t key,
    uint64_t loss_every,
    const uint8_t[::1] frozen=None,
    bint dynamic_window=True,
):
    """Train on the words at positions [start, stop) of the corpus as centres."""
    cdef Batch batch
    cdef Walk walk
    cdef Examples examples
    cdef Frozen still
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
    use_frozen(&still, frozen, input_vectors)
    with nogil:
        many = <int32_t *>malloc(BATCH * 2 * window * sizeof(int32_t))
        failed = (
            many == NULL
            or allocate_batch(&batch, input_vectors.shape[1], n_words, BATCH, 2 * window) != 0
            or walk_chunk(
                &walk, ids, sentence_offsets, start, stop, keep, <uint32_t>window, dynamic_window, key, 1
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
                loss += take_step(
                    &batch, &examples, inputs, outputs, mean, scale_gradient, &still, learning_rate, sampled
                )
                b = 0
        free(many)
        free_batch(&batch)
        free(walk.memory)
    if failed:
        raise MemoryError("no memory for the buffers of a chunk")
    return loss, sampled_pairs, pairs

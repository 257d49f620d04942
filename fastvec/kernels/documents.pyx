"""Classes of documents, as reference/documents.py.

What is done otherwise, and why:

- The exponential is a polynomial, relative error below 2e-7, and at least e⁻⁸⁷.
- The input rows of a document are fetched into the cache while those before it are trained on.
- Threads share the matrices without locks (Hogwild: Niu, Recht, Ré and Wright 2011).
"""

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memset

from .batch cimport Batch, Examples, allocate_batch, free_batch, take_step
from .vector cimport prefetch_row, prefetch_to_read

cdef enum:
    # Documents ahead of their use that are fetched:
    ROWS_AHEAD = 2      # their input rows
    INPUTS_AHEAD = 8    # which rows these are
    PLACES_AHEAD = 16   # and where that is written, and their labels


cdef inline void fetch_inputs(
    const int32_t *inputs, int64_t first, int64_t last, float *input_vectors, Py_ssize_t stride
) noexcept nogil:
    cdef int64_t i
    for i in range(first, last):
        prefetch_row(input_vectors + inputs[i] * stride, stride)


def train(
    float[:, ::1] input_vectors,
    float[:, ::1] output_vectors,
    const int32_t[::1] inputs,
    const int64_t[::1] input_offsets,
    const int32_t[::1] labels,
    const int32_t[::1] order,
    int64_t start,
    int64_t stop,
    float learning_rate,
    int64_t loss_every,
):
    """Train on the documents at the places [start, stop) of an order, one update each."""
    cdef Batch batch
    cdef Examples examples
    cdef float *rows = &input_vectors[0, 0]
    cdef const int32_t *of_documents = &inputs[0] if inputs.shape[0] else NULL
    cdef Py_ssize_t stride = input_vectors.shape[1]
    cdef int64_t place, ahead, i, most = 1, sampled_documents = 0, trained = 0
    cdef int64_t[2] one_offsets
    cdef bint sampled
    cdef double loss = 0
    cdef bint failed
    memset(&batch, 0, sizeof(batch))
    one_offsets[0] = 0
    one_offsets[1] = 1
    examples.n = 1
    examples.target_offsets = &one_offsets[0]
    with nogil:
        for place in range(start, stop):
            most = max(most, input_offsets[order[place] + 1] - input_offsets[order[place]])
        failed = allocate_batch(&batch, stride, output_vectors.shape[0], 1, most) != 0
        for place in range(start, start if failed else stop):
            ahead = order[min(place + PLACES_AHEAD, stop - 1)]
            prefetch_to_read(&input_offsets[ahead])
            prefetch_to_read(&labels[ahead])
            ahead = order[min(place + INPUTS_AHEAD, stop - 1)]
            for i in range(input_offsets[ahead], input_offsets[ahead + 1], 16):
                prefetch_to_read(of_documents + i)
            ahead = order[min(place + ROWS_AHEAD, stop - 1)]
            fetch_inputs(of_documents, input_offsets[ahead], input_offsets[ahead + 1], rows, stride)
            examples.inputs = of_documents
            examples.input_offsets = &input_offsets[order[place]]
            examples.targets = &labels[order[place]]
            if examples.input_offsets[0] == examples.input_offsets[1]:
                continue
            sampled = place % loss_every == 0
            trained += 1
            sampled_documents += sampled
            loss += take_step(
                &batch, &examples, rows, &output_vectors[0, 0], True, learning_rate, &sampled
            )
        free_batch(&batch)
    if failed:
        raise MemoryError("no memory for the buffers of a chunk")
    return loss, sampled_documents, trained

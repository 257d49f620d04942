"""Classes of documents: softmax regression on the mean of a document's rows, and these rows trained along.

Objective. A document has n input rows x_i, those of its words and of their n-grams, and one label t among K.
With the output vectors y_1..y_K, minimize for every document

    J = −log ŷ_t        with    ŷ = softmax(Y h),    h = (1/n) Σ_i x_i

Gradient. With δ_k = ŷ_k − [k = t] and ε = Σ_k δ_k y_k = ∂J/∂h,

    ∂J/∂y_k = δ_k h        ∂J/∂x_i = ε / n, once for every time x_i is in the document

Update. Every row moves by −η times its derivative, every right-hand side from before the update, one document
after the other. It is the step of ``softmax.pyx`` with a document for a window of CBOW and the labels for the
words, and checked there.

Compromises, and where they come from:

- n-grams of words share rows, as their hashes say (Joulin, Grave, Bojanowski and Mikolov 2017).
- Several threads may call `train` on the same matrices without locks (Hogwild: Niu, Recht, Ré and Wright
  2011).

Reference: Joulin, Grave, Bojanowski and Mikolov 2017, "Bag of tricks for efficient text classification",
arXiv:1607.01759 (fastText's supervised mode).
"""

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memset

from .softmax_step cimport Batch, Examples, allocate_batch, free_batch, take_step
from .vector cimport prefetch_row

cdef enum:
    AHEAD = 2   # documents that rows are fetched ahead of their use


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
    """Train on the documents at the places [start, stop) of an order, one update each.

    Parameters
    ----------
    input_vectors : IN/OUT, float32 (n_rows, stride)
        Words and n-grams, rows padded with zeros to a multiple of 16.
    output_vectors : IN/OUT, float32 (n_labels, stride)
        Labels, padded alike.
    inputs : IN, int32
        Rows of input_vectors, those of all documents one after the other, repetitions allowed.
    input_offsets : IN, int64 (n_documents + 1,)
        Document t has inputs[input_offsets[t]:input_offsets[t + 1]]; one without any is passed over.
    labels : IN, int32 (n_documents,)
        Rows of output_vectors.
    order : IN, int32 (n,)
        Documents in the order in which they are trained on.
    start, stop : IN, int
        The chunk of it.
    learning_rate : IN, float
        η.
    loss_every : IN, int
        The loss is taken at places of the order divisible by it.

    Returns
    -------
    loss : float
        Sum of J over the sampled documents, in double precision.
    sampled, trained : int
        Documents in that sum, and trained on in all.
    """
    cdef Batch batch
    cdef Examples examples
    cdef float *rows = &input_vectors[0, 0]
    cdef Py_ssize_t stride = input_vectors.shape[1]
    cdef int64_t place, ahead, most = 1, sampled_documents = 0, trained = 0
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
            ahead = order[min(place + AHEAD, stop - 1)]
            fetch_inputs(&inputs[0], input_offsets[ahead], input_offsets[ahead + 1], rows, stride)
            examples.inputs = &inputs[0]
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

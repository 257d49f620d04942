"""Vectors as a layer of PyTorch, and as the files of TensorBoard's projector."""

import numpy as np
import pytest

import fastvec

torch = pytest.importorskip("torch", reason="needs the extra test-interop")

pytestmark = pytest.mark.any_backend

WORDS = ["paris", "Zürich", "東京"]
MATRIX = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
VECTORS = fastvec.Vectors(WORDS, MATRIX)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_layer_has_the_vectors(dtype):
    vectors = fastvec.Vectors(WORDS, MATRIX.astype(dtype))
    layer = vectors.to_torch()
    found = layer(torch.tensor([vectors.index("東京")])).detach().numpy()[0]
    np.testing.assert_array_equal(found, vectors["東京"])
    assert (layer.num_embeddings, layer.embedding_dim, layer.padding_idx) == (3, 4, None)
    assert not layer.weight.requires_grad


def test_padding_is_a_row_of_zeros_that_does_not_learn():
    layer = VECTORS.to_torch(freeze=False, padding=True)
    assert layer.padding_idx == 3
    layer(torch.tensor([[0, 3]])).sum().backward()
    np.testing.assert_array_equal(layer.weight.detach().numpy()[3], 0)
    assert layer.weight.grad[3].abs().sum() == 0 < layer.weight.grad[0].abs().sum()
    with torch.no_grad():
        layer.weight += 1
    np.testing.assert_array_equal(VECTORS.vectors, MATRIX)


def test_parameters_are_bools():
    with pytest.raises(TypeError, match="freeze must be True or False, got 1"):
        VECTORS.to_torch(freeze=1)

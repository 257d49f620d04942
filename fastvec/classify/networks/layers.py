"""A stack of fully connected layers: the forward and the backward pass.

Layers. With rows x ∈ R^{n×D} and L layers of weights W^(l) and biases b^(l), h^(0) = x and

    z^(l) = h^(l−1) W^(l) + b^(l)        h^(l) = f(z^(l))  for l < L        scores z = z^(L)

One layer is softmax or linear regression, two are the network of one hidden layer, h = f(x W1 + b1),
z = h W2 + b2.

Gradient. Let δ^(l) = ∂J/∂z^(l); that of the last layer is the loss's, ŷ − y for cross-entropy and for squared
error. Since z^(l+1) depends on z^(l) through h^(l) = f(z^(l)), the chain rule gives the recursion

    δ^(l) = (δ^(l+1) W^(l+1)ᵀ) ∘ f'(z^(l))

and since z^(l) is linear in its own parameters and in its input,

    ∂J/∂W^(l) = h^(l−1)ᵀ δ^(l)        ∂J/∂b^(l) = Σ_rows δ^(l)        ∂J/∂x = δ^(1) W^(1)ᵀ

The last one is what trains words: a row of x is made of their vectors.

Reference: Rumelhart, Hinton and Williams 1986, "Learning representations by back-propagating errors".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec import functional

__all__ = [
    "ACTIVATIONS",
    "Array",
    "Parameters",
    "backward",
    "forward",
    "initial",
    "layer_shapes",
    "n_layers",
    "penalty",
]

Array = NDArray[Any]
Parameters = Mapping[str, Array]

# f(z), and f'(z) in terms of h = f(z), which is at hand.
ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "sigmoid": (functional.sigmoid, lambda h: h * (1 - h)),
    "tanh": (functional.tanh, lambda h: 1 - h * h),
    "relu": (functional.relu, lambda h: (h > 0).astype(h.dtype)),
}


def layer_shapes(sizes: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the parameters of layers of these sizes: inputs, hidden layers, outputs."""
    shapes: dict[str, tuple[int, ...]] = {}
    for number, (n_inputs, n_outputs) in enumerate(pairwise(sizes), 1):
        shapes |= {f"W{number}": (n_inputs, n_outputs), f"b{number}": (n_outputs,)}
    return shapes


def initial(sizes: Sequence[int], generator: np.random.Generator) -> dict[str, Array]:
    """Return float32 parameters for layers of so many numbers each: inputs, hidden layers, outputs.

    Weights are uniform in ±sqrt(6 / (inputs + outputs)) of their layer (Glorot and Bengio 2010), so that
    neither activations nor gradients grow or shrink from layer to layer; biases are 0. A single layer starts
    at 0: it is the same convex problem from everywhere.
    """
    parameters: dict[str, Array] = {}
    for name, shape in layer_shapes(sizes).items():
        bound = np.sqrt(6 / sum(shape)) if len(sizes) > 2 and name.startswith("W") else 0.0
        parameters[name] = generator.uniform(-bound, bound, shape).astype(np.float32)
    return parameters


def n_layers(parameters: Parameters) -> int:
    """Return the number of layers."""
    return sum(name.startswith("W") for name in parameters)


def forward(parameters: Parameters, x: Array, activation: str) -> list[Array]:
    """Return the layers' outputs: x itself, h of every hidden layer, and the scores.

    Parameters
    ----------
    parameters : mapping of str to ndarray
        Weights W1, W2, ... of shape (inputs, outputs), and biases b1, b2, ..., of which some may be missing.
    x : ndarray, shape (n, D)
        Inputs.
    activation : {"sigmoid", "tanh", "relu"}
        f.
    """
    f, _ = ACTIVATIONS[activation]
    outputs, last = [x], n_layers(parameters)
    for number in range(1, last + 1):
        z = outputs[-1] @ parameters[f"W{number}"]
        if f"b{number}" in parameters:
            z += parameters[f"b{number}"]
        outputs.append(z if number == last else f(z))
    return outputs


def backward(
    parameters: Parameters, outputs: Sequence[Array], delta: Array, activation: str, *, to_inputs: bool
) -> tuple[dict[str, Array], Array | None]:
    """Return the gradients of the parameters, and if asked that of the inputs.

    Parameters
    ----------
    parameters : mapping of str to ndarray
        Weights and biases.
    outputs : sequence of ndarray
        What `forward` returned.
    delta : ndarray, shape (n, outputs)
        δ of the last layer: the derivative of the cost by the scores.
    activation : {"sigmoid", "tanh", "relu"}
        f.
    to_inputs : bool
        Whether to go on to ∂J/∂x.
    """
    _, derivative = ACTIVATIONS[activation]
    gradients: dict[str, Array] = {}
    for number in range(n_layers(parameters), 0, -1):
        below = outputs[number - 1]
        gradients[f"W{number}"] = below.T @ delta
        if f"b{number}" in parameters:
            gradients[f"b{number}"] = delta.sum(axis=0)
        if number > 1:
            delta = delta @ parameters[f"W{number}"].T
            delta *= derivative(below)
    return gradients, delta @ parameters["W1"].T if to_inputs else None


def penalty(parameters: Parameters, gradients: dict[str, Array], l2: float) -> float:
    """Return λ Σ θ² over all weights, and add its gradient 2λθ to theirs; biases are free."""
    if l2 == 0:
        return 0.0
    cost = 0.0
    for name in gradients:
        if name.startswith("W"):
            gradients[name] += 2 * l2 * parameters[name]
            cost += l2 * float(np.sum(np.square(parameters[name], dtype=np.float64)))
    return cost

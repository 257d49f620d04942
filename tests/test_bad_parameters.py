"""Bad parameters of models are named with the rule and the value, before a text is read."""

import math

import pytest

import fastvec

pytestmark = pytest.mark.any_backend

# fmt: off
BAD = {
    fastvec.SkipGram: [
        ({"vector_size": 0}, ValueError, "vector_size must be an int from 1 to 4096, got 0"),
        ({"vector_size": 4097}, ValueError, "vector_size must be an int from 1 to 4096, got 4097"),
        ({"vector_size": 10.0}, TypeError, "vector_size must be an int from 1 to 4096, got 10.0"),
        ({"window": 0}, ValueError, "window must be an int from 1 to 1000, got 0"),
        ({"negatives": 0}, ValueError, "negatives must be an int from 1 to 1000, got 0"),
        ({"negative_sharing": "all"}, ValueError,
         "negative_sharing must be one of 'window', 'none', got 'all'"),
        ({"min_count": 0}, ValueError, "min_count must be an int >= 1, got 0"),
        ({"max_vocab": 0}, ValueError, "max_vocab must be an int >= 1, got 0"),
        ({"subsample": -1}, ValueError, "subsample must be a number >= 0, got -1"),
        ({"subsample": float("nan")}, ValueError, "subsample must be a number >= 0, got nan"),
        ({"noise_exponent": "a"}, TypeError, "noise_exponent must be a finite number, got 'a'"),
        ({"learning_rate": 0}, ValueError, "learning_rate must be a number > 0, got 0"),
        ({"min_learning_rate": 1}, ValueError, "min_learning_rate must be a number >= 0 and <= 0.025, got 1"),
        ({"epochs": 0}, ValueError, "epochs must be an int >= 1, got 0"),
        ({"threads": 0}, ValueError, "threads must be an int from 1 to 4096, got 0"),
        ({"deterministic": 1}, TypeError, "deterministic must be True or False, got 1"),
        ({"seed": -1}, ValueError, "seed must be an int >= 0, got -1"),
        ({"progress": 1}, TypeError, "progress must be True or False, got 1"),
        ({"callbacks": [3]}, TypeError, "callbacks must be callables, got 3"),
    ],
    fastvec.CBOW: [
        ({"scale_gradient": 1}, TypeError, "scale_gradient must be True or False, got 1"),
        ({"position_weights": "yes"}, TypeError, "position_weights must be True or False, got 'yes'"),
        ({"position_weights": True, "loss": "softmax"}, ValueError,
         "position_weights must be False unless loss='negative_sampling', got loss='softmax'"),
        ({"learning_rate": -1}, ValueError, "learning_rate must be a number > 0, got -1"),
        ({"pooling": "max"}, ValueError, "pooling must be one of 'mean', 'sum', got 'max'"),
    ],
    fastvec.FastText: [
        ({"loss": "softmax"}, ValueError,
         "loss must be one of 'negative_sampling', 'hierarchical_softmax', got 'softmax'"),
        ({"pooling": 0, "model": "cbow"}, TypeError, "pooling must be one of 'mean', 'sum', got 0"),
        ({"pooling": "sum"}, ValueError,
         "pooling must be 'mean' unless model='cbow' (--fasttext-model cbow), got 'sum'"),
        ({"model": "supervised"}, ValueError, "model must be one of 'skipgram', 'cbow', got 'supervised'"),
        ({"min_n": -1, "max_n": 0}, ValueError, "min_n must be an int >= 0, got -1"),
        ({"min_n": 7}, ValueError, "min_n must be an int from 0 to max_n=6, got 7"),
        ({"max_n": -1}, ValueError, "max_n must be an int from 0 to 100, got -1"),
        ({"buckets": 0}, ValueError, "buckets must be an int from 1 to 1073741824, got 0"),
        ({"buckets": 1.5}, TypeError, "buckets must be an int from 1 to 1073741824, got 1.5"),
        ({"scale_gradient": None}, TypeError, "scale_gradient must be True or False, got None"),
    ],
    fastvec.GloVe: [
        ({"vector_size": 0}, ValueError, "vector_size must be an int from 1 to 4096, got 0"),
        ({"window": 0}, ValueError, "window must be an int from 1 to 1000, got 0"),
        ({"min_count": 0}, ValueError, "min_count must be an int >= 1, got 0"),
        ({"threads": 0}, ValueError, "threads must be an int from 1 to 4096, got 0"),
        ({"symmetric": 1}, TypeError, "symmetric must be True or False, got 1"),
        ({"x_max": 0}, ValueError, "x_max must be a number > 0, got 0"),
        ({"x_max": float("nan")}, ValueError, "x_max must be a number > 0, got nan"),
        ({"alpha": -0.1}, ValueError, "alpha must be a number >= 0, got -0.1"),
        ({"learning_rate": 0}, ValueError, "learning_rate must be a number > 0, got 0"),
        ({"learning_rate": None}, TypeError, "learning_rate must be a number > 0, got None"),
        ({"epochs": 0}, ValueError, "epochs must be an int >= 1, got 0"),
        ({"combine": "both"}, ValueError, "combine must be one of 'sum', 'word', 'concatenate', got 'both'"),
        ({"seed": -1}, ValueError, "seed must be an int >= 0, got -1"),
        ({"callbacks": [3]}, TypeError, "callbacks must be callables, got 3"),
    ],
    fastvec.PPMI_SVD: [
        ({"matrix": "pmi"}, ValueError, "matrix must be one of 'ppmi', 'log', 'counts', got 'pmi'"),
        ({"shift": 0.5}, ValueError, "shift must be a number >= 1, got 0.5"),
        ({"shift": "5"}, TypeError, "shift must be a number >= 1, got '5'"),
        ({"context_smoothing": 1.5}, ValueError, "context_smoothing must be a number >= 0 and <= 1, got 1.5"),
        ({"context_smoothing": -0.1}, ValueError,
         "context_smoothing must be a number >= 0 and <= 1, got -0.1"),
        ({"eigenvalue_weighting": 2}, ValueError,
         "eigenvalue_weighting must be a number >= 0 and <= 1, got 2"),
        ({"eigenvalue_weighting": None}, TypeError,
         "eigenvalue_weighting must be a number >= 0 and <= 1, got None"),
        ({"vector_size": 0}, ValueError, "vector_size must be an int from 1 to 4096, got 0"),
        ({"seed": -1}, ValueError, "seed must be an int >= 0, got -1"),
        ({"window": 0}, ValueError, "window must be an int from 1 to 1000, got 0"),
    ],
    fastvec.Phrases: [
        ({"min_count": 0}, ValueError, "min_count must be an int >= 1, got 0"),
        ({"min_count": -5}, ValueError, "min_count must be an int >= 1, got -5"),
        ({"min_count": 1.5}, TypeError, "min_count must be an int >= 1, got 1.5"),
        ({"threshold": -1}, ValueError, "threshold must be a number >= 0, got -1"),
        ({"threshold": math.inf}, ValueError, "threshold must be a number >= 0, got inf"),
        ({"threshold": 1.5, "scoring": "npmi"}, ValueError,
         "threshold must be a number >= -1 and <= 1, got 1.5"),
        ({"scoring": "pmi"}, ValueError, "scoring must be one of 'word2phrase', 'npmi', got 'pmi'"),
        ({"delimiter": ""}, ValueError,
         "delimiter must be a str that is not empty and has no white space, got ''"),
        ({"delimiter": "_\n"}, ValueError,
         "delimiter must be a str that is not empty and has no white space, got '_\\n'"),
        ({"delimiter": None}, TypeError,
         "delimiter must be a str that is not empty and has no white space, got None"),
        ({"passes": 0}, ValueError, "passes must be an int >= 1, got 0"),
        ({"progress": 1}, TypeError, "progress must be True or False, got 1"),
    ],
    fastvec.Cooccurrence: [
        ({"window": 0}, ValueError, "window must be an int from 1 to 1000, got 0"),
        ({"window": 1001}, ValueError, "window must be an int from 1 to 1000, got 1001"),
        ({"window": 2.5}, TypeError, "window must be an int from 1 to 1000, got 2.5"),
        ({"weighting": "linear"}, ValueError,
         "weighting must be one of 'harmonic', 'flat', 'dynamic', got 'linear'"),
        ({"symmetric": 1}, TypeError, "symmetric must be True or False, got 1"),
        ({"min_count": 0}, ValueError, "min_count must be an int >= 1, got 0"),
        ({"max_vocab": 0}, ValueError, "max_vocab must be an int >= 1, got 0"),
        ({"memory_limit": 0}, ValueError, "memory_limit must be an int >= 1, got 0"),
        ({"threads": 0}, ValueError, "threads must be an int from 1 to 4096, got 0"),
        ({"progress": None}, TypeError, "progress must be True or False, got None"),
    ],
}
# fmt: on


def unread():
    """A text that must not be read."""
    pytest.fail("the text was read")
    yield []


@pytest.mark.parametrize(
    ("estimator", "params", "error", "message"),
    [(estimator, *row) for estimator, rows in BAD.items() for row in rows],
)
def test_bad_parameters_are_named(estimator, params, error, message):
    for check in (lambda: estimator(**params).check_params(), lambda: estimator(**params).fit(unread())):
        with pytest.raises(error) as raised:
            check()
        assert str(raised.value) == message

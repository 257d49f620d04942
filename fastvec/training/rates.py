"""The step sizes that `learning_rate=None` stands for."""

__all__ = ["LEARNING_RATES"]

# By estimator, by loss (CBOW: or position weights; FastText: by model), and by `scale_gradient`: the exact
# gradient of a mean is smaller.
LEARNING_RATES = {
    ("SkipGram", "negative_sampling", True): 0.025,
    ("SkipGram", "hierarchical_softmax", True): 0.025,
    ("SkipGram", "softmax", True): 0.025,
    ("CBOW", "negative_sampling", True): 0.15,
    ("CBOW", "negative_sampling", False): 0.075,
    ("CBOW", "position weights", True): 0.05,
    ("CBOW", "position weights", False): 0.025,
    ("CBOW", "hierarchical_softmax", True): 0.1,
    ("CBOW", "hierarchical_softmax", False): 0.025,
    ("CBOW", "softmax", True): 0.05,
    ("CBOW", "softmax", False): 0.025,
    ("FastText", "skipgram", True): 0.05,
    ("FastText", "skipgram", False): 0.05,
    ("FastText", "cbow", True): 0.05,
    ("FastText", "cbow", False): 0.05,
}

"""What other packages call the parameters of random walks, and what they are called here."""

from __future__ import annotations

__all__ = ["WALKS"]

# Those of the packages node2vec, PecanPy, karateclub and StellarGraph.
WALKS = {
    **dict.fromkeys(("walk_length", "walklen"), "`length`"),
    **dict.fromkeys(("num_walks", "walk_number", "number_of_walks", "n_walks"), "`per_node`"),
    **dict.fromkeys(("weight_key", "weighted"), "`weight`"),
    **dict.fromkeys(("workers", "num_workers"), "`threads`"),
    **dict.fromkeys(("random_seed", "random_state"), "`seed`"),
    "return_weight": "`p`",
    "neighbor_weight": "`q`",
    "temp_folder": "not needed: walks beyond `memory_limit` are in a temporary file",
    "delimiter": "white space; other tables can be passed as arrays, `(sources, targets)`",
    "extend": "not there: node2vec+ changes p and q by the weights",
    **dict.fromkeys(
        ("dimensions", "window_size"), "a matter of the model: `SkipGram(vector_size=128, window=10)`"
    ),
}

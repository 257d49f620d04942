"""fastvec: embeddings of sequences, trained on a CPU."""

__version__ = "0.1.0"

"""Searching parameters: for classifiers of texts, and for vectors."""

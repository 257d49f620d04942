"""Texts as rows of words and n-grams: their classes, and their means."""

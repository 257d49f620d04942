"""Graphs, and random walks over them as sentences."""

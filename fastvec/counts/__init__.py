"""Counts of words that occur near each other: made in parts by threads, added, and kept in files."""

"""Searching the parameters of vectors by what these are for."""

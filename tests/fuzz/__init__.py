"""Damaged files for every reader: none crashes, hangs, or takes memory that the file does not justify.

``python -m fuzz`` runs it from the folder ``tests``; ``make fuzz`` does under the sanitizers.
"""

"""Estimators: one module per family of models."""

"""Pictures by matplotlib: a map of words, and the losses of a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastvec.exports import library

__all__ = ["HistoryPlot", "draw_map", "write_map"]

INCHES, DOTS_PER_INCH = 10, 150


def draw_map(words: Sequence[str], places: NDArray[np.float32], axes: Any = None) -> Any:
    """Draw words at their places, and label the first of them that have room; return the axes."""
    if axes is None:
        pyplot = library("matplotlib.pyplot", "plot", "plot")
        axes = pyplot.subplots(figsize=(INCHES, INCHES), layout="constrained")[1]
    axes.scatter(places[:, 0], places[:, 1], s=6, alpha=0.5, linewidths=0)
    axes.set_axis_off()
    axes.margins(0.05)
    figure = axes.get_figure()
    figure.draw_without_rendering()
    taken = np.empty((0, 4))
    for word, place in zip(words, places, strict=True):
        label = axes.annotate(
            word, place, (3, 0), textcoords="offset points", va="center", fontsize=7, parse_math=False
        )
        box = np.ravel(label.get_window_extent())
        if (np.all(taken[:, :2] < box[2:], axis=1) & np.all(box[:2] < taken[:, 2:], axis=1)).any():
            label.remove()
        else:
            taken = np.concatenate([taken, box[np.newaxis]])
    return axes


def write_map(words: Sequence[str], places: NDArray[np.float32], path: Any) -> None:
    """Write a map as PNG."""
    figure = library("matplotlib.figure", "plot", "plot").Figure((INCHES, INCHES), layout="constrained")
    draw_map(words, places, figure.subplots())
    figure.savefig(path, format="png", dpi=DOTS_PER_INCH)


class HistoryPlot:
    """An estimator with `history_`, whose losses can be drawn."""

    history_: Any

    def plot_history(self, ax: Any = None) -> Any:
        """Draw the loss of every epoch, and the validation score if there is one.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. By default, a new figure.

        Returns
        -------
        matplotlib.axes.Axes
            The axes; ``ax.figure.savefig("loss.png")`` saves them.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the estimator has no epochs.
        """
        pyplot = library("matplotlib.pyplot", "plot_history", "plot")
        history = self.history_
        if not history:
            raise ValueError("history_ must have an epoch, got none; fit trains one")
        if ax is None:
            ax = pyplot.subplots(layout="constrained")[1]
        epochs = [epoch.epoch for epoch in history]
        lines = ax.plot(epochs, [epoch.loss for epoch in history], ".-", label="loss")
        ax.set(xlabel="epoch", ylabel="loss")
        ax.xaxis.get_major_locator().set_params(integer=True)
        if any(epoch.validation_score is not None for epoch in history):
            scores = [
                np.nan if epoch.validation_score is None else epoch.validation_score for epoch in history
            ]
            right = ax.twinx()
            right.set_ylabel("validation score")
            lines += right.plot(
                epochs, np.array(scores, dtype=float), ".--", color="C1", label="validation score"
            )
            ax.legend(handles=lines)
        return ax

"""Ending a training from outside."""

from __future__ import annotations

__all__ = ["Stoppable"]


class Stoppable:
    """An estimator whose training can be asked to end."""

    _stopping = False  # again when `fit` begins

    def stop(self) -> None:
        """End the training that is under way, from another thread or a callback, and keep what was learned.

        It ends after the current chunks or mini-batch, some milliseconds of work, as after Ctrl-C but without
        a warning: `fit` returns, and `interrupted_` is True. Without a training under way, nothing happens.
        """
        self._stopping = True

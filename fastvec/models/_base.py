"""What the estimators share: parameters by name, a readable repr."""

from __future__ import annotations

import inspect
from typing import Any

from fastvec._params import PlainAttributes

__all__ = ["Estimator"]


class Estimator(PlainAttributes):
    """An estimator whose constructor takes keywords only and stores them."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters of the constructor and their values.

        Parameters
        ----------
        deep : bool
            Ignored; for compatibility with scikit-learn.

        Returns
        -------
        dict of str to object
            The values by name.
        """
        return {name: getattr(self, name) for name in self._defaults()}

    def set_params(self, **params: Any) -> Any:
        """Set parameters by name.

        Parameters
        ----------
        **params : object
            New values by name.

        Returns
        -------
        estimator
            The estimator itself.

        Raises
        ------
        ValueError
            If there is no parameter of that name.
        """
        names = list(self._defaults())
        for name, value in params.items():
            if name not in names:
                raise ValueError(f"params must be among {', '.join(names)}, got {name!r}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        changed = ", ".join(
            f"{name}={getattr(self, name)!r}"
            for name, default in self._defaults().items()
            if getattr(self, name) != default
        )
        return f"{type(self).__name__}({changed})"

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        parameters = inspect.signature(cls).parameters
        return {name: parameter.default for name, parameter in parameters.items()}

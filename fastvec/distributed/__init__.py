"""Work on several processes or machines, with the same bytes as on one.

>>> import fastvec
>>> with fastvec.distributed.connect() as engine:
...     parts = [engine.submit(f"size of {word}", len, word) for word in ("to", "be", "quick")]
...     engine.results([engine.combine("largest", max, parts), parts[0]])
[5, 2]
"""

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fastvec.distributed.clusters import connect as connect
    from fastvec.distributed.counts import count as count
    from fastvec.distributed.engine import Engine as Engine
    from fastvec.distributed.fitting import fit as fit
    from fastvec.distributed.pairs import phrases as phrases

__all__ = ["Engine", "connect", "count", "fit", "phrases"]

# Modules are imported at the first use of a name: a process that counts needs no models.
_MODULES = {
    "Engine": "engine",
    "connect": "clusters",
    "count": "counts",
    "fit": "fitting",
    "phrases": "pairs",
}


if not TYPE_CHECKING:  # which would take every name for one of these

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

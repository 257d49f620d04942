"""Work on several processes or machines, with the same bytes as on one.

>>> import fastvec
>>> with fastvec.distributed.connect() as engine:
...     parts = [engine.submit(f"size of {word}", len, word) for word in ("to", "be", "quick")]
...     engine.results([engine.combine("largest", max, parts), parts[0]])
[5, 2]
"""

from fastvec.distributed.clusters import connect as connect
from fastvec.distributed.counts import count as count
from fastvec.distributed.engine import Engine as Engine
from fastvec.distributed.fitting import fit as fit
from fastvec.distributed.pairs import phrases as phrases

__all__ = ["Engine", "connect", "count", "fit", "phrases"]

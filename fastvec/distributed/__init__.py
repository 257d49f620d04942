"""Work on several processes or machines, with the same bytes as on one."""

from fastvec.distributed.clusters import connect as connect
from fastvec.distributed.counts import count as count
from fastvec.distributed.engine import Engine as Engine
from fastvec.distributed.engine import Handle as Handle
from fastvec.distributed.pairs import phrases as phrases

__all__ = ["Engine", "Handle", "connect", "count", "phrases"]

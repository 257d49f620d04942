"""Work on several processes or machines, with the same bytes as on one."""

from fastvec.distributed.engine import Engine as Engine
from fastvec.distributed.engine import Handle as Handle
from fastvec.distributed.engine import connect as connect

__all__ = ["Engine", "Handle", "connect"]

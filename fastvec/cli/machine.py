"""Information on the machine, for ``fastvec info`` and the benchmarks."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

__all__ = ["processor_name"]


def processor_name() -> str:
    """Return the name of the processor, or its architecture if the system does not know it."""
    if platform.system() == "Darwin":
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(asked, capture_output=True, encoding="utf-8", check=True).stdout.strip()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())

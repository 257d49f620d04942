"""A backend that cannot be had says why, and what would mend it."""

import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fastvec
from fastvec import kernels
from fastvec.kernels import cpu
from fastvec.kernels.instruction_sets import INSTRUCTION_SETS

pytestmark = pytest.mark.any_backend(trains=True)


def test_the_fastest_is_selected_unless_another_is_named(monkeypatch):
    monkeypatch.delenv("FASTVEC_BACKEND", raising=False)
    assert kernels.selected() == kernels.available()[-1]
    monkeypatch.setenv("FASTVEC_BACKEND", "reference")
    assert kernels.get("skipgram").__name__ == "fastvec.reference.skipgram"


def test_every_set_of_this_architecture_is_built():
    assert "not built" not in kernels.status().values()


def test_an_unknown_name_is_refused(monkeypatch):
    monkeypatch.setenv("FASTVEC_BACKEND", "sse")
    with pytest.raises(ValueError, match=r"FASTVEC_BACKEND must be one of reference, .*, got 'sse'"):
        kernels.selected()


@pytest.mark.parametrize("state", ["not built", "not supported by this processor"])
def test_a_backend_that_cannot_be_had_is_refused(monkeypatch, state):
    states = {"reference": "usable", "baseline": "usable", "avx2": "usable", "avx512": state}
    monkeypatch.setattr(kernels, "status", lambda: states)
    monkeypatch.setenv("FASTVEC_BACKEND", "avx512")
    with pytest.raises(
        RuntimeError, match=f"avx512: {state}; usable backends here: reference, baseline, avx2"
    ):
        kernels.selected()


def test_the_slow_reference_is_not_fallen_back_to(monkeypatch):
    monkeypatch.delenv("FASTVEC_BACKEND", raising=False)
    monkeypatch.setattr(kernels, "status", lambda: {"reference": "usable", "baseline": "not built"})
    with pytest.raises(RuntimeError, match="the compiled kernels are missing"):
        kernels.selected()


def test_sources_that_are_not_compiled_say_so(tmp_path):
    source = Path(fastvec.__file__).parent
    shutil.copytree(source, tmp_path / "fastvec", ignore=shutil.ignore_patterns("*.so", "*.pyd"))
    # An editable install has modules of this package where a folder of that name has none.
    program = (
        "import sys; sys.meta_path = [f for f in sys.meta_path if 'editable' not in str(f)]; import fastvec"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"ImportError: fastvec is not compiled in {tmp_path}" in done.stderr


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="only Linux lists the processor's features")
def test_the_features_are_those_that_the_system_tells():
    listed = re.search(
        r"^(?:flags|Features)\s*:(.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE
    )
    flags = set(listed[1].split())
    flags |= {"lzcnt"} if "abm" in flags else set()
    flags |= {"neon"} if platform.machine() == "aarch64" and "asimd" in flags else set()
    assert cpu.features() == flags & {feature for row in INSTRUCTION_SETS for feature in row.needs}


def test_a_set_is_used_where_the_processor_has_all_that_it_needs(monkeypatch):
    avx2 = {"avx2", "bmi1", "bmi2", "f16c", "fma", "lzcnt", "movbe"}
    for features, expected in [
        (set(), ("baseline",)),
        (avx2, ("baseline", "avx2")),
        (avx2 - {"fma"}, ("baseline",)),
        (avx2 | {"avx512f"}, ("baseline", "avx2")),
        ({"neon"}, ("baseline", "neon")),
    ]:
        monkeypatch.setattr(kernels, "features", lambda features=features: frozenset(features))
        assert kernels.instruction_sets() == expected

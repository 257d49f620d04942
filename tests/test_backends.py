"""A backend that cannot be had says why, and what would mend it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fastvec
from fastvec import _backends


def test_the_fastest_is_selected_unless_another_is_named(monkeypatch):
    monkeypatch.delenv("FASTVEC_BACKEND", raising=False)
    assert _backends.selected() == _backends.available()[-1]
    monkeypatch.setenv("FASTVEC_BACKEND", "reference")
    assert _backends.get("skipgram").__name__ == "fastvec.reference.skipgram"


def test_an_unknown_name_is_refused(monkeypatch):
    monkeypatch.setenv("FASTVEC_BACKEND", "sse")
    with pytest.raises(ValueError, match=r"FASTVEC_BACKEND must be one of reference, .*, got 'sse'"):
        _backends.selected()


@pytest.mark.parametrize("state", ["not built", "not supported by this processor"])
def test_a_backend_that_cannot_be_had_is_refused(monkeypatch, state):
    states = {"reference": "usable", "baseline": "usable", "avx2": "usable", "avx512": state}
    monkeypatch.setattr(_backends, "status", lambda: states)
    monkeypatch.setenv("FASTVEC_BACKEND", "avx512")
    with pytest.raises(
        RuntimeError, match=f"avx512: {state}; usable backends here: reference, baseline, avx2"
    ):
        _backends.selected()


def test_the_slow_reference_is_not_fallen_back_to(monkeypatch):
    monkeypatch.delenv("FASTVEC_BACKEND", raising=False)
    monkeypatch.setattr(_backends, "status", lambda: {"reference": "usable", "baseline": "not built"})
    with pytest.raises(RuntimeError, match="the compiled kernels are missing"):
        _backends.selected()


def test_sources_that_are_not_compiled_say_so(tmp_path):
    source = Path(fastvec.__file__).parent
    shutil.copytree(source, tmp_path / "fastvec", ignore=shutil.ignore_patterns("*.so", "*.pyd", "kernels"))
    command = [sys.executable, "-c", "import fastvec"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"ImportError: fastvec is not compiled in {tmp_path}" in done.stderr

"""Plant the errors of the table one by one, and see a test turn red for each: `make mutants`.

Every error is planted in a copy of the tree. Kernels are built for one instruction set only, the one that is
used on this machine, and tests run on it and on the reference.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from fastvec import kernels
from mutants import MUTANTS, ROOT, Mutant

COPIED = ("build", "fastvec", "pyproject.toml", "setup.py", "tests")
BUILD = """
import setup as ours
rows = [row for row in ours.instruction_sets() if row.name == {name!r}]
ours.instruction_sets = lambda: rows
ours.FLAGS[0] = "-O1"
command = ["-q", "build_ext", "--inplace", "--parallel", "1"]
ours.setup(ext_modules=ours.extensions(), cmdclass={{"build_ext": ours.BuildExt}}, script_args=command)
"""
HANGS = 300  # seconds
RED, HANGING, NOT_BUILT = 1, -1, -2  # 1 is pytest's exit status where tests fail


def build(folder: Path, name: str) -> None:
    subprocess.run(
        [sys.executable, "-c", BUILD.format(name=name)],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )


def test(folder: Path, tests: str, chosen: str, name: str, limit: int | None = HANGS) -> tuple[int, str]:
    """Return the exit status of pytest for the chosen tests, and the last line that tells of it."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-k", chosen]
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"OPENBLAS_NUM_THREADS": "1", "FASTVEC_BACKEND": name}
    try:
        done = subprocess.run(
            [*command, *tests.split()],
            cwd=folder / "tests",
            env=environment,
            capture_output=True,
            text=True,
            timeout=limit,
        )
    except subprocess.TimeoutExpired:
        return HANGING, f"no test has failed in {limit} seconds"
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return done.returncode, (failed or done.stdout.splitlines() or [done.stderr])[-1]


def run(folder: Path, mutant: Mutant, name: str) -> tuple[int, str]:
    """Return the exit status of the tests of an error that is planted, and the last line that tells of it.

    An error that the reference has too may turn a test of the reference red, which needs no build.
    """
    if any(edit.file.startswith("fastvec/reference/") for edit in mutant.edits):
        status, line = test(folder, mutant.tests, f"reference and {without_others('reference')}", name)
        if status == RED:
            return status, line
    if any(edit.file.endswith((".pyx", ".pxd", ".h")) for edit in mutant.edits):
        build(folder, name)
    return test(folder, mutant.tests, without_others(name), name)


def without_others(name: str) -> str:
    """Return what chooses tests of one instruction set, of the reference and of none."""
    return " and ".join(f"not {other}" for other in kernels.NAMES if other not in (name, "reference"))


def verdict(tree: Path, mutant: Mutant, name: str) -> tuple[bool, str]:
    """Return whether a test turns red for an error, and what to print."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "tree"
        shutil.copytree(tree, folder)
        for edit in mutant.edits:
            path = folder / edit.file
            path.write_text(edit.planted(path.read_text(encoding="utf-8")), encoding="utf-8")
        try:
            status, line = run(folder, mutant, name)
        except subprocess.CalledProcessError as error:
            status, line = NOT_BUILT, error.stderr
    said = {0: "SURVIVED", RED: "killed"}.get(status, "NO VERDICT")
    return status == RED, f"{said:10}  {mutant.what}\n            {line[:150]}"


def main() -> int:
    """Return the number of errors that no test sees."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="only errors whose description has one of these words")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    chosen = [one for one in MUTANTS if not given.words or any(word in one.what for word in given.words)]
    name = kernels.selected()
    with tempfile.TemporaryDirectory() as temporary:
        tree = Path(temporary) / "tree"
        tree.mkdir()
        ignored = shutil.ignore_patterns("__pycache__", "lib*", "temp*", *kernels.NAMES[1:])
        for part in COPIED:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, tree / part, ignore=ignored)
            elif source.exists():
                shutil.copy2(source, tree / part)
        build(tree, name)
        every = " ".join(sorted({name for one in chosen for name in one.tests.split()}))
        survivors = 0
        with ThreadPoolExecutor(given.jobs) as pool:
            verdicts = [pool.submit(verdict, tree, one, name) for one in chosen]
            clean = pool.submit(test, tree, every, without_others(name), name, None)
            for done in as_completed(verdicts):
                killed, said = done.result()
                print(said, flush=True)
                survivors += not killed
    status, line = clean.result()
    if status != 0:
        print(f"tests fail without any error planted, which makes the above meaningless: {line}")
        return 1
    print(f"{len(chosen) - survivors} of {len(chosen)} planted errors turn a test red ({name} and reference)")
    return min(survivors, 100)


if __name__ == "__main__":
    raise SystemExit(main())

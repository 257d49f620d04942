"""The loop: a process that reads damaged files one after another, and one that watches it."""

from __future__ import annotations

import argparse
import faulthandler
import json
import mmap
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import tracemalloc
import warnings
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np

from fuzz.mutation import mutated
from fuzz.readers import Reader, readers, without_checksums

# Seconds after which a read is taken for one that hangs, on the slowest machine under the sanitizers.
HANGS = 60
# Inputs for which one watch is set: setting it takes about as long as reading a file.
WATCHED = 20
# Inputs of one process.
CHUNK = 50_000
# Bytes of address space that a process may take in addition, of which little is used. The sanitizers, which
# reserve terabytes, have no limit.
ADDRESSES = 1 << 30
SANITIZED = "libasan" in os.environ.get("LD_PRELOAD", "")

NUMBER = 8  # bytes of the number of the current input in the file that both processes share


def main() -> int:
    """Return 0 if all inputs were read or refused as documented."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Read damaged files.")
    parser.add_argument("--inputs", type=int, default=100_000, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="number of the first input")
    parser.add_argument(
        "--keep", type=Path, default=Path("fuzz-found"), metavar="FOLDER", help="for what is found"
    )
    parser.add_argument("--child", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _read_all(options.child, options.seed, options.first, options.first + options.inputs, options.keep)
        return 0
    with tempfile.TemporaryDirectory(prefix="fastvec-fuzz-") as name:
        return _watch(Path(name), options)


def _watch(folder: Path, options: argparse.Namespace) -> int:
    """Let processes read all inputs, and print what came of it."""
    table = _write_seeds(folder)
    (folder / "number").write_bytes(bytes(NUMBER))
    done = {what: Counter[str]() for what in ("inputs", "read", "refused", "milliseconds")}
    started, found, first = time.monotonic(), 0, options.first
    end = options.first + options.inputs
    while first < end:
        n = min(CHUNK, end - first)
        given = [
            "--child",
            folder,
            "--seed",
            options.seed,
            "--first",
            first,
            "--inputs",
            n,
            "--keep",
            options.keep,
        ]
        command = [sys.executable, "-m", "fuzz", *map(str, given)]
        child = subprocess.run(command, capture_output=True, text=True, check=False)
        first += n
        for line in child.stdout.splitlines():
            report = json.loads(line)
            if "found" in report:
                found += 1
                print(report["found"], flush=True)
            for what, counts in report.get("done", {}).items():
                done[what].update(counts)
        if child.returncode:
            found += 1
            first = 1 + int.from_bytes((folder / "number").read_bytes(), "little")
            reader = table[(first - 1) % len(table)]
            kept = _keep(folder / "input" / reader.file, options.keep, first - 1)
            print(f"{reader.name}: input {first - 1} ended the process ({child.returncode}); it is {kept}")
            print(child.stderr[-5000:], flush=True)
    for reader in table:
        row = {what: counts[reader.name] for what, counts in done.items()}
        print(
            f"{reader.name:45}{row['inputs']:9,} inputs: {row['read']:8,} read {row['refused']:9,} refused"
            f"{row['milliseconds'] / 1000:8.1f} s"
        )
    print(
        f"{end - options.first:,} inputs in {time.monotonic() - started:,.0f} s, seed {options.seed}, "
        f"{'with' if SANITIZED else 'without'} sanitizers: {found or 'nothing'} found"
    )
    return int(found > 0)


def _write_seeds(folder: Path) -> list[Reader]:
    """Write the files that are damaged afterwards, in a folder for every reader."""
    table = readers(folder)
    (folder / "input").mkdir()
    for number, reader in enumerate(table):
        seeds = folder / f"seeds-{number}"
        seeds.mkdir()
        for what, write in reader.write.items():
            path = folder / "input" / reader.file
            write(path)
            content = path.read_bytes()
            (seeds / what).write_bytes(content)
            plain = without_checksums(content, path)
            if plain is not None:
                (seeds / f"{what} without checksums").write_bytes(plain)
            reader.read(path)
            path.unlink()
    return table


def _read_all(folder: Path, seed: int, first: int, end: int, keep: Path) -> None:
    """Read the damaged files of these numbers, and print what is wrong and a summary, as lines of JSON."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    faulthandler.enable()
    table = readers(folder)
    seeds = [[path.read_bytes() for path in sorted(folder.glob(f"seeds-{i}/*"))] for i in range(len(table))]
    others = [content for contents in seeds for content in contents]
    done = {what: Counter[str]() for what in ("inputs", "read", "refused", "milliseconds")}
    known: set[tuple[str, str]] = set()
    with (folder / "number").open("r+b") as file:
        shared = mmap.mmap(file.fileno(), NUMBER)
    if not SANITIZED:
        taken = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + ADDRESSES, resource.RLIM_INFINITY))
    tracemalloc.start()
    for number in range(first, end):
        reader, contents = table[number % len(table)], seeds[number % len(table)]
        random = Random(f"{seed} {number}")
        content = mutated(random.choice(contents), random.choice((contents, others)), random)
        path = folder / "input" / reader.file
        path.write_bytes(content)
        shared[:] = number.to_bytes(NUMBER, "little")
        if (number - first) % WATCHED == 0:
            faulthandler.dump_traceback_later(HANGS, exit=True)
        started = time.perf_counter()
        outcome, problem = _outcome(reader, path, len(content))
        done["milliseconds"][reader.name] += 1000 * (time.perf_counter() - started)
        done["inputs"][reader.name] += 1
        done[outcome][reader.name] += 1
        if problem and (reader.name, re.sub(r"[\d,]+ bytes", "", problem)) not in known:
            known.add((reader.name, re.sub(r"[\d,]+ bytes", "", problem)))
            path.write_bytes(content)  # a cache may have been made anew
            kept = _keep(path, keep, number)
            print(json.dumps({"found": f"{reader.name}: input {number}: {problem}; it is {kept}"}))
    faulthandler.cancel_dump_traceback_later()
    print(json.dumps({"done": done}))


def _outcome(reader: Reader, path: Path, size: int) -> tuple[str, str]:
    """Read a file; return whether it was read or refused, and what is wrong with that, if anything."""
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    outcome, problem = "read", ""
    try:
        reader.read(path)
    except (ValueError, OSError) as error:
        outcome = "refused"
        if str(path) not in str(error):
            problem = f"the error does not name the file: {_told(error)}"
    except Exception as error:  # whatever it is, it is not documented
        outcome, problem = "refused", f"not a documented error: {_told(error)}"
    room = tracemalloc.get_traced_memory()[1] - before
    if not problem and room > 4 * size + reader.room:
        problem = f"took {room:,} bytes, more than four times the file and {reader.room:,}"
    return outcome, problem


def _told(error: Exception) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"


def _keep(path: Path, folder: Path, number: int) -> Path:
    folder.mkdir(exist_ok=True)
    kept = folder / f"{number}-{path.name}"
    shutil.copyfile(path, kept)
    return kept


if __name__ == "__main__":
    sys.exit(main())

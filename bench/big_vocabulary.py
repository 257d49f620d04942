"""Skip-gram in lanes whose matrices exceed the memory of every process: what that costs, and what each holds.

The text is random: words drawn by Zipf's law, of which each occurs. The same number of words is drawn from a
small vocabulary, and trained on in memory; from the large one with matrices in files, by processes that the
system gives no more memory than `--limit` (``RLIMIT_DATA``), less than the matrices need.

    python bench/big_vocabulary.py --folder FOLDER > bench/big_vocabulary.md

Memory of a process is the most that it has had for itself (``RssAnon``). Pages of the files come on top, as
far as there is room for them: the system takes them back when it needs it.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from measure import machine

WORDS_OF_LINE, AT_ONCE = 20, 1 << 20
MB = 1 << 20
HEADS = (
    "words",
    "matrices",
    "are in",
    "limit",
    "time of processors",
    "a word, against few",
    "first",
    "others",
)


def write_text(path: Path, n_words: int, n_tokens: int) -> None:
    """Write a text in which each word occurs, the others by Zipf's law."""
    random = np.random.default_rng(1)
    bounds = np.cumsum(1 / np.arange(1, n_words + 1))
    once = random.permutation(n_words)
    with path.open("w", encoding="utf-8") as file:
        for begin in range(0, n_tokens, AT_ONCE):
            n = min(AT_ONCE, n_tokens - begin)
            drawn = np.searchsorted(bounds, random.uniform(0, bounds[-1], n))
            own = once[begin * n_words // n_tokens : (begin + n) * n_words // n_tokens]
            drawn[random.permutation(n)[: len(own)]] = own
            for line in range(0, n, WORDS_OF_LINE):
                file.write(" ".join(map(str, drawn[line : line + WORDS_OF_LINE].tolist())) + "\n")


def train(job: dict[str, Any]) -> dict[str, Any]:
    """Train as a job says, in this process and its workers, with so much memory at most."""
    import fastvec

    if job["limit"]:
        resource.setrlimit(resource.RLIMIT_DATA, (job["limit"], job["limit"]))
    corpus = fastvec.Corpus(job["text"])
    model = fastvec.SkipGram(vector_size=job["vector_size"], min_count=1, epochs=1)
    how = {name: job[name] for name in ("lanes", "rounds", "folder")}
    before, started = processor_time(), time.perf_counter()
    fastvec.distributed.fit(model, corpus, cluster=job["processes"], **how)
    seconds, of_processors = time.perf_counter() - started, processor_time() - before
    if job["folder"]:
        model.vectors_.save(Path(job["folder"], "vectors.fvec"))
    return {"words": len(model.vocabulary_), "seconds": seconds, "of_processors": of_processors}


def processor_time() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


class Memory:
    """The most memory that processes have had for themselves: one, and those that it has started."""

    def __init__(self, first: int) -> None:
        self.first, self.bytes, self.over = first, dict[int, int](), threading.Event()
        self.watch = threading.Thread(target=self._look)
        self.watch.start()

    def _look(self) -> None:
        while not self.over.wait(0.1):
            for number in (self.first, *started_by(self.first)):
                self.bytes[number] = max(self.bytes.get(number, 0), private_bytes(number))

    def end(self) -> tuple[int, int]:
        """Return the most of the first process, and of the others."""
        self.over.set()
        self.watch.join()
        return self.bytes.pop(self.first, 0), max(self.bytes.values(), default=0)


def started_by(number: int) -> Iterator[int]:
    for path in Path(f"/proc/{number}/task").glob("*/children"):
        for child in read(path).split():
            yield int(child)
            yield from started_by(int(child))


def private_bytes(number: int) -> int:
    lines = [line for line in read(Path(f"/proc/{number}/status")).splitlines() if "RssAnon" in line]
    return 1024 * int(lines[0].split()[1]) if lines else 0


def read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:  # the process has ended
        return ""


def measured(job: dict[str, Any]) -> dict[str, Any]:
    """Train in a process of its own, and return its figures."""
    command = [sys.executable, __file__, "--job", json.dumps(job)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        memory = Memory(process.pid)
        output, _ = process.communicate()
        first, others = memory.end()
    if process.returncode:
        raise SystemExit(f"{job} failed")
    return {**json.loads(output.splitlines()[-1]), "first": first, "others": others}


def show(options: argparse.Namespace) -> None:
    """Measure, and print the table."""
    place = machine()
    same = {name: getattr(options, name) for name in ("lanes", "rounds", "processes", "vector_size")}
    settings = ", ".join(f"{name}={value}" for name, value in same.items())
    print("Generated by `python bench/big_vocabulary.py`; do not edit.\n")
    print(f"{options.tokens:,} words of random text, one epoch; {settings}. {place['processor']},")
    print(f"{place['cores']} cores, {place['backend']} backend, {place['system']}.\n")
    print(f"| {' | '.join(HEADS)} |\n|{'---:|' * len(HEADS)}", flush=True)
    base = None
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for n_words, in_files in ((options.few, False), (options.few, True), (options.words, True)):
            text = Path(folder, f"{n_words}.txt")
            if not text.exists():
                write_text(text, n_words, options.tokens)
            large = n_words == options.words
            job = {**same, "text": str(text), "folder": folder if in_files else None}
            found = measured({**job, "limit": options.limit * MB if large else None})
            each = found["of_processors"] / options.tokens
            base = base or each
            row = (
                f"{found['words']:,}",
                f"{8 * found['words'] * -(-options.vector_size // 16) * 16 / MB:,.0f} MB",
                "files" if in_files else "memory",
                f"{options.limit:,} MB" if large else "",
                f"{found['of_processors']:,.0f} s",
                f"{each / base:.1f}x",
                *(f"{found[name] / MB:,.0f} MB" for name in ("first", "others")),
            )
            print(f"| {' | '.join(row)} |", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--folder", help="where the text and the matrices are")
    cli.add_argument("--words", type=int, default=20_000_000, help="of the large vocabulary")
    cli.add_argument("--few", type=int, default=50_000, help="of the small one")
    cli.add_argument("--tokens", type=int, default=24_000_000, help="of the texts")
    cli.add_argument("--vector-size", type=int, default=100)
    cli.add_argument("--lanes", type=int, default=2)
    cli.add_argument("--rounds", type=int, default=4)
    cli.add_argument("--processes", type=int, default=2)
    cli.add_argument("--limit", type=int, default=10_240, help="of the memory of a process, in MB")
    cli.add_argument("--job", type=json.loads, help=argparse.SUPPRESS)
    options = cli.parse_args(arguments)
    if options.job is None:
        show(options)
    else:
        print(json.dumps(train(options.job)))


if __name__ == "__main__":
    main()

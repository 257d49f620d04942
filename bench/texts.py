"""The data folder, and what is made of its texts for the contenders, once, and kept in a cache."""

import gzip
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CACHE = Path(__file__).parent / ".cache"


@dataclass(frozen=True)
class Data:
    """A folder of texts and test sets, the text in it to take, and how many of its words at most."""

    folder: Path
    corpus: Path
    words: int | None = None

    def text(self, words: int | None = None) -> dict[str, Any]:
        """Return the text, or its first lines with so many words, as the plain file of a job."""
        from fastvec.formats.common import open_bytes

        words = min(filter(None, (self.words, words)), default=None)
        status = self.corpus.stat()
        name = f"{self.corpus.name.split('.')[0]}-{status.st_size}-{status.st_mtime_ns}-{words or 'all'}.txt"

        def write(path: Path) -> None:
            with open_bytes(self.corpus) as text:
                path.write_bytes(b"".join(first_words(text, words)))

        path = kept(CACHE / name, write)
        content = path.read_bytes()
        found = len(content.split())
        if not found:
            raise ValueError(f"{self.corpus} holds no words")
        about = f"{self.corpus.name}, {found / 1e6:.1f} M words"
        return {"file": str(path), "words": found, "lines": content.count(b"\n"), "data": about}

    def plain_and_packed(self) -> dict[str, Any]:
        """Add the text as a .gz file."""
        job = self.text()
        path = Path(job["file"])
        packed = kept(path.with_suffix(".gz"), lambda to: to.write_bytes(gzip.compress(path.read_bytes(), 6)))
        return {**job, "packed": str(packed)}

    def made(self, estimator: str, parameters: dict[str, Any], suffix: str) -> str:
        """Return what an estimator learns from the text, vectors if it has any, as a file."""
        import fastvec

        text = self.text()["file"]

        def save(path: Path) -> None:
            learned = getattr(fastvec, estimator)(**parameters).fit(text)
            getattr(learned, "vectors_", learned).save(path)

        name = f".{'-'.join(map(str, parameters.values()))}{suffix}"
        return str(kept(Path(text).with_suffix(name), save))


def first_words(lines: Iterable[bytes], words: int | None) -> Iterable[bytes]:
    """Yield lines, the last one cut, until there are enough words."""
    for line in lines:
        split = line.split()
        if words is not None and len(split) >= words:
            yield b" ".join(split[:words]) + b"\n"
            return
        yield line
        words = words and words - len(split)


def kept(path: Path, make: Callable[[Path], object]) -> Path:
    """Return a file of the cache, made where it is missing, under another name so that none is cut short."""
    if not path.exists():
        print(f"preparing {path.name} ...", flush=True)
        path.parent.mkdir(exist_ok=True)
        part = path.with_name(f"part-{path.name}")
        make(part)
        part.rename(path)
    return path

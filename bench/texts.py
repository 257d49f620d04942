"""The data folder, and what is made of its texts for the contenders, once, and kept in a cache."""

import bz2
import gzip
import lzma
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CACHE = Path(__file__).parent / ".cache"
OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


@dataclass(frozen=True)
class Data:
    """A folder of texts and test sets, the text in it to take, and how many of its words at most."""

    folder: Path
    corpus: Path
    words: int | None = None

    def text(self, words: int | None = None) -> dict[str, Any]:
        """Return the text, or its first lines with so many words, as the plain file of a job."""
        words = min(filter(None, (self.words, words)), default=None)
        status = self.corpus.stat()
        name = f"{self.corpus.name.split('.')[0]}-{status.st_size}-{status.st_mtime_ns}-{words or 'all'}.txt"

        def make(path: Path) -> None:
            with OPENERS.get(self.corpus.suffix, open)(self.corpus, "rb") as text:
                path.write_bytes(b"".join(first_words(text, words)))

        path = kept(CACHE / name, make)
        content = path.read_bytes()
        found = len(content.split())
        if not found:
            raise ValueError(f"{self.corpus} holds no words")
        about = f"{self.corpus.name}, {found / 1e6:.1f} M words"
        return {"file": str(path), "words": found, "lines": content.count(b"\n"), "data": about}

    def packed(self) -> Path:
        """Return the text as a .gz file."""
        plain = Path(self.text()["file"])
        return kept(
            plain.with_suffix(".txt.gz"), lambda path: path.write_bytes(gzip.compress(plain.read_bytes(), 6))
        )

    def counts(self, **parameters: Any) -> Path:
        """Return the counts of pairs of words of the text."""
        from fastvec import Cooccurrence

        return self.made(".fvcounts", parameters, lambda text: Cooccurrence(**parameters).fit(text))

    def vectors(self, **parameters: Any) -> Path:
        """Return skip-gram's vectors of the text, with all else at its default."""
        from fastvec import SkipGram

        return self.made(".fvec", parameters, lambda text: SkipGram(**parameters).fit(text).vectors_)

    def made(self, suffix: str, parameters: dict[str, Any], make: Callable[[str], Any]) -> Path:
        """Return what was made of the text, as a file."""
        text = self.text()["file"]
        path = Path(text).with_suffix(f".{'-'.join(map(str, parameters.values()))}{suffix}")
        return kept(path, lambda path: make(text).save(path))


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

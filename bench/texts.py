"""The texts that the contenders read: plain, cut to a number of words, unpacked once and kept."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

__all__ = ["Text", "compressed", "counts", "prepare", "rare_pairs", "vectors"]

CACHE = Path(__file__).parent / ".cache"
OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


@dataclass(frozen=True)
class Text:
    """A plain text file and how many words and lines it has."""

    path: Path
    words: int
    lines: int


def prepare(source: Path, words: int | None = None) -> Text:
    """Return the first lines of a file with `words` words, or all of it, as a plain text file in the cache.

    Raises
    ------
    ValueError
        If there is no word.
    """
    status = source.stat()
    name = f"{source.name.split('.')[0]}-{status.st_size}-{status.st_mtime_ns}-{words or 'all'}"
    path, counts = CACHE / f"{name}.txt", CACHE / f"{name}.counts"
    if not counts.exists():
        CACHE.mkdir(exist_ok=True)
        print(f"preparing {source.name}, {f'{words:,}' if words else 'all'} words ...", flush=True)
        opener = OPENERS.get(source.suffix, open)
        with opener(source, "rb") as text, path.open("wb") as plain:
            n_words, n_lines = _copy(text, plain, words)
        counts.write_text(f"{n_words} {n_lines}")  # last, so that a copy cut short is made again
    n_words, n_lines = map(int, counts.read_text().split())
    if not n_words:
        raise ValueError(f"{source} holds no words")
    return Text(path, n_words, n_lines)


def compressed(text: Text, source: Path, words: int | None) -> Path:
    """Return the same text as a .gz file: `source` itself where it is one, or a packed copy in the cache."""
    if source.suffix == ".gz" and words is None:
        return source
    path = text.path.with_suffix(".txt.gz")
    if not path.exists():
        part = path.with_suffix(".part")
        with text.path.open("rb") as plain, gzip.open(part, "wb", compresslevel=6) as packed:
            shutil.copyfileobj(plain, packed)
        part.rename(path)
    return path


def counts(text: Text, window: int, min_count: int) -> Path:
    """Return the counts of a text in a file, beside it the files that GloVe C trains on."""
    path = text.path.with_suffix(f".{window}-{min_count}.fvcounts")
    if not path.exists():
        import numpy as np

        from fastvec import Cooccurrence

        found = Cooccurrence(window=window, min_count=min_count).fit(text.path)
        records, shuffled = Path(f"{path}.records"), Path(f"{path}.shuffled")
        found.write_glove(records, Path(f"{path}.vocabulary"))
        entries = np.fromfile(records, "V16")
        entries[np.random.default_rng(1).permutation(len(entries))].tofile(shuffled)
        records.unlink()
        found.save(path)  # last, so that files cut short are made again
    return path


def vectors(text: Text, vector_size: int, epochs: int, seed: int) -> Path:
    """Return skip-gram's vectors of a text in a file, with all else at its default."""
    path = text.path.with_suffix(f".{vector_size}-{epochs}-{seed}.fvec")
    if not path.exists():
        from fastvec import SkipGram

        print(f"making vectors of {text.words:,} words ...", flush=True)
        model = SkipGram(vector_size=vector_size, epochs=epochs, seed=seed).fit(text.path)
        model.vectors_.save(path)
    return path


def rare_pairs(text: Text, pairs: Path, min_count: int) -> dict[str, Path]:
    """Return the pairs of a test with a word below `min_count`, and those with one up to five times as often.

    Everyone is asked for the former by n-grams alone: the words occur in the text but are left out.
    """
    if not pairs.is_file():
        return {}
    from fastvec import Corpus

    vocabulary = Corpus(text.path).vocabulary
    counts = dict(zip(vocabulary.words, vocabulary.counts.tolist(), strict=True))
    chosen: dict[str, list[str]] = {"rare": [], "unseen": []}
    for line in pairs.read_text(encoding="utf-8").splitlines():
        rarest = min(counts.get(word.lower(), 0) for word in line.split()[:2])
        if rarest < 5 * min_count:
            chosen["rare" if rarest >= min_count else "unseen"].append(line)
    paths = {}
    for name, lines in chosen.items():
        paths[f"{pairs.stem.upper()} {name}"] = path = text.path.with_suffix(
            f".{pairs.stem}-{name}-{min_count}"
        )
        path.write_text("\n".join(lines) + "\n")
    return paths


def _copy(text: IO[bytes], plain: IO[bytes], words: int | None) -> tuple[int, int]:
    """Copy whole lines, the last one cut, until there are enough words; return the words and lines."""
    n_words = n_lines = 0
    for line in text:
        split = line.split()
        if words is not None and n_words + len(split) >= words:
            plain.write(b" ".join(split[: words - n_words]) + b"\n")
            return words, n_lines + 1
        plain.write(line)
        n_words += len(split)
        n_lines += line.endswith(b"\n")
    return n_words, n_lines

"""The examples in the help run as they are printed, one after the other, on small files of their names."""

import gzip
import importlib.util
import io
import random
import re
import shlex
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from inside import EXAMPLES

import fastvec

pytestmark = pytest.mark.any_backend(trains=True)

WORDS = ["the", "queen", "and", "king", "of", "man", "woman", "crown"]
# What examples leave to its default would take long, or much memory.
LESS = {
    "--model fasttext": "--buckets 9",
    "classify autotune": "--seconds 60 --trials 1",
    "fastvec autotune": "--budget 1 --seeds 1 --vector-size 4",
}
# The packages of extras that examples need.
NEEDED = {"plot": "openTSNE", "completion": "shtab", "man": "argparse_manpage"}
# What test_demo.py runs, and interop/test_ray.py.
ELSEWHERE = re.compile("fastvec demo$|.* --ray ")


def write_files():
    """Write all files that examples read and none of them writes."""
    draw = random.Random(1)
    lines = [" ".join(draw.choices(WORDS, k=9)) for _ in range(60)]
    text = "".join(f"{line}\n" for line in lines)
    Path("wiki.txt.gz").write_bytes(gzip.compress(text.encode()))
    Path("wiki").mkdir()
    for name in ("a.txt", "b.txt", "other.txt", "more.txt", "notes.txt", "wiki/a.txt", "wiki/b.txt"):
        Path(name).write_text(text, encoding="utf-8")
    labelled = "".join(f"__label__{'ab'[number % 2]} {line}\n" for number, line in enumerate(lines))
    for name in ("reviews.txt", "train.txt", "valid.txt", "test.txt"):
        Path(name).write_text(labelled, encoding="utf-8")
    tagged = "".join(f"{word} {'AB'[number % 2]}\n" for number, word in enumerate(WORDS))
    for name in ("train.conll", "test.conll"):
        Path(name).write_text(f"{tagged}\n" * 5, encoding="utf-8")
    small = {
        "run.toml": 'texts = "a.txt"\noutput = "run.vec"\n',
        "new.txt": "queen\n\nking\n",
        "words.txt": "queen king\n",
        "tags.tsv": "".join(f"note {number}\tall\n" for number in range(len(lines))),
        "wordsim353.txt": "queen king 9\nman crown 2\n",
        "men.txt": "queen king 9\nman crown 2\n",
        "questions-words.txt": ": family\nman king woman queen\n",
        "glove.6B.100d.txt": "the 1 2\nof 2 1\n",
        "edges.tsv": "ann\tbook\nann\tsong\nbob\tsong\n",
        "types.tsv": "ann user\nbob user\nbook item\nsong item\n",
    }
    for name, content in small.items():
        Path(name).write_text(content, encoding="utf-8")
    for year in (1850, 1990):
        Path(str(year)).mkdir()
        for run, path in enumerate([f"{year}.fvec", *(f"{year}/{run}.fvec" for run in range(3))]):
            matrix = np.random.default_rng([year, run]).standard_normal((len(WORDS), 4))
            fastvec.Vectors(WORDS, matrix).save(path)
    ngrams = fastvec.FastText(vector_size=2, epochs=1, buckets=9)
    ngrams.fit("a.txt").vectors_.save("fasttext.fvec")


def test_every_example_runs_as_printed(tmp_path, monkeypatch, shown):
    monkeypatch.chdir(tmp_path)
    write_files()
    for line in dict.fromkeys(line for lines in EXAMPLES.values() for line in lines):
        if ELSEWHERE.match(line):
            continue
        command, _, source = re.sub(" > .*", "", line).partition(" < ")
        less = [more for part, more in LESS.items() if part in line]
        verb, *arguments = shlex.split(" ".join([command, *less]))[1:]
        with pytest.MonkeyPatch.context() as patch:
            if source:
                patch.setattr("sys.stdin", io.StringIO(Path(source).read_text(encoding="utf-8")))
            status, out, errors = shown(verb, *arguments)
        if verb in NEEDED and importlib.util.find_spec(NEEDED[verb]) is None:
            assert (status, out) == (2, "") and "pip install 'fastvec[" in errors
            continue
        assert status == 0, f"{line}: {errors}"
        assert "error" not in errors and "warning" not in errors, f"{line}: {errors}"
        outputs = [after for before, after in pairwise(arguments) if before == "-o"]
        assert all(Path(name).exists() for name in outputs if name != "-"), line
        assert out or "-o" in arguments, line

"""Every block of code in the README and the documentation runs, and prints what stands beneath it.

A page is run from top to bottom, its blocks by their language:

- ``python``, and ``pycon`` with the results after the prompts, in one namespace;
- ``sh`` by bash, in a folder that holds the files the pages talk of;
- ``text`` is the output of the block before. Numbers may differ in their last digit. After the comment
  ``<!-- output: similar -->`` half of the words have to be the same: the text of the demo depends on Python.

A block after ``<!-- skip: next "reason" -->`` is not run; `NOT_RUN` has the reasons there are.
"""

import contextlib
import doctest
import gzip
import importlib
import importlib.util
import io
import os
import re
import shlex
import shutil
import subprocess
import unittest
from pathlib import Path

import pytest
from commands import HANGS
from forks import for_shells
from sybil.document import Document
from sybil.evaluators.doctest import NUMBER, DocTestEvaluator, OutputChecker
from sybil.parsers.abstract.doctest import DocTestStringParser
from sybil.parsers.markdown import CodeBlockParser, SkipParser
from threadpoolctl import threadpool_limits

import fastvec
from fastvec import demo

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if "_build" not in path.parts
)
pytestmark = [
    pytest.mark.skipif("docs/index.md" not in PAGES, reason="the documentation is not beside the tests"),
    pytest.mark.skipif(shutil.which("bash") is None, reason="blocks of shell commands are run by bash"),
]

# Why a block is not run, and what all of its lines are then.
NOT_RUN = {
    "installs packages": r"pip install |git clone |cd ",
    "builds the package": r"make |rm -rf build && |LD_PRELOAD=|\.venv/bin/pytest |#",
    "makes a release": r"git (tag|push) |python -m build |auditwheel |cibuildwheel ",
    "needs gensim": "",
    "needs other libraries": "",
    "needs Ray": "",
    "needs Spark": "",
}
# Those of a page that `make test-interop` runs.
OTHER_LIBRARIES = [
    "duckdb",
    "model2vec",
    "pandas",
    "polars",
    "pyarrow",
    "sentence_transformers",
    "torch",
    "usearch",
]
# What a page prints, and how a number in it looks that may depend on how others are rounded.
PRINTED = re.compile(r"(<!-- output: similar -->\n)?^```(?:text|pycon)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ROUNDED = re.compile(r"^(?!>>>|\.\.\.).*\d\.\d", re.MULTILINE)
UNREAD = 141  # the status of a command before `head`, which reads no more
SIMILAR = re.compile(r"<!-- output: similar -->\s*\Z")
FENCES = re.compile(r"^```+(.+)$", re.MULTILINE)


class Page:
    """A page whose blocks are run one after the other."""

    def __init__(self, path):
        self.printed = None  # by the block before
        self.run = 0
        self.not_run = []  # reasons, and blocks
        parsers = [
            SkipParser(),
            *(CodeBlockParser(name, self.evaluator(name)) for name in ("python", "sh", "text")),
            self.prompts,
        ]
        self.document = Document.parse(str(path), *parsers)
        self.document.namespace |= {
            "gensim_is_missing": importlib.util.find_spec("gensim") is None,
            "ray_is_missing": importlib.util.find_spec("ray") is None,
            "spark_is_missing": importlib.util.find_spec("pyspark") is None,
            "other_libraries_are_missing": not all(map(importlib.util.find_spec, OTHER_LIBRARIES)),
        }

    def evaluator(self, language):
        evaluate = getattr(self, f"evaluate_{language}")

        def evaluate_and_count(example):
            self.run += 1
            return evaluate(example)

        return evaluate_and_count

    def prompts(self, document):
        """Parse blocks of Python with prompts."""
        parse, evaluate = DocTestStringParser(), DocTestEvaluator(doctest.ELLIPSIS)

        def evaluate_and_count(example):
            self.run += 1
            return evaluate(example)

        for block in CodeBlockParser("pycon", evaluate)(document):
            for region in parse(block.parsed, document.path):
                region.evaluator = evaluate_and_count
                region.adjust(block, block.parsed)
                yield region

    def evaluate_python(self, example):
        code = compile("\n" * example.line + example.parsed, example.path, "exec")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, example.namespace)
        self.printed = printed.getvalue()

    def evaluate_sh(self, example):
        # What is tested need not be on the PATH.
        command, options = for_shells()
        script = f'set -eu -o pipefail\nfastvec() {{ {shlex.join(command)} "$@"; }}\n{example.parsed}'
        done = subprocess.run(
            ["bash", "-c", script],
            capture_output=True,
            text=True,
            timeout=HANGS,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            check=False,
            **options,
        )
        self.printed = done.stdout
        if done.returncode not in ((0, UNREAD) if "| head" in example.parsed else (0,)):
            return f"{example.parsed}ended with {done.returncode}:\n{done.stderr}"
        return None

    def evaluate_text(self, example):
        if self.printed is None:
            return "a block of output follows no block that is run"
        want, got, self.printed = example.parsed, self.printed, None
        if SIMILAR.search(example.document.text[: example.start]):
            same = similar(want, got)
        else:
            same = OutputChecker().check_output(want, got, doctest.ELLIPSIS | NUMBER)
        return None if same else f"expected:\n{want}\ngot:\n{got}"

    def evaluate(self):
        for example in self.document:
            try:
                example.evaluate()
            except unittest.SkipTest as reason:
                self.not_run.append((str(reason), example.parsed))


def similar(want, got):
    """Return whether half of the words are the same, and as many lines."""
    words, found = (set(re.findall(r"[^\W\d]+", text)) for text in (want, got))
    return len(want.splitlines()) == len(got.splitlines()) and 2 * len(words & found) >= len(words)


@pytest.fixture(scope="module")
def prose():
    return list(demo.sentences())


@pytest.fixture(scope="module")
def files(prose, tmp_path_factory):
    """Return a folder with the files that the pages talk of."""
    folder = tmp_path_factory.mktemp("files")
    lines = [" ".join(words) + "\n" for words in prose]
    (folder / "your.txt").write_text("".join(lines[:3000]))
    (folder / "news.txt").write_text("".join(lines[3000:4000]))
    (folder / "another.txt").write_text("".join(lines[4000:5000]))
    (folder / "wiki.txt.gz").write_bytes(gzip.compress("".join(lines[:6000]).encode()))
    wiki = fastvec.SkipGram(vector_size=20, epochs=2, threads=1).fit(prose[:6000])
    wiki.vectors_.save(folder / "wiki.fvec")
    tagged = "we O\nmet O\nin O\nParis LOC\n\nRome LOC\nis O\nold O\n\n" * 20
    for name in ("train.conll", "test.conll"):
        (folder / name).write_text(tagged)
    (folder / "new.conll").write_text("we\nleft\nRome\n\n")
    (folder / "reviews.txt").write_text("__label__good a fine film\n__label__bad dull\n" * 20)
    (folder / "new.txt").write_text("a fine day\ndull\n")
    words = wiki.vectors_.words[:12]
    pairs = "".join(f"{a} {b} {score}\n" for score, (a, b) in enumerate(zip(words, words[6:], strict=False)))
    for name in ("ws353.txt", "men.txt"):
        (folder / name).write_text(pairs)
    (folder / "questions-words.txt").write_text(
        f": capital\n{' '.join(words[:4])}\n: gram1\n{' '.join(words[4:8])}\n"
    )
    return folder


def pages():
    """Yield all pages, those that print no rounded number for one backend."""
    for name in PAGES:
        printed = PRINTED.findall((ROOT / name).read_text(encoding="utf-8"))
        rounded = any(ROUNDED.search(text) for is_similar, text in printed if not is_similar)
        yield pytest.param(name, marks=() if rounded else pytest.mark.any_backend(trains=True))


@pytest.mark.parametrize("name", [*pages()])
def test_every_block_of_code(name, prose, files, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "sentences", lambda progress=False: iter(prose))
    for path in files.iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    page = Page(ROOT / name)
    with threadpool_limits(1):  # matrices as small as these are slower with more
        page.evaluate()
    for reason, block in page.not_run:
        assert reason in NOT_RUN, f"{name}: not run for another reason than those there are: {reason}"
        assert all(re.match(NOT_RUN[reason], line.lstrip()) for line in block.splitlines() if line), block
    languages = [info for info in FENCES.findall(page.document.text) if not info.startswith("{")]
    assert set(languages) <= {"python", "pycon", "sh", "text"}
    blocks = len(languages) - languages.count("pycon")
    assert page.run + len(page.not_run) >= blocks


@pytest.mark.any_backend(trains=True)
def test_few_blocks_are_not_run():
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in PAGES}
    skipped = {name: text.count("<!-- skip:") for name, text in texts.items() if "<!-- skip:" in text}
    assert set(skipped) <= {
        "CONTRIBUTING.md",
        "README.md",
        "docs/baskets.md",
        "docs/cluster.md",
        "docs/coming-from-gensim.md",
        "docs/files.md",
        "docs/install.md",
        "docs/other-libraries.md",
    }
    assert sum(skipped.values()) <= 24


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize(
    "text",
    [
        "```pycon\n>>> 1 + 1\n3\n\n```\n",
        "```pycon\n>>> 0.15\n0.1\n\n```\n",
        "```python\n1 / 0\n```\n",
        "```python\nprint(1)\n```\n\n```text\n2\n```\n",
        "```python\nprint(0.5)\n```\n\n```text\n0.7\n```\n",
        "```sh\nfastvec neighbors nothing.fvec the\n```\n",
        "```sh\necho one\n```\n\n```text\ntwo\n```\n",
        "```text\noutput of nothing\n```\n",
        "```python\nprint('a b c')\n```\n\n<!-- output: similar -->\n```text\na d e\n```\n",
    ],
)
def test_a_block_that_is_wrong_is_found(text, tmp_path):
    (tmp_path / "page.md").write_text(text)
    with pytest.raises((AssertionError, ZeroDivisionError)):
        Page(tmp_path / "page.md").evaluate()


@pytest.mark.any_backend(trains=True)
def test_every_public_name_is_in_the_reference():
    pages = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "api").glob("*.rst"))
    described = set(re.findall(r"^\.\. auto(?:class|function):: (\S+)$", pages, re.MULTILINE))
    public = {
        f"{module}.{name}"
        for module in (
            "fastvec",
            "fastvec.classify",
            "fastvec.distributed",
            "fastvec.evaluate",
            "fastvec.functional",
            "fastvec.presets",
        )
        for name in importlib.import_module(module).__all__
    } - {"fastvec.distributed", "fastvec.evaluate", "fastvec.functional", "fastvec.presets"}
    assert len(public) > 30
    assert public - described == set()


@pytest.mark.any_backend(trains=True)
def test_architecture_names_and_quotes_what_there_is():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w./]+)`", page))
    sources = [path for end in ("py", "pyx", "pxd", "h") for path in (ROOT / "fastvec").rglob(f"*.{end}")]
    modules = {path.stem for path in sources} - {"__init__"}
    assert modules - {Path(name).stem for name in named} == set()
    files = [name for name in named if re.search(r"\.(py|pyx|pxd|h)$", name)]
    folders = ("", "fastvec", "fastvec/kernels", "tests")
    assert len(files) > 30
    assert [name for name in files if not any((ROOT / folder / name).exists() for folder in folders)] == []
    code = "".join(path.read_text(encoding="utf-8") for path in [*sources, *(ROOT / "tests").glob("*.py")])
    quoted = re.findall(r"^```\{code-block\} \w+\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(quoted) == page.count("{code-block}") > 3
    assert [block for block in quoted if block not in code] == []


@pytest.mark.any_backend(trains=True)
def test_links_of_the_readme_are_absolute():
    links = re.findall(r"\]\(([^)]*)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(links) > 5
    assert [link for link in links if not link.startswith("https://")] == []

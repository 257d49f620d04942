"""The backends that tests run on, and small things to train them with."""

import importlib
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from fastvec import cli, kernels
from fastvec.kernels import cpu
from fastvec.kernels.instruction_sets import INSTRUCTION_SETS

LINE = 16  # floats of a cache line: rows are padded to whole lines and start at one

# The kernels whose numbers are rounded: otherwise on every backend.
OBJECTIVES = {"skipgram", "cbow", "subword", "hierarchical_softmax", "softmax", "documents", "glove"}
OBJECTIVES |= {"regression", "optimizers", "paragraphs", "ngram_tree", "rounds"}

OURS = [row.name for row in INSTRUCTION_SETS if row.architecture in (None, cpu.architecture())]


def usable(name: str) -> str:
    """Return the name of a backend; skip the test where the processor does not run it."""
    state = kernels.status()[name]
    if state == "not built":
        pytest.fail(f"backend {name} is not built, although it belongs to this architecture")
    if state != "usable":
        pytest.skip(f"backend {name}: {state}")
    return name


@pytest.fixture(scope="session", params=["reference", *OURS])
def backend(request: pytest.FixtureRequest) -> str:
    """Name of a backend of this architecture."""
    return usable(request.param)


@pytest.fixture(scope="session", params=OURS)
def compiled(request: pytest.FixtureRequest) -> str:
    """Name of a backend of this architecture, to hold against the reference."""
    return usable(request.param)


@pytest.fixture(autouse=True)
def no_kernel_trains(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold tests that are marked ``any_backend`` to what the mark says, unless it says ``trains=True``."""
    mark = request.node.get_closest_marker("any_backend")
    if mark and not mark.kwargs.get("trains"):
        get = kernels.get

        def get_no_objective(kernel: str, backend: str | None = None) -> ModuleType:
            assert kernel not in OBJECTIVES, f"{kernel} trains: not for a test marked any_backend"
            return get(kernel, backend)

        monkeypatch.setattr(kernels, "get", get_no_objective)


@pytest.fixture(scope="session", autouse=True)
def processes_without_pytest() -> Iterator[None]:
    """Let processes that are started not import the main module of this one, which is pytest."""
    main = sys.modules["__main__"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main, "__spec__", None)
        patch.delattr(main, "__file__", raising=False)
        yield


def pytest_configure() -> None:
    """Let Ctrl-C be what it is by default: a shell that starts the tests in the background ignores it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that run on every backend, whichever is selected."""
    for item in items:
        if {"backend", "compiled"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("every_backend")


def pad(rows: ArrayLike) -> NDArray[np.float32]:
    """Return a copy as the kernels take it: float32, rows padded with zeros to whole cache lines, aligned."""
    rows = np.asarray(rows, dtype=np.float32)
    stride = -(-rows.shape[1] // LINE) * LINE
    memory = np.zeros(len(rows) * stride + LINE, dtype=np.float32)
    skip = -memory.ctypes.data % (4 * LINE) // 4
    padded = memory[skip : skip + len(rows) * stride].reshape(len(rows), stride)
    padded[:, : rows.shape[1]] = rows
    return padded


@pytest.fixture(scope="session")
def padded() -> Callable[[ArrayLike], NDArray[np.float32]]:
    """Function that copies a matrix into padded, aligned rows."""
    return pad


class ToyCorpus(NamedTuple):
    """Arguments of a kernel's ``train``, under its names, and the probabilities behind two of them."""

    ids: NDArray[np.int32]
    sentence_offsets: NDArray[np.int64]
    n_words: int
    keep_probabilities: NDArray[np.float64]
    noise_probabilities: NDArray[np.float64]


@pytest.fixture(scope="session")
def toy_corpus() -> ToyCorpus:
    """About 250 tokens of 37 words and 3 unknown ones.

    The ids are shuffled: frequent words are anywhere among them, so that an id mistaken for a rank, or for a
    position in the sentence, shows. There are sentences of 0, 1 and 2 words, at both ends too, and one that
    is longer than several chunks.
    """
    random = np.random.default_rng(20)
    n_words, n_unknown = 37, 3
    frequencies = 1 / np.arange(1, n_words + n_unknown + 1)
    random.shuffle(frequencies)
    lengths = [1, 2, 9, 1, 0, 5, 2, 130, 2, 17, 15, 1, 1, 24, 20, 0, 12, 2, 1]
    ids = random.choice(n_words + n_unknown, size=sum(lengths), p=frequencies / frequencies.sum())
    ids[0] = ids[-1] = int(np.argmax(frequencies[:n_words]))  # known words at both ends
    known = frequencies[:n_words] / frequencies[:n_words].sum()
    return ToyCorpus(
        ids=ids.astype(np.int32),
        sentence_offsets=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
        n_words=n_words,
        keep_probabilities=np.minimum(1, np.sqrt(0.03 / known) + 0.03 / known),
        noise_probabilities=known**0.75 / np.sum(known**0.75),
    )


@pytest.fixture(scope="session")
def topics() -> Callable[..., Iterator[list[str]]]:
    """Function that yields sentences of one of three topics each.

    Words of a topic keep company, and all use the same glue.
    """

    def sentences(n_sentences: int = 600, seed: int = 0) -> Iterator[list[str]]:
        random = np.random.default_rng(seed)
        words = [[f"{topic}{i}" for i in range(12)] for topic in ("sea", "sky", "war")]
        glue = ["the", "of", "and"]
        for _ in range(n_sentences):
            topic = words[random.integers(3)]
            yield [str(random.choice(topic if random.random() < 0.7 else glue)) for _ in range(12)]

    return sentences


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """bench/compare.py as a module."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "bench"))
    return importlib.import_module("compare")


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Function that writes a file and returns its path."""

    def write(content: bytes | str, name: str = "text.txt") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[dict[str, Any]]]:
    """Function that keeps the arguments of the calls of a kernel, which with `idle` does nothing else."""

    def watch(kernel: str, idle: bool = False) -> list[dict[str, Any]]:
        module, calls = kernels.get(kernel), []
        train = module.train

        def watched(**arguments: Any) -> tuple[float, int, int]:
            calls.append(arguments)
            return (1.0, 1, 1) if idle else train(**arguments)

        monkeypatch.setattr(module, "train", watched)
        return calls

    return watch


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[Any, str, str]]:
    """Function that runs `fastvec` in this process and returns its status, what it prints, and its errors."""

    def run(*arguments: object) -> tuple[Any, str, str]:
        status: Any
        try:
            status = cli.main([*map(str, arguments)])
        except SystemExit as ended:
            status = ended.code
        return status, *capsys.readouterr()

    return run

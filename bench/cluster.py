"""What a training in lanes sends over a network, and how long clusters would take: a simulation.

Rows of pieces are those of a language whose words are as frequent as Zipf and Mandelbrot say, with the
constants of a text; the rows that pieces of that text use are counted beside it. Times of one processor are
measured on this machine, those of tasks with a local cluster of Ray. All else is assumed, and stated.

    python bench/cluster.py --data FOLDER > bench/cluster.md
"""

import argparse
import contextlib
import datetime
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from math import ceil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from measure import machine
from numpy.typing import NDArray
from rates import Calls, Rates, Trained, calls, counted, rates_of
from tables import place, table
from texts import Data
from words import SKIPGRAM

from fastvec import Corpus
from fastvec.distributed.balance import PERIOD
from fastvec.distributed.rounds import BLOCK_BYTES, WORDS_OF_MACHINE, WORDS_PER_ROW, rounds_of
from fastvec.training.rounds import CHUNK, Rounds

Numbers = NDArray[np.float64]

NODES = 4, 16, 64, 256
CORES = 16  # of a node
BANDWIDTH = 10e9 / 8  # bytes per second of a node, in either direction
SPREAD = 0.05  # standard deviation of the time of a node's lanes in a round, relative to its mean
WORDS = 1e11
GOAL, GOAL_NODES = 0.7, 64
VOCABULARIES, SIZES = (10**5, 10**6, 10**7), (100, 300)
USUAL = 10**6, 100
PIECES = [4_096, 65_536, 1_048_576, 16_777_216, 100_000_000]
ROUND_LENGTHS = [10**7, 10**8, 10**9, 10**10, 10**11]
MEASURED = 1_000_000  # words of the text that rates are measured on
KEPT = {name: SKIPGRAM[name] for name in ("window", "negatives", "min_count", "subsample")}
TEXT = Path("corpus", "simplewiki.txt.gz")
GROUPS = 4_000  # of words that are taken to be equally frequent


class Language:
    """How often words are used, by their rank.

    Parameters
    ----------
    frequencies : array, (n_groups,)
        The frequency of each word of a group; descending, in any unit.
    sizes : array, (n_groups,), optional
        How many words each group has; one by default.
    """

    def __init__(self, frequencies: Numbers, sizes: Numbers | None = None) -> None:
        self.sizes = np.ones(len(frequencies)) if sizes is None else sizes
        share = frequencies / (frequencies @ self.sizes)
        kept = share * np.minimum(1, np.sqrt(KEPT["subsample"] / share) + KEPT["subsample"] / share)
        noise = share**0.75 / (share**0.75 @ self.sizes)
        self.n_words = float(self.sizes.sum())
        # What a word of the text does with each: uses its input, and its output.
        self.uses = kept, kept + KEPT["negatives"] * (kept @ self.sizes) * noise

    @classmethod
    def of_zipf(cls, n_words: int, exponent: float, offset: float) -> "Language":
        """Return one whose words have the frequencies (rank + offset)^−exponent."""
        edges = np.unique(np.geomspace(1, n_words + 1, GROUPS).round())
        middle = np.sqrt(edges[:-1] * (edges[1:] - 1))
        return cls((middle + offset) ** -exponent, np.diff(edges))

    def rows(self, words: float) -> tuple[float, float]:
        """Return how many rows of inputs and outputs a piece of so many words uses, on average."""
        inputs, outputs = (float(self.sizes @ -np.expm1(-words * use)) for use in self.uses)
        return inputs, outputs

    def first_rows(self, words: float, n: float) -> float:
        """Return how many of the first n rows of outputs it uses: those of the busiest block."""
        used = np.append(0, np.cumsum(self.sizes * -np.expm1(-words * self.uses[1])))
        return float(np.interp(n, np.append(0, np.cumsum(self.sizes)), used))


def zipf_of(counts: Numbers) -> tuple[float, float]:
    """Return the exponent and the offset that fit descending counts best, all orders of rank alike."""
    ranks = np.unique(np.geomspace(1, len(counts), 200).astype(int))
    heights = np.log(counts[ranks - 1])

    def line(offset: float) -> tuple[float, float]:
        x = np.log(ranks + offset)
        slope, height = np.polyfit(x, heights, 1)
        return float(((slope * x + height - heights) ** 2).sum()), -float(slope)

    offset = min(np.geomspace(0.1, 1000, 100), key=lambda offset: line(offset)[0])
    return line(offset)[1], float(offset)


class Way(NamedTuple):
    """How lanes are laid out, and what of them travels.

    Attributes
    ----------
    name : str
        What tables call it.
    whole : bool
        Whether blocks are combined by one task each, and fetched whole, or where these are few, by every task
        the rows that it uses. Otherwise those are fetched, each a single time for a node, and rows are dealt
        out to all processors.
    added : bool
        Whether a task trains all lanes of a node and adds up their changes (`lanes_per_worker`).
    lanes : int
        Lanes of a node; the threads of a lane share its piece.
    called : bool
        Whether one process calls all tasks, as Ray's, and not each node the next.
    """

    name: str
    whole: bool = False
    added: bool = False
    lanes: int = CORES
    called: bool = True


WAYS = (
    Way("a lane for a worker", whole=True),
    Way("16 lanes for a worker", whole=True, added=True),
    Way("and used rows", added=True),
    Way("and a lane for a node", added=True, lanes=1),
    Way("and no calling process", added=True, lanes=1, called=False),
)


class Cost(NamedTuple):
    """Seconds of rounds, by what they are spent on; each an array, an entry for every round."""

    training: Numbers
    waiting: Numbers
    fetching: Numbers
    sending: Numbers
    combining: Numbers
    calling: Numbers

    def seconds(self, overlapping: bool) -> Numbers:
        """Return the seconds of each round.

        One thing is done after the other, unless the processors, the network and the calling process never
        wait for each other.
        """
        at_work, travelling = self.training + self.waiting + self.combining, self.fetching + self.sending
        if overlapping:
            return np.maximum(np.maximum(at_work, travelling), self.calling)
        return at_work + travelling + self.calling


class Cluster:
    """A training on some nodes.

    Parameters
    ----------
    language : Language
        What is trained on.
    rates, call : Rates and Calls
        What takes how long.
    way : Way
        What travels.
    nodes : int
        How many nodes there are.
    """

    def __init__(self, language: Language, rates: Rates, call: Calls, way: Way, nodes: int) -> None:
        self.language, self.rates, self.call, self.way, self.nodes = language, rates, call, way, nodes
        self.lanes = nodes * way.lanes
        self.block = max(1, BLOCK_BYTES // rates.row)
        self.blocks = 2 * ceil(language.n_words / self.block)

    def rounds(self, words: float) -> Numbers:
        """Return the words of each round of an epoch."""
        lengths: list[float] = []
        of_training: Any = SimpleNamespace(lanes=self.lanes, per_epoch=rounds_of(self.lanes))
        done = CHUNK * ceil(Rounds.n_before(of_training, int(words)) / CHUNK)
        while done < words:
            n_chunks = Rounds.n_chunks(of_training, int(words), done)
            lengths.append(min(CHUNK * n_chunks, words - done))
            done += CHUNK * n_chunks
        return np.array(lengths)

    def cost(self, lengths: Numbers) -> Cost:
        """Return what rounds of these lengths cost."""
        rates, way, nodes = self.rates, self.way, self.nodes
        lanes = np.minimum(self.lanes, np.ceil(lengths / CHUNK))  # which have a chunk
        pieces, of_node = lengths / lanes, np.ceil(lanes / nodes)
        busy = np.minimum(nodes, lanes)
        rows = self._interpolated(lambda n: sum(self.language.rows(n)), pieces)
        of_all = self._interpolated(lambda n: sum(self.language.rows(n)), pieces * of_node)
        n_rows = 2 * self.language.n_words
        all_rows = pieces >= WORDS_PER_ROW * self.language.n_words
        of_words = pieces * (rates.word + rates.found * ~all_rows)
        of_rows = np.where(all_rows, n_rows, rows) * rates.used
        training = (of_words + of_rows) * rates.slowdown * way.lanes / CORES
        drawn = 1 + SPREAD * np.random.default_rng(0).standard_normal((len(lengths), nodes))
        abroad = (nodes - 1) / nodes
        sent = of_all if way.added else rows * of_node
        few = way.whole * (lengths < WORDS_OF_MACHINE * nodes * self.language.n_words)
        fetched = np.where(few, sent, n_rows) if way.whole else of_all
        received = sent * busy / nodes
        added = rates.added * (1 + few)  # selected as well
        combining = (sent * busy * added + n_rows * rates.combined) / (CORES * nodes)
        if way.whole:
            senders, of_sender = (busy, pieces * of_node) if way.added else (lanes, pieces)
            first = senders * self._interpolated(lambda n: self.language.first_rows(n, self.block), of_sender)
            received = np.maximum(received, first)
            at_least = first * added + min(self.block, self.language.n_words) * rates.combined
            combining = np.maximum(combining, at_least)
        if way.added and way.lanes > 1:
            combining = combining + rows * of_node * rates.added / CORES
        tasks = busy if way.added else lanes
        owners = self.blocks if way.whole else nodes
        parts = tasks * owners
        calling = ((tasks + owners) * (1 + few) + owners * 3 / PERIOD) * self.call.task
        calling = calling + parts * (1 + 2 * few) * self.call.part
        calling = calling + tasks * (rates.summary + (rates.told + rates.task) / BANDWIDTH)
        return Cost(
            training=training,
            waiting=training * (np.maximum(drawn.max(axis=1), 1) - 1),
            fetching=fetched * rates.row * abroad / BANDWIDTH,
            sending=np.maximum(sent, received) * rates.change * abroad / BANDWIDTH,
            combining=combining,
            calling=calling * way.called,
        )

    def at_best(self, words: float | Numbers) -> Any:
        """Return the seconds in which all processors would train on so many words without lanes."""
        return words * self.rates.plain * self.rates.slowdown / (CORES * self.nodes)

    def seconds(self, words: float, overlapping: bool) -> float:
        """Return how long a training takes: its rounds, and what comes before the first one."""
        lengths = self.rounds(words)
        return self.alone(words - lengths.sum()) + float(self.cost(lengths).seconds(overlapping).sum())

    def alone(self, words: float) -> float:
        """Return how long a training on so many words takes on the processors of a lane, without lanes."""
        return words * self.rates.plain * self.way.lanes / CORES

    def efficiency(self, words: float, overlapping: bool) -> float:
        """Return the share of the time of a training in which the same would be done without lanes."""
        return float(self.at_best(words)) / self.seconds(words, overlapping)

    def efficiencies(self, lengths: Numbers, overlapping: bool) -> Numbers:
        """Return that of rounds of these lengths."""
        found: Numbers = self.at_best(lengths) / self.cost(lengths).seconds(overlapping)
        return found

    @staticmethod
    def _interpolated(function: Callable[[float], float], at: Numbers) -> Numbers:
        """Return the values of a smooth function, found at some points only."""
        points = np.geomspace(at.min(), max(at.max(), at.min() * 1.01), 60)
        found: Numbers = np.interp(at, points, [function(float(point)) for point in points])
        return found


def least_length(cluster: Cluster, overlapping: bool) -> float | None:
    """Return the shortest length of rounds with which the goal is reached, if any is."""
    lengths = np.geomspace(CHUNK * cluster.lanes, WORDS, 500)
    good = lengths[cluster.efficiencies(lengths, overlapping) >= GOAL]
    return float(good[0]) if len(good) else None


def in_both(value: Callable[[bool], str]) -> str:
    """Return what is said of one thing after the other, and of overlapping ones."""
    return f"{value(False)} / {value(True)}"


def short(number: float) -> str:
    """Return a number with three digits and a letter for its thousands."""
    for unit, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= 0.9995 * unit:
            return f"{number / unit:.3g}{name}"
    return f"{number:.3g}"


def ratio(number: float) -> str:
    return f"{number:.3f}" if number >= 0.001 else "< 0.001"


def by(columns: Sequence[Any], names: Sequence[str], value: Callable[[Any, Any], str]) -> dict[str, Any]:
    """Return columns, by their names, of what a function says of a row and each of them."""
    return {
        name: lambda row, column=column: value(row, column)
        for name, column in zip(names, columns, strict=True)
    }


def rows_table(trained: Trained, own: Language, zipf: Language) -> str:
    """Return how many rows pieces use: counted, and expected."""
    lengths = sorted({*PIECES, 16_384, 262_144, 4_194_304})
    rows = [(short(words), (words, found)) for words, found in counted(trained, lengths)]
    columns: dict[str, Any] = {}
    for side, name in enumerate(("inputs", "outputs")):
        columns[f"{name}, counted"] = lambda row, side=side: f"{row[1][side]:,}"
        columns[f"{name}, by its counts"] = lambda row, side=side: f"{own.rows(row[0])[side]:,.0f}"
        columns[f"{name}, by Zipf's law"] = lambda row, side=side: f"{zipf.rows(row[0])[side]:,.0f}"
    return table(rows, columns)


def bytes_table(languages: dict[int, Language], rates: dict[int, Rates]) -> str:
    """Return the bytes for a word of a lane."""

    def value(row: tuple[int, int], words: int) -> str:
        n_words, d = row
        own, rate = languages[n_words], rates[d]
        fetched = sum(own.rows(CORES * words)) * rate.row / CORES / words
        return f"{short(fetched)} + {short(sum(own.rows(words)) * rate.change / words)}"

    rows = [(f"{short(n)} words, d={d}", (n, d)) for n in VOCABULARIES for d in SIZES]
    return table(rows, by(PIECES, [f"pieces of {short(n)}" for n in PIECES], value))


def told_table(language: Language, rates: dict[int, Rates]) -> str:
    """Return what travels beside rows, for a lane and a round."""
    columns = {
        "guides and position": lambda d: f"{rates[d].task:,}",
        "curvature, losses and balance": lambda d: f"{rates[d].told:,}",
        "directions, for a block": lambda d: f"{rates[d].pull:,}",
        **{
            f"rows of {short(words)}": lambda d, words=words: (
                f"{sum(language.rows(words)) * rates[d].change:,.0f}"
            )
            for words in PIECES[:3]
        },
    }
    return table([(f"d={d}", d) for d in SIZES], columns)


def nodes_table(cluster: Callable[[Way, int], Cluster]) -> str:
    """Return seconds and efficiencies of clusters."""
    rows = [(f"{way.name}, {nodes} nodes", (way, nodes)) for way in WAYS for nodes in NODES]
    found = {}
    for name, (way, nodes) in rows:
        one = cluster(way, nodes)
        lengths = one.rounds(WORDS)
        found[name] = one, lengths, one.cost(lengths)
    parts: dict[str, Any] = {
        "alone": lambda item: f"{item[0].alone(WORDS - item[1].sum()):,.0f}",
        **{name: lambda item, name=name: f"{getattr(item[2], name).sum():,.0f}" for name in Cost._fields},
    }
    columns: dict[str, Any] = {
        "lanes": lambda item: f"{item[0].lanes:,}",
        "rounds": lambda item: f"{len(item[1]):,}",
        "seconds": lambda item: f"{item[0].seconds(WORDS, False):,.0f}",
        "overlapping": lambda item: f"{item[0].seconds(WORDS, True):,.0f}",
        "at best": lambda item: f"{item[0].at_best(WORDS):,.0f}",
        "efficiency": lambda item: in_both(lambda overlapping: ratio(item[0].efficiency(WORDS, overlapping))),
        **parts,
    }
    return table([*found.items()], columns)


def lengths_table(cluster: Callable[[Way, int], Cluster]) -> str:
    """Return efficiencies by the length of rounds, and the length that reaches the goal."""

    def value(way: Way, length: int) -> str:
        one, round_ = cluster(way, GOAL_NODES), np.array([float(length)])
        return in_both(lambda overlapping: ratio(one.efficiencies(round_, overlapping)[0]))

    def least(way: Way, cheap: bool) -> str:
        one = cluster(way, GOAL_NODES)
        if cheap:
            one.rates = one.rates._replace(word=one.rates.plain, found=0, used=0)
        found = (least_length(one, overlapping) for overlapping in (False, True))
        return " / ".join("none" if n is None else short(n) for n in found)

    columns = by(ROUND_LENGTHS, [short(n) for n in ROUND_LENGTHS], value)
    columns[f"{GOAL:g} from"] = partial(least, cheap=False)
    columns[f"{GOAL:g} from, if lanes cost no more than training"] = partial(least, cheap=True)
    columns["longest allowed"] = lambda way: short(float(cluster(way, GOAL_NODES).rounds(WORDS).max()))
    return table([(way.name, way) for way in WAYS], columns)


def sizes_table(cluster: Callable[[Way, int, int, int], Cluster]) -> str:
    """Return efficiencies by vocabulary and length of vectors."""

    def value(row: tuple[int, int], way: Way) -> str:
        one = cluster(way, GOAL_NODES, *row)
        return in_both(lambda overlapping: ratio(one.efficiency(WORDS, overlapping)))

    rows = [(f"{short(n)} words, d={d}", (n, d)) for n in VOCABULARIES for d in SIZES]
    return table(rows, by(WAYS, [way.name for way in WAYS], value))


def rates_table(rates: dict[int, Rates]) -> str:
    """Return what was measured."""
    nanoseconds = {
        "a word, without lanes": "plain",
        "a word of a lane": "word",
        "its rows, found": "found",
        "a row that it uses": "used",
        "a change, combined": "added",
        "a row of a matrix, combined": "combined",
        "what a lane tells": "summary",
    }
    columns: dict[str, Any] = {
        name: lambda d, field=field: f"{1e9 * getattr(rates[d], field):,.0f} ns"
        for name, field in nanoseconds.items()
    }
    columns["all processors at once"] = lambda d: f"{rates[d].slowdown:.2f}× as long"
    return table([(f"d={d}", d) for d in SIZES], columns)


def tables(whole: Trained, counts: Numbers, rates: dict[int, Rates], call: Calls) -> dict[str, str]:
    """Return all tables by their titles, from what was counted and measured."""
    exponent, offset = zipf_of(counts)
    languages = {n: Language.of_zipf(n, exponent, offset) for n in VOCABULARIES}
    of_text = Language(counts), Language.of_zipf(len(counts), exponent, offset)

    def cluster(way: Way, nodes: int, n_words: int = USUAL[0], d: int = USUAL[1]) -> Cluster:
        return Cluster(languages[n_words], rates[d], call, way, nodes)

    law = f"Zipf's law: the frequency of a word is in proportion to (rank + {offset:.3g})^−{exponent:.3g}."
    ray = f"A task of Ray takes {1e3 * call.task:.2f} ms, and a part of a result {1e6 * call.part:.0f} µs."
    return {
        "Rows of a piece": f"{rows_table(whole, *of_text)}\n\n{law}",
        "Bytes for a word of a lane": bytes_table(languages, rates),
        "Bytes beside rows": told_table(languages[USUAL[0]], rates),
        "Rates": f"{rates_table(rates)}\n\n{ray}",
        "Clusters": nodes_table(cluster),
        "Lengths of rounds": lengths_table(cluster),
        "Vocabularies": sizes_table(cluster),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--data", type=Path, metavar="FOLDER", required=True)
    cli.add_argument("--corpus", type=Path, metavar="FILE", help="a text instead of the folder's")
    cli.add_argument("--task-seconds", type=float, help="of a task, instead of measuring it with Ray")
    given = cli.parse_args(arguments)
    data, load = Data(given.data, given.corpus or given.data / TEXT), os.getloadavg()[0]
    with contextlib.redirect_stdout(sys.stderr):
        text, beginning = data.text(), data.text(MEASURED)
    corpus, start = Corpus(text["file"]), Corpus(beginning["file"])
    call = calls() if given.task_seconds is None else Calls(given.task_seconds, 0.0)
    rates = {d: rates_of(Trained.on(start, vector_size=d, **KEPT)) for d in SIZES}
    whole = Trained.on(corpus, until_first=True, vector_size=1, **KEPT)
    counts = corpus.vocabulary.counts[corpus.vocabulary.counts >= KEPT["min_count"]].astype(np.float64)
    found = tables(whole, counts, rates, call)
    print("Generated by `python bench/cluster.py`; do not edit.\n")
    print(f"{text['data']}; rates on {start.n_tokens / 1e6:.1f} M words, load {load:.1f} before.")
    print(f"{place({'machine': machine(), 'date': datetime.date.today().isoformat()})}.")
    for title, content in found.items():
        print(f"\n## {title}\n\n{content}")


if __name__ == "__main__":
    main()

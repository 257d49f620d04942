"""What tests use of fastvec's inside: all have it from here, so that what moves in there is mended once.

`test_house.py` lists the few files that test a part of the inside itself, and import that.
"""

import pkgutil

from fastvec import formats
from fastvec.cli.examples import EXAMPLES
from fastvec.corpus.writing import write_text
from fastvec.counts.glove_files import RECORD
from fastvec.distributed.balance import Balance
from fastvec.distributed.directions import Side, pulls
from fastvec.formats.atomic import replacing
from fastvec.formats.fasttext import FastTextFile, read_model, write_model
from fastvec.formats.ngrams import row_means
from fastvec.formats.spool import preallocate
from fastvec.formats.supervised import SupervisedFile
from fastvec.formats.supervised import read as read_supervised
from fastvec.formats.supervised import write as write_supervised
from fastvec.formats.words import WORD_LIMIT
from fastvec.models.association import association
from fastvec.peers import names as peers_names
from fastvec.training.copies import Copies
from fastvec.training.huffman import HuffmanTree
from fastvec.training.rounds import Rounds, pieces_of
from fastvec.training.tables import alias_table, keep_thresholds
from fastvec.training.team import Team
from fastvec.training.threads import usable_threads
from fastvec.vectors.vectors import unit_rows

__all__ = [
    "EXAMPLES",
    "RECORD",
    "WORD_LIMIT",
    "Balance",
    "Copies",
    "FastTextFile",
    "HuffmanTree",
    "Rounds",
    "Side",
    "SupervisedFile",
    "Team",
    "alias_table",
    "association",
    "keep_thresholds",
    "peers_names",
    "pieces_of",
    "preallocate",
    "pulls",
    "read_model",
    "read_supervised",
    "replacing",
    "row_means",
    "unit_rows",
    "usable_threads",
    "write_model",
    "write_supervised",
    "write_text",
]

# Sizes that nothing small would reach, or fill.
SIZES = {
    "compressed_block": "corpus.reading.COMPRESSED_BLOCK_BYTES",
    "contexts_at_once": "counts.runs.CONTEXTS_AT_ONCE",
    "cosines_at_once": "vectors.nearest.COSINES_AT_ONCE",
    "counted_chunk": "counts.counting.CHUNK",
    "dense_matrix": "models.arpack.DENSE",
    "entries_at_once": "models.association.ENTRIES_AT_ONCE",
    "entries_read": "counts.files.ENTRIES_AT_ONCE",
    "entries_written": "counts.cooccurrence.ENTRIES_AT_ONCE",
    "documents_at_once": "classify.texts.documents.DOCUMENTS_AT_ONCE",
    "fasttext_block": "formats.fasttext.BLOCK_BYTES",
    "file_threads": "training.threads.file_threads_here",
    "few_words": "classify.words.network.FEW_WORDS",
    "entries_among_words": "models.some_rows.FEWEST_ENTRIES",
    "fewest_entries": "counts.runs.FEWEST_ENTRIES",
    "fewest_records": "counts.triples.FEWEST_RECORDS",
    "fewest_rows": "vectors.nearest.FEWEST_ROWS",
    "fewest_tokens": "counts.counting.FEWEST_TOKENS",
    "hashed_block": "formats.container.BLOCK_BYTES",
    "glove_chunk": "models.glove.CHUNK",
    "before_rounds": "training.rounds.BEFORE_ROUNDS",
    "growth_of_rounds": "training.rounds.GROWTH",
    "lane_chunk": "distributed.lanes.CHUNK",
    "lost_workers": "distributed.processes.LOST_WORKERS",
    "many_words": "models.words.MANY_WORDS",
    "multiply_adds_at_once": "classify.networks.network.MULTIPLY_ADDS_AT_ONCE",
    "nodes_at_once": "graphs.walks.NODES_AT_ONCE",
    "numbered_at_once": "distributed.texts.WORDS_AT_ONCE",
    "block_of_rows": "distributed.rounds.BLOCK_BYTES",
    "ranges_of_rows": "distributed.rounds.RANGES",
    "numbers_at_once": "vectors.common.NUMBERS_AT_ONCE",
    "parts_of_tiles": "distributed.tiles.PARTS",
    "part_of_file": "distributed.cuts.PART_BYTES",
    "phrases_chunk": "models.phrases.CHUNK",
    "pieces_of_text": "corpus.ids.PIECE_BYTES",
    "plain_block": "corpus.reading.PLAIN_BLOCK_BYTES",
    "queries_at_once": "vectors.nearest.QUERIES_AT_ONCE",
    "results_at_once": "vectors.nearest.RESULTS_AT_ONCE",
    "short_text": "training.passes.SHORT_TEXT",
    "shortest_text": "training.held_out.SHORTEST_TEXT",
    "spooled_block": "formats.spool.BLOCK_ITEMS",
    "standard_input_block": "cli.streams.BLOCK_BYTES",
    "starting_numbers_at_once": "training.matrices.NUMBERS_AT_ONCE",
    "starting_numbers_of_texts": "classify.texts.classifier.NUMBERS_AT_ONCE",
    "text_block": "formats.glove.TEXT_BYTES",
    "triples_at_once": "counts.triples.TRIPLES_AT_ONCE",
    "windows_at_once": "classify.words.network.WINDOWS_AT_ONCE",
    "words_chunk": "models.words.CHUNK",
    "work_of_thread": "classify.texts.classifier.WORK_OF_THREAD",
    "words_written": "corpus.writing.WORDS_AT_ONCE",
    "words_per_row": "distributed.rounds.WORDS_PER_ROW",
    "words_of_machine": "distributed.rounds.WORDS_OF_MACHINE",
    "zeros": "formats.spool.ZEROS",
    "letters_at_once": "corpus.kmers.LETTERS_AT_ONCE",
    "column_bytes": "corpus.columns.BYTES_AT_ONCE",
    "column_piece": "corpus.columns.PIECE_BYTES",
    "column_items": "corpus.columns.ITEMS_AT_ONCE",
    "words_asked": "evaluate.words.WORDS_AT_ONCE",
    "scores_at_once": "evaluate.items.SCORES_AT_ONCE",
    "words_at_once": "vectors.inference.WORDS_AT_ONCE",
    "longest_session": "models.sessions.LONGEST",
    "measured_seconds": "models.trials.MEASURED",
    "ngrams_of_trials": "models.trials.NGRAM_BYTES",
    "numbers_planned_at_once": "models.footprint.NUMBERS_AT_ONCE",
    "piece_of_large_text": "corpus.excerpts.PIECE_BYTES",
    "warm_up_seconds": "models.trials.WARM_UP",
    "whole_text": "corpus.excerpts.WHOLE_BYTES",
    "words_with_rows": "models.some_rows.FEWEST_WORDS",
}

# Functions that tests watch, put an error into, or call.
FUNCTIONS = {
    "connect": "distributed.clusters.connect",
    "check_reachable": "distributed.clusters.check_reachable",
    "connect_for_tiles": "distributed.tiles.connect",
    "train_range": "distributed.tiles.train_range",
    "train_part": "distributed.tiles.TilesElsewhere.train",
    "add_sibling": "distributed.calls.Siblings.add",
    "next_slow": "distributed.calls.Siblings.next_slow",
    "train_lanes": "distributed.rounds.train_lanes",
    "machines": "distributed.engine.Engine.machines",
    "train_round": "distributed.rounds.LaneRounds.train",
    "backward": "classify.networks.network.backward",
    "best_threshold": "classify.words.ranker._best_threshold",
    "encode": "corpus.corpus.encode",
    "corpus_threads": "corpus.ids.file_threads",
    "epoch": "training.loop.Epoch",
    "fast_rows": "formats.glove._fast_rows",
    "in_tiles": "models.glove.in_tiles",
    "multiply": "models.arpack.Product.__call__",
    "penalty": "classify.networks.network.penalty",
    "set_a_flag": "training.signals.set_a_flag",
    "setting": "distributed.engine.Setting.here",
    "sgd_step": "classify.networks.optimizers.SGD.step",
    "split_held_out": "classify.networks.fitting.split_held_out",
    "split_texts": "classify.texts.classifier.split_held_out",
    "sum_rows": "classify.words.network.sum_rows",
    "read_blocks": "corpus.ids.read_blocks",
    "quantize_matrix": "classify.texts.quantization.quantize_matrix",
    "read_documents": "classify.texts.documents.read_documents",
    "spans_of": "classify.spans.spans_of",
    "text_threads": "formats.glove.file_threads",
    "top_scores": "classify.texts.scores.top_scores",
    "train": "models.base.train",
    "train_texts": "classify.texts.classifier.train",
    "usable_threads": "training.threads.usable_threads",
    "workers": "counts.counting.Workers",
}


def set_sizes(monkeypatch, **sizes):
    """Put other sizes in the place of some of `SIZES`."""
    for name, size in sizes.items():
        monkeypatch.setattr(f"fastvec.{SIZES[name]}", size)


def inner(name):
    """Return one of `FUNCTIONS`."""
    return pkgutil.resolve_name(f"fastvec.{FUNCTIONS[name]}")


def put(monkeypatch, name, function):
    """Put a function in the place of one of `FUNCTIONS`."""
    monkeypatch.setattr(f"fastvec.{FUNCTIONS[name]}", function)


def wrap(monkeypatch, name, wrapper):
    """Let `wrapper`, which is given one of `FUNCTIONS` and then its arguments, stand in its place."""
    function = inner(name)
    put(monkeypatch, name, lambda *given, **named: wrapper(function, *given, **named))


def results_of(monkeypatch, name):
    """Return a list to which all that one of `FUNCTIONS` returns is added from now on."""
    results = []

    def keep(function, *given, **named):
        results.append(function(*given, **named))
        return results[-1]

    wrap(monkeypatch, name, keep)
    return results


def watch_chunks(monkeypatch, begun):
    """Call `begun` whenever a thread begins a chunk of a training."""

    def train(real, train_chunk, *given, **named):
        def watched(**chunk):
            if chunk["learning_rate"] > 0:  # not to score what is held out
                begun()
            return train_chunk(**chunk)

        return real(watched, *given, **named)

    wrap(monkeypatch, "train", train)


def write_vectors(path, words, vectors, **more):
    """Write words and vectors as they are, checked by nothing."""
    formats.write(path, formats.Contents(words, vectors, **more))


def as_on_windows(monkeypatch):
    """Let files be replaced as on Windows, where some are waited for that are open, and not for long."""
    monkeypatch.setattr("fastvec.formats.atomic.WINDOWS", True)
    monkeypatch.setattr("fastvec.formats.atomic.WAITS", (0, 0.1, 0.2))
    monkeypatch.setattr("fastvec.cli.WINDOWS", True)


def without_derivative(monkeypatch, activation):
    """Let networks take 1 for the derivative of an activation."""
    activations = pkgutil.resolve_name("fastvec.classify.networks.layers.ACTIVATIONS")
    monkeypatch.setitem(activations, activation, (activations[activation][0], lambda values: values * 0 + 1))

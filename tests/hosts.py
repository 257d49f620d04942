"""What `test_hosts` runs on a cluster of several machines: ``python hosts.py ADDRESS TEXT FOLDER``."""

import sys
from functools import partial
from pathlib import Path

import calls
import pytest
from inside import inner, put, set_sizes, wrap

from fastvec import SkipGram, distributed


def found(text, cluster, folder):
    """Count, and train lanes that are sent few rows; return the bytes of both.

    A file says which round has begun.
    """
    counts = distributed.count(text, cluster=cluster, min_count=1)
    counts.save(folder / "counts.fvcounts")
    n_rounds = iter(range(1, 1000))

    def train(train_round, *of_round):
        (folder / "round").write_text(str(next(n_rounds)), encoding="utf-8")
        return train_round(*of_round)

    with pytest.MonkeyPatch.context() as monkeypatch:
        set_sizes(monkeypatch, growth_of_rounds=1e6, words_per_row=10, words_of_machine=10)
        wrap(monkeypatch, "train_round", train)
        put(monkeypatch, "train_lanes", partial(calls.train_selected_or_whole, inner("train_lanes")))
        model = SkipGram(vector_size=16, min_count=1, epochs=3)
        distributed.fit(model, text, lanes=4, rounds=8, cluster=cluster)
    learned = model.vectors_.vectors.tobytes() + model.output_vectors_.tobytes()
    return (folder / "counts.fvcounts").read_bytes(), learned


if __name__ == "__main__":
    address, text, folder = sys.argv[1:]
    try:
        counts, learned = found(text, address, Path(folder))
    except (OSError, RuntimeError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
    Path(folder, "counts").write_bytes(counts)
    Path(folder, "learned").write_bytes(learned)

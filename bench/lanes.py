"""Lanes that train side by side, in rounds: their quality and processor time beside one machine's."""

from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

from measure import Contender, Job, Measurement, estimator_of, named
from sequences import BASKETS, GRAPH, SKIPGRAM, TEXT, baskets, graph
from words import SCORES, scored_text


def in_lanes(job: Job) -> dict[str, Any]:
    """Train all lanes in this process, one after the other: the result is that of any cluster."""
    corpus, start = named("fastvec.Corpus")(job["file"]), process_time()
    how = {name: job[name] for name in ("lanes", "rounds", "lanes_per_worker")}
    model = named("fastvec.distributed.fit")(estimator_of(job), corpus, **how)
    seconds = process_time() - start
    model.vectors_.save(Path(job["folder"], "vectors.fvec"))
    return {"per_second": job["epochs"] * job["words"] / seconds, "vectors": lambda: model.vectors_}


def contender(lanes: int, rounds: int, lanes_per_worker: int = 1) -> Contender:
    name = f"{lanes} lanes, {rounds} rounds an epoch" if lanes > 1 else "one lane"
    if lanes_per_worker > 1:
        name += f", {lanes_per_worker} for a worker"
    how = {"lanes": lanes, "rounds": rounds, "lanes_per_worker": lanes_per_worker}
    return Contender(name, in_lanes, {**SKIPGRAM, **how})


CONTENDERS = contender(1, 1), contender(2, 8), contender(16, 64), contender(64, 64), contender(64, 64, 16)


def compared(name: str, what: str, data: Any, scores: str, settings: Job) -> Measurement:
    columns = f"words/s | against {{base}} | {scores} | seeds"
    return Measurement(name, f"Lanes: {what}", CONTENDERS, columns, data, settings, "one lane", threads=(1,))


LASTFM = partial(graph, name="lastfm_asia_edges.csv", per_node=10)
GROCERIES = partial(baskets, name="groceries.csv", separator=",")
MEASUREMENTS = (
    compared("lanes-text", "text", scored_text, SCORES, TEXT),
    compared("lanes-walks", "walks, friends on LastFM", LASTFM, "AUC | AUC, regression", GRAPH),
    compared("lanes-baskets", "baskets of a grocery", GROCERIES, "HR@10 | MRR", {**BASKETS, "epochs": 100}),
)

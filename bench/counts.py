"""Counts of pairs of words, and what is made of them: GloVe, and PPMI with its SVD."""

import resource
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

from measure import ALL, Contender, Job, Measurement, estimator_of, named, timed, timed_training
from texts import Data
from words import FASTVEC, SCORES, SPEED, scored_text, whole

# GloVe C's programs, as in its demo; revisions from July 2019 on clip gradients, unlike the published scheme.
PROGRAMS = {
    "vocab_count": "-min-count {min_count} < {file} > vocabulary",
    "cooccur": "-symmetric 1 -window-size {window} -vocab-file vocabulary -memory 4.0 < {file} > records",
    "shuffle": "-memory 4.0 < records > shuffled",
    "glove": "-vector-size {vector_size} -threads {threads} -iter {epochs} -x-max {x_max} -alpha {alpha} "
    "-eta {learning_rate} -binary 0 -input-file shuffled -vocab-file vocabulary -save-file vectors",
}


def run(job: Job, *programs: str) -> None:
    """Run programs of GloVe C in the folder of a job."""
    for program in programs:
        if shutil.which(program) is None:
            raise ModuleNotFoundError(f"{program} is not on the PATH", name=f"{program} of GloVe C")
        options = PROGRAMS[program].format(**{**job, "file": shlex.quote(job["file"])})
        subprocess.run(f"{program} -verbose 0 {options}", shell=True, cwd=job["folder"], check=True)


def peak_of_programs() -> int:
    """Return the most memory that a program run by this process has held."""
    return 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


def counting(job: Job) -> dict[str, Any]:
    counts, seconds = timed(estimator_of(job).fit, named("fastvec.Corpus")(job["file"]))
    return {"per_second": job["words"] / seconds, "entries": counts.n_entries_}


def glove_c_counting(job: Job) -> dict[str, Any]:
    run(job, "vocab_count")
    _, seconds = timed(run, job, "cooccur")
    entries = Path(job["folder"], "records").stat().st_size // 16
    return {"per_second": job["words"] / seconds, "entries": entries, "peak_bytes": peak_of_programs()}


def counts_of(job: Job) -> Any:
    return named("fastvec.Cooccurrence").load(job["counts"])


def glove(job: Job) -> dict[str, Any]:
    epochs = estimator_of(job).fit(counts_of(job)).history_
    return {"per_second": sum(epoch.pairs for epoch in epochs) / sum(epoch.seconds for epoch in epochs)}


def glove_c_training(job: Job) -> dict[str, Any]:
    counts = counts_of(job)  # the same for both
    counts.write_glove(Path(job["folder"], "records"), Path(job["folder"], "vocabulary"))
    run(job, "shuffle")
    _, _, seconds = timed_training(lambda epochs: run({**job, "epochs": epochs}, "glove"), job["epochs"])
    return {"per_second": job["epochs"] * counts.n_entries_ / seconds}


def glove_c(job: Job) -> dict[str, Any]:
    run(job, *PROGRAMS)
    path = Path(job["folder"], "vectors.txt")
    return {"peak_bytes": peak_of_programs(), "vectors": lambda: named("fastvec.load")(path, format="glove")}


def svd(job: Job) -> dict[str, Any]:
    model, seconds = timed(estimator_of(job).fit, counts_of(job))
    return {"seconds": seconds, "vectors": lambda: model.vectors_}


def scored_counts(data: Data) -> Job:
    return {**scored_text(data), "counts": data.made("Cooccurrence", WINDOWS, ".fvcounts")}


def counts_alone(data: Data) -> Job:
    return {**data.text(), "counts": data.made("Cooccurrence", WINDOWS, ".fvcounts")}


C, BOTH = "GloVe C", (1, ALL)
WINDOWS = {"window": 10, "min_count": 5}
SIZES = {"vector_size": 100, **WINDOWS}
COOCCURRENCE = {"estimator": "Cooccurrence", **WINDOWS}
GLOVE = {"estimator": "GloVe", **SIZES, "x_max": 100, "alpha": 0.75, "learning_rate": 0.05, "epochs": 1}
PPMI = {"estimator": "PPMI_SVD", **SIZES, "shift": 1, "context_smoothing": 0.75, "eigenvalue_weighting": 0.5}
COUNTING = "threads | words/s | against {base} | against one thread | peak memory | entries"
TRAINING, QUALITY = SPEED.replace("words", "entries"), f"time | peak memory | {SCORES}"
COUNTERS = (
    Contender("fastvec", counting),
    Contender("fastvec (256 MB)", counting, {"memory_limit": 2**28}),
    Contender(C, glove_c_counting, threads=(1,)),
)
TRAINERS = Contender("fastvec", glove), Contender(C, glove_c_training, threads=(1,))
FROM_TEXT = Contender(C, glove_c, slow=True)
SVD = (Contender("fastvec", svd),)
TITLE = "Training speed of GloVe, 100 dimensions"

MEASUREMENTS = (
    Measurement("counting", "Counting pairs of words", COUNTERS, COUNTING, Data.text, COOCCURRENCE, C, BOTH),
    Measurement("glove-100", TITLE, TRAINERS, TRAINING, counts_alone, GLOVE, C, BOTH),
    Measurement("svd-100", "PPMI and its SVD, from counts to vectors", SVD, QUALITY, scored_counts, PPMI),
    whole("glove-whole", ": GloVe", {**GLOVE, "epochs": 25}, FASTVEC, FROM_TEXT, base=C),
)

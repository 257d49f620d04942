"""fastText's supervised mode: languages of sentences, tags of packages, and the search of parameters."""

import json
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import measure
from classifiers import read_polarity, write_labelled
from measure import Contender, Job, Measurement, estimator_of, renamed, timed
from texts import CACHE, Data, kept
from words import FRESH_PAGES

FASTTEXT = """word_ngrams=wordNgrams min_n=minn max_n=maxn learning_rate=lr epochs=epoch buckets=bucket
vector_size=dim threads=thread seed fasttext_loss=loss"""
# What a search of parameters begins with.
SEARCH = "threads=thread seed seconds=autotuneDuration valid=autotuneValidationFile"
# Seconds in which fastText's search shows that its timer runs, and how often it may begin anew.
UNTIL_SHOWN, ATTEMPTS = 20.0, 20
# What is started with a job as its last argument, to print its figures.
COMMAND = [sys.executable, measure.__file__, "supervised.search_of_fasttext"]


def fastvec(job: Job) -> dict[str, Any]:
    classifier, seconds = timed(estimator_of(job).fit, job["train"])
    return {"seconds": seconds, **of_fastvec(job, classifier)}


def fastvec_search(job: Job) -> dict[str, Any]:
    from fastvec.classify import autotune

    options = {"validation": job["valid"], "seconds": job["seconds"]}
    classifier, seconds = timed(lambda: autotune(estimator_of(job), job["train"], **options, fixed=[]))
    return {"seconds": seconds, "trials": len(classifier.trials_), **of_fastvec(job, classifier)}


def of_fastvec(job: Job, classifier: Any) -> dict[str, Any]:
    path = Path(job["folder"], "classifier.fvmodel")
    classifier.save(path)
    first, five = (classifier.score_top(job["test"], k=k) for k in (1, 5))
    return scores(first.precision, five.recall, path)


def fasttext(job: Job) -> dict[str, Any]:
    import fasttext

    model, seconds = timed(
        lambda: fasttext.train_supervised(job["train"], verbose=0, **renamed(job, FASTTEXT))
    )
    return {"seconds": seconds, **of_fasttext(job, model)}


def fasttext_search(job: Job) -> dict[str, Any]:
    """Search in a process of its own, begun anew if its timer does not run.

    fastText 0.9.3 starts the thread of its timer before it sets what that thread looks at first. If the
    thread is quicker, it ends at once, and the search never does: about one in six on a busy machine.
    """
    for _ in range(ATTEMPTS):
        with Path(job["folder"], "shown").open("w+b") as shown:
            command = [*COMMAND, json.dumps(job)]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=shown, text=True)
            started = time.monotonic()
            while (
                process.poll() is None and time.monotonic() < started + UNTIL_SHOWN and not shows(shown.name)
            ):
                time.sleep(0.1)
            if shows(shown.name) or process.poll() is not None:
                out, _ = process.communicate()
                if process.returncode:
                    errors = Path(shown.name).read_text(encoding="utf-8")
                    sys.exit(measure.last_line(errors, process.returncode))
                return dict(json.loads(out.splitlines()[-1]))
            process.kill()
            process.communicate()
    raise RuntimeError("fastText's timer never ran")


def shows(path: str) -> bool:
    return b"Progress" in Path(path).read_bytes()


def search_of_fasttext(job: Job) -> dict[str, Any]:
    import fasttext

    options = renamed({**job, "seconds": math.ceil(job["seconds"])}, SEARCH)
    model, seconds = timed(lambda: fasttext.train_supervised(job["train"], verbose=3, **options))
    return {"seconds": seconds, **of_fasttext(job, model)}


def of_fasttext(job: Job, model: Any) -> dict[str, Any]:
    path = Path(job["folder"], "classifier.bin")
    model.save_model(str(path))
    (_, precision, _), (_, _, recall) = (model.test(job["test"], k=k) for k in (1, 5))
    return scores(precision, recall, path)


def scores(precision: float, recall: float, path: Path) -> dict[str, Any]:
    return {"P@1": 100 * precision, "R@5": 100 * recall, "file_bytes": path.stat().st_size}


def parts_of(data: Data, name: str) -> Job:
    """Return the files to train on, to validate on and to test on: see labelled.py."""
    files = {part: data.folder / "labelled" / f"{name}.{part}.txt" for part in ("train", "valid", "test")}
    for path in files.values():
        path.stat()
    return {**{part: str(path) for part, path in files.items()}, "data": f"{name}, of bench/labelled.py"}


def parts_of_polarity(data: Data) -> Job:
    """Return seven, one and two tenths of the sentences in random order, as files."""
    X, y = read_polarity({"labelled": str(data.folder / "labelled"), "seed": 1})
    cuts = {"train": (0, 7), "valid": (7, 8), "test": (8, 10)}
    files = {}
    for part, (start, stop) in cuts.items():
        some = slice(start * len(X) // 10, stop * len(X) // 10)

        def write(path: Path, some: slice = some) -> None:
            Path(write_labelled({"folder": str(path.parent)}, X[some], y[some])).rename(path)

        files[part] = str(kept(CACHE / f"polarity-{len(X)}.{part}.txt", write))
    return {**files, "data": "sentence polarity, 7 : 1 : 2"}


def languages(data: Data) -> Job:
    return parts_of(data, "languages")


def packages(data: Data) -> Job:
    return parts_of(data, "packages")


TEXT = {"estimator": "fastvec.classify.TextClassifier", "buckets": 2_000_000}
OF_LANGUAGES = {**TEXT, "vector_size": 30, "min_n": 2, "max_n": 5, "learning_rate": 1.0, "epochs": 5}
OF_PACKAGES = {**TEXT, "vector_size": 50, "word_ngrams": 2, "learning_rate": 0.2, "epochs": 10}
OF_PACKAGES |= {"loss": "one_vs_all", "fasttext_loss": "ova"}
SAME = Contender("fastvec", fastvec), Contender("fastText", fasttext, environment=FRESH_PAGES)
SEARCHES = (
    Contender("fastvec, defaults", fastvec),
    Contender("fastvec, 30 s", fastvec_search, {"seconds": 30}),
    Contender("fastText, 60 s", fasttext_search, {"seconds": 60}, environment=FRESH_PAGES),
)
COLUMNS = "threads | P@1 | R@5 | fitting | {base}'s time is | file | peak memory"
SEARCHED = "P@1 | R@5 | fitting | file | peak memory"
TUNED = {"estimator": TEXT["estimator"]}

MEASUREMENTS = (
    Measurement(
        "languages", "Languages of sentences", SAME, COLUMNS, languages, OF_LANGUAGES, "fastText", (1, 0)
    ),
    Measurement(
        "packages", "Tags of packages, several each", SAME, COLUMNS, packages, OF_PACKAGES, "fastText", (1, 0)
    ),
    *(
        Measurement(
            f"autotune-{name}",
            f"Search of parameters: {title}",
            SEARCHES,
            SEARCHED,
            data,
            TUNED,
            SEARCHES[-1].name,
        )
        for name, title, data in (
            ("polarity", "sentence polarity", parts_of_polarity),
            ("languages", "languages of sentences", languages),
            ("packages", "tags of packages", packages),
        )
    ),
)

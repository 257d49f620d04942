"""``fastvec train``: word vectors, of texts or of a file of counts."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastvec import formats
from fastvec.cli.cluster import OF_LANES, add_lanes, lanes_of
from fastvec.cli.config import add_config
from fastvec.cli.files import add_format, add_output, add_texts, check_files
from fastvec.cli.models import (
    MODELS,
    Model,
    add_models,
    add_phrases,
    make_model,
    models_of,
    of_others,
    read_corpus,
)
from fastvec.cli.options import KEY, flag, given, joined
from fastvec.cli.parser import Parser
from fastvec.cli.results import add_json, json_line
from fastvec.cli.streams import add_quiet, say
from fastvec.cli.training import (
    OF_TEXTS,
    add_checkpoints,
    add_like,
    checkpoints,
    in_python,
    text_of,
    trained_on,
    training_of,
    values_of,
    words_in,
)
from fastvec.corpus import Corpus
from fastvec.counts.cooccurrence import Cooccurrence
from fastvec.counts.files import holds_counts
from fastvec.distributed.clusters import check_reachable
from fastvec.distributed.fitting import fit
from fastvec.distributed.rounds import check_lanes
from fastvec.distributed.storage import checked_folder
from fastvec.models.base import COUNTED, CountModel, EpochModel
from fastvec.models.glove import GloVe
from fastvec.models.phrases import Phrases
from fastvec.models.svd import PPMI_SVD
from fastvec.models.words import WordModel
from fastvec.training import signals
from fastvec.vectors import load

__all__ = ["add_train"]


def add_train(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``fastvec train``."""
    parser.set_defaults(run=_run)
    add_texts(parser)
    add_output(parser, f": {formats.extensions()}")
    add_format(parser, "--format")
    parser.add_argument(
        "--save-model",
        metavar="FILE",
        help="also save the whole model, which load_model can continue to train: .fvec",
    )
    add_phrases(parser)
    add_config(parser)
    add_like(parser, _parameters_of)
    parser.add_argument(
        "--start-from", metavar="FILE", help="vectors of any format, or a model, from which words start"
    )
    parser.add_argument(
        "--freeze", action="store_true", help="leave the vectors of the words of --start-from as they are"
    )
    add_quiet(parser)
    add_json(parser, "print the summary as JSON")
    add_checkpoints(parser, WordModel.fit)
    add_lanes(parser)
    add_models(parser)


def _parameters_of(_: Parser, path: str) -> dict[str, Any]:
    """Return the values of the options with which a file was made, by where the parser puts them."""
    metadata = training_of(path, MODELS.values(), f"no --model of this command: {joined([*MODELS])}")
    name = _model_named(metadata)
    assert name is not None
    phrases = (metadata.get("corpora") or [{}])[0].get("phrases") or {}
    values = {"model": name, "phrases": phrases.get("passes")}
    values |= {KEY + parameter: metadata.get(parameter) for parameter in OF_LANES}
    return values_of(metadata, MODELS[name]) | {dest: value for dest, value in values.items() if value}


def _check_text_of(path: str) -> None:
    """Raise ValueError unless the text with which a file was made was one that this command can read."""
    phrases = text_of(path).get("phrases")
    if phrases and phrases != {**Phrases()._given(), "passes": phrases["passes"]}:
        raise in_python(path, "with phrases of other parameters")


def _model_named(metadata: dict[str, Any]) -> str | None:
    names = {estimator.__name__: name for name, estimator in MODELS.items()}
    return names.get(str(metadata.get("estimator")))


def _run(options: argparse.Namespace) -> int:
    outputs = {
        "--output": options.output,
        "--save-model": options.save_model,
        "--checkpoint": given(options, WordModel.fit).get("checkpoint"),
        "--cache": given(options, Corpus).get("cache"),
    }
    check_files(options.texts, outputs)
    model = _model(options)
    subwords = model._subwords() if isinstance(model, WordModel) else None
    formats.format_to_write(Path(options.output), options.format, subwords, option="--format")
    if given(options, WordModel.fit) and not isinstance(model, EpochModel):
        raise ValueError(f"--checkpoint needs a model trained in epochs, got --model {options.model}")
    resuming = checkpoints(options, WordModel.fit, model)
    elsewhere = lanes_of(options)
    _check_elsewhere(elsewhere, model, options.model)
    counts = _counts(options, model)
    if counts is None and options.like is not None:
        _check_text_of(options.like)
    start = _start(options)
    source = read_corpus(options) if counts is None else counts
    started = time.perf_counter()
    with signals.hold_after_training() as held:
        if elsewhere and not isinstance(model, PPMI_SVD):
            fit(model, source, **elsewhere, **resuming, **start)
        else:
            model.fit(source, **resuming, **start)
        vectors = model.vectors_
        held.begin()
        seconds = time.perf_counter() - started
        vectors.save(options.output, format=options.format)
        if isinstance(model, EpochModel) and options.save_model is not None:
            model.save(options.save_model)
    if options.json:
        history = [asdict(epoch) for epoch in model.history_] if isinstance(model, EpochModel) else []
        document = {
            "output": options.output,
            "words": len(vectors),
            "vector_size": vectors.vector_size,
            "seconds": seconds,
            "history": history,
        }
        say(json_line(document))
    elif not options.quiet:
        say(
            f"{len(vectors):,} words, {vectors.vector_size:,} dimensions; {_summary(model, seconds)}; "
            f"saved in {options.output}"
        )
    return held.status


def _model(options: argparse.Namespace) -> Model:
    if options.like is not None:
        repeated = _model_named(load(options.like, mmap=True).metadata)
        if options.model != repeated:
            raise ValueError(
                f"{options.like} repeats a training of {repeated}, not of --model {options.model}"
            )
    model = make_model(options)
    if options.save_model is not None:
        if not isinstance(model, EpochModel):
            raise of_others("--save-model", models_of(EpochModel), options.model)
        model.check_path(options.save_model)
    return model


def _check_elsewhere(arguments: dict[str, Any], model: Model, name: str) -> None:
    """Validate the arguments of `distributed.fit` for a model, before a text is read."""
    check_reachable(arguments.get("cluster"))
    if (folder := arguments.get("folder")) is not None:
        checked_folder(folder)
    of_lanes = {lane: arguments[lane] for lane in OF_LANES if lane in arguments}
    if isinstance(model, WordModel):
        if arguments:
            check_lanes(model, **of_lanes)
    elif of_lanes:
        raise of_others(flag(fit, next(iter(of_lanes))), models_of(WordModel), name)
    elif arguments and isinstance(model, PPMI_SVD):
        raise of_others("--processes, as --ray,", models_of((WordModel, GloVe)), name)


def _start(options: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of `fit` that say from which vectors words start."""
    if options.start_from is None:
        if options.freeze:
            raise ValueError("--freeze needs --start-from, the file of the vectors that are to stay")
        return {}
    if not issubclass(MODELS[options.model], EpochModel):
        raise of_others("--start-from", models_of(EpochModel), options.model)
    formats.format_of(Path(options.start_from), None, reading=True, option=None)
    return {"start_from": load(options.start_from), "freeze": options.freeze}


def _counts(options: argparse.Namespace, model: Model) -> Cooccurrence | None:
    """Return the counts to train on, or None if there are texts."""
    path = next(filter(holds_counts, options.texts), None)
    if path is None:
        return None
    if len(options.texts) > 1:
        raise ValueError(f"counts must come in one file, without texts, got {', '.join(options.texts)}")
    if not isinstance(model, CountModel):
        needed = " or ".join(models_of(CountModel))
        raise ValueError(f"{path} holds counts, which need --model {needed}, got {options.model}")
    if options.like is not None:
        return _counts_like(options, model, path)
    estimator = type(model)
    refused = [flag(estimator, parameter) for parameter in given(options, estimator) if parameter in COUNTED]
    refused += [flag(Corpus, parameter) for parameter in given(options, Corpus) if parameter in OF_TEXTS]
    refused += [] if options.phrases is None else ["--phrases"]
    if refused:
        names = ", ".join(refused)
        raise ValueError(
            f"{path} holds counts, to which options about texts and counting do not apply, got {names}"
        )
    return Cooccurrence.load(path)


def _counts_like(options: argparse.Namespace, model: CountModel, path: str) -> Cooccurrence:
    """Return counts that were made as ``--like`` and the other options say."""
    counts = Cooccurrence.load(path)
    pairs = [(name, getattr(model, name), getattr(counts, name)) for name in COUNTED]
    text = {**given(options, Corpus), "phrases": options.phrases}
    for corpus in counts._provenance["corpora"]:
        made = {**corpus, "phrases": (corpus.get("phrases") or {}).get("passes")}
        pairs += [(name, text.get(name), made.get(name)) for name in (*OF_TEXTS, "phrases")]
    for name, asked, found in pairs:
        if _listed(asked) != _listed(found):
            raise ValueError(
                f"{path} was counted with {name}={found!r}, not with {name}={asked!r} as --like "
                f"{options.like} and other options say: give the text instead, or count it so"
            )
    return counts


def _listed(value: Any) -> Any:
    return [*map(str, value)] if isinstance(value, (list, tuple)) else value


def _summary(model: Model, seconds: float) -> str:
    """Return what a model was trained on, how fast, and its loss."""
    if not isinstance(model, EpochModel):
        return f"fitted in {seconds:,.1f} s"
    history = model.history_
    loss = history[-1].loss
    if isinstance(model, GloVe):
        entries = sum(float(epoch.pairs) for epoch in history)
        return trained_on(history, entries, "entries", f"cost {loss:.4f} per entry")
    return trained_on(history, words_in(history), "words", f"loss {loss:.4f}")

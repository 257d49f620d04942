"""Vectors of words from text: skip-gram, CBOW, trees and n-grams; reading; phrases."""

import os
from functools import partial
from pathlib import Path
from typing import Any

from measure import ALL, Contender, Job, Measurement, estimator_of, named, renamed, timed, timed_training
from texts import Data

# Test sets by what the tables call them, and their place in the data folder.
TESTS = {"WS353": "similarity/ws353.txt", "MEN": "similarity/men.txt", "SimLex": "similarity/simlex999.txt"}
TESTS |= {"analogies": "analogy/google.txt"}

# fastText 0.9.3 draws starting values for the first threads/10 of its matrix only and leaves the rest as the
# memory was, which ends in "Encountered NaN" if that was used before. Fresh pages are zeros, which do.
FRESH_PAGES = {"MALLOC_MMAP_THRESHOLD_": "1048576"}

# Settings that others have other names for.
GENSIM = """vector_size window min_count subsample=sample learning_rate=alpha min_learning_rate=min_alpha
threads=workers seed"""
GENSIM_SUBWORDS = "min_n max_n buckets=bucket"
FASTTEXT = """file=input vector_size=dim window=ws negatives=neg min_count=minCount subsample=t
learning_rate=lr threads=thread seed min_n=minn max_n=maxn buckets=bucket"""
PHRASES = "min_count threshold scoring"


def fastvec(job: Job) -> dict[str, Any]:
    model = estimator_of(job).fit(named("fastvec.Corpus")(job["file"]))
    model.vectors_.save(Path(job["folder"], "vectors.fvec"))
    rate = job["epochs"] * job["words"] / sum(epoch.seconds for epoch in model.history_)
    return {"per_second": rate, "vectors": lambda: model.vectors_}


def gensim(job: Job) -> dict[str, Any]:
    """Train in gensim's fastest way, and time the training alone."""
    from gensim.models import FastText, Word2Vec

    tree, subwords = job.get("loss") == "hierarchical_softmax", job["estimator"] == "FastText"
    negatives, skipgram = 0 if tree else job["negatives"], job["estimator"] != "CBOW"
    made, names = (FastText, f"{GENSIM} {GENSIM_SUBWORDS}") if subwords else (Word2Vec, GENSIM)
    model = made(sg=int(skipgram), hs=int(tree), negative=negatives, **renamed(job, names))
    model.build_vocab(corpus_file=job["file"])
    totals = {"total_examples": model.corpus_count, "total_words": model.corpus_total_words}
    _, seconds = timed(model.train, corpus_file=job["file"], epochs=job["epochs"], **totals)
    model.wv.save(str(Path(job["folder"], "vectors.kv")))
    rate = job["epochs"] * job["words"] / seconds
    if subwords:
        return {"per_second": rate, "vectors": lambda: with_unknown(model.wv, job)}
    return {"per_second": rate, "vectors": lambda: as_vectors(model.wv.index_to_key, model.wv.vectors)}


def with_unknown(keyed: Any, job: Job) -> Any:
    """Return the vectors that gensim gives to all words of the tests, known or not."""
    tests = [Path(path).read_text(encoding="utf-8").lower() for path in job["tests"].values()]
    unknown = {word for test in tests for word in test.split()} - set(keyed.index_to_key)
    words = [*keyed.index_to_key, *sorted(unknown)]
    return named("fastvec.Vectors")(words, keyed[words])


def as_vectors(words: list[str], matrix: Any) -> Any:
    kept = [i for i, word in enumerate(words) if word != "</s>"]
    return named("fastvec.Vectors")([words[i] for i in kept], matrix[kept])


def fasttext(job: Job) -> dict[str, Any]:
    model, path = train_fasttext(job, job["epochs"]), str(Path(job["folder"], "vectors.bin"))
    model.save_model(path)
    if job["estimator"] == "FastText":
        return {"vectors": lambda: named("fastvec.load")(path)}
    return {"vectors": lambda: as_vectors(model.get_words(), model.get_input_matrix())}


def fasttext_speed(job: Job) -> dict[str, Any]:
    # Words below `minCount` count for the length of an epoch, not for its progress: an epoch is more than one
    # pass over the text. fastText is credited with all that it reads.
    model, _, seconds = timed_training(partial(train_fasttext, job), job["epochs"])
    counted = int(model.get_words(include_freq=True)[1].sum())
    passes = (job["words"] + job["lines"]) / counted  # an end of line is a word to fastText
    return {"per_second": job["epochs"] * passes * job["words"] / seconds}


def train_fasttext(job: Job, epochs: int) -> Any:
    """Train with the n-grams of the job: without any, the objective is skip-gram's."""
    import fasttext.FastText as binding

    arguments = {"model": "skipgram", "minn": 0, "maxn": 0, "epoch": epochs, "verbose": 0}
    arguments |= renamed(job, FASTTEXT)
    arguments["loss"] = "hs" if job.get("loss") == "hierarchical_softmax" else "ns"
    # Its train_unsupervised takes no seed. These are its three lines.
    args = binding._build_args({**binding.unsupervised_default, **arguments}, set(arguments))
    model = binding._FastText(args=args)
    binding.fasttext.train(model.f, args)
    model.set_args(model.f.getArgs())
    return model


def reading(job: Job) -> dict[str, Any]:
    path = Path(job[job["path"]])
    path.read_bytes()  # into the system's cache, whoever came before
    corpus, seconds = timed(named("fastvec.Corpus"), path)
    return {"per_second": corpus.n_tokens / seconds, "seconds": seconds}


def phrases(job: Job) -> dict[str, Any]:
    import fastvec

    Path(job["file"]).read_bytes()
    corpus, reading = timed(fastvec.Corpus, job["file"])
    model, finding = timed(fastvec.Phrases(**renamed(job, PHRASES)).fit, corpus)
    joined, joining = timed(model.transform, corpus)
    return joining_figures(job, reading + finding, joining, len(model.phrases_), joined.n_tokens)


def gensim_phrases(job: Job) -> dict[str, Any]:
    from gensim.models.phrases import Phrases
    from gensim.models.word2vec import LineSentence

    Path(job["file"]).read_bytes()
    sentences = LineSentence(job["file"])
    model, finding = timed(lambda: Phrases(sentences, **renamed(job, PHRASES)).freeze())
    words_left, joining = timed(lambda: sum(map(len, model[sentences])))
    return joining_figures(job, finding, joining, len(model.phrasegrams), words_left)


def joining_figures(job: Job, finding: float, joining: float, phrases: int, left: int) -> dict[str, Any]:
    figures = {"finding": finding, "joining": joining, "phrases": phrases, "words_left": left}
    return {**figures, "per_second": job["words"] / (finding + joining)}


def quality(vectors: Any, job: Job) -> dict[str, Any]:
    """Return the score of every test file of a job, 0 to 100, by fastvec's evaluation for everyone."""
    from fastvec import evaluate

    scores = {}
    for name, path in job["tests"].items():
        if name == "analogies":
            result = evaluate.analogies(vectors, path, restrict=30_000)
            parts = {name: result.total, "semantic": result.semantic, "syntactic": result.syntactic}
            scores |= {part: 100 * section.accuracy for part, section in parts.items()}
        else:
            scores[name] = 100 * evaluate.similarity(vectors, path).spearman
    return scores


def scored_text(data: Data, words: int | None = None) -> Job:
    """Return the text of a job with the test sets that are in the folder."""
    places = {name: data.folder / place for name, place in TESTS.items()}
    tests = {name: str(place) for name, place in places.items() if place.is_file()}
    return {**data.text(words), "score": "words.quality", "tests": tests}


def scored_text_with_rare(data: Data) -> Job:
    """Add the pairs of MEN with a word below `RARE`, which is left out, and with one below 5 times `RARE`."""
    rarest = {"MEN rare": range(RARE, 5 * RARE), "MEN unseen": range(RARE)}
    return with_pairs_of_men(scored_text(data), rarest)


def scored_short_text(data: Data) -> Job:
    """Add the pairs of MEN without and with a word that is left out of the first words of the text."""
    job, least = scored_text(data, words=SHORT), SUBWORDS["min_count"]
    job["tests"].pop("analogies", None)  # few of whose words are known
    return with_pairs_of_men(job, {"MEN known": range(least, job["words"]), "MEN unseen": range(least)})


def with_pairs_of_men(job: Job, chosen: dict[str, range]) -> Job:
    """Add the pairs of MEN whose rarer word occurs so often in the text, as test sets of these names."""
    vocabulary = named("fastvec.Corpus")(job["file"]).vocabulary
    counts = dict(zip(vocabulary.words, vocabulary.counts.tolist(), strict=True))
    lines = Path(job["tests"].get("MEN", os.devnull)).read_text(encoding="utf-8").splitlines()
    rarest = [min(counts.get(word.lower(), 0) for word in line.split()[:2]) for line in lines]
    for name, counted in chosen.items():
        path = Path(job["file"]).with_suffix(f".{name}")
        pairs = [line for line, count in zip(lines, rarest, strict=True) if count in counted]
        path.write_text("".join(f"{pair}\n" for pair in pairs), encoding="utf-8")
        job["tests"][name] = str(path)
    return job


# The same for everyone, but for fastText's noise exponent, 0.5, and the end of its learning rate, 0.
SKIPGRAM = {"estimator": "SkipGram", "vector_size": 100, "window": 5, "negatives": 5, "min_count": 5}
SKIPGRAM |= {"subsample": 1e-3, "learning_rate": 0.025, "min_learning_rate": 1e-4}
CBOW, TREE = {**SKIPGRAM, "estimator": "CBOW"}, {**SKIPGRAM, "loss": "hierarchical_softmax"}
OWN_RATES = {name: value for name, value in CBOW.items() if name != "learning_rate"}
# fastText's own defaults, where they differ.
SUBWORDS = {**SKIPGRAM, "estimator": "FastText", "min_n": 3, "max_n": 6, "buckets": 2_000_000}
SUBWORDS |= {"subsample": 1e-4, "learning_rate": 0.05}
SHORT = 1_400_000  # words, 8 MB
SUBWORD_TREE = {**SUBWORDS, "loss": "hierarchical_softmax"}
RARE = 100  # words that occur less often are left out where n-grams are to give them a vector
FREQUENT = {**SUBWORDS, "min_count": RARE}
NPMI = {"min_count": 5, "scoring": "npmi", "threshold": 0.5}  # which mean the same to fastvec and gensim

FASTVEC, WITH_GENSIM = Contender("fastvec", fastvec), Contender("gensim", gensim)
AVX2 = Contender("fastvec (AVX2)", fastvec, environment={"FASTVEC_BACKEND": "avx2"})
SAME_BITS = Contender("fastvec (deterministic)", fastvec, {"deterministic": True})
THREE = FASTVEC, AVX2, SAME_BITS
UNSHARED = Contender("fastvec (unshared negatives)", fastvec, {"negative_sharing": "none"})
UNSCALED = Contender("fastvec (word2vec's gradient)", fastvec, {"scale_gradient": False})
GENSIM_CBOW = Contender("gensim", gensim, {"learning_rate": 0.075})
FASTTEXT_SPEED = Contender("fastText", fasttext_speed, environment=FRESH_PAGES, slow=True)
FASTTEXT_WHOLE = Contender("fastText", fasttext, environment=FRESH_PAGES, slow=True)
PLAIN = Contender("fastvec (plain text)", reading, {"path": "file"})
PACKED = Contender("fastvec (.gz)", reading, {"path": "packed"})
OF_SHORT_TEXTS = FASTVEC, SAME_BITS, WITH_GENSIM, FASTTEXT_WHOLE
JOINERS = Contender("fastvec", phrases), Contender("gensim", gensim_phrases)

SCORES = " | ".join(TESTS)
SPEED = "threads | words/s | lowest – highest | against {base} | against one thread"
READING = "words/s | reading"
JOINING = "words/s | against {base} | finding | joining | peak memory | phrases | words left"
WHOLE = f"time | {{base}}'s time is | peak memory | {SCORES} | semantic | syntactic | seeds"
WITH_RARE = {"data": scored_text_with_rare, "base": "fastText"}
WITH_RARE["columns"] = WHOLE.replace("semantic", "MEN rare | MEN unseen | semantic")
WITH_KNOWN = {"data": scored_short_text, "threads": (1,)}
WITH_KNOWN["columns"] = f"peak memory | {SCORES}".replace("analogies", "MEN known | MEN unseen")
BEGINNING = partial(Data.text, words=4_000_000)


def speed(name: str, what: str, settings: Job, *contenders: Contender, **options: Any) -> Measurement:
    options = {"threads": (1, ALL), "settings": {**settings, "epochs": 1}, **options}
    return Measurement(name, f"Training speed, {what} dimensions", contenders, SPEED, BEGINNING, **options)


def whole(name: str, what: str, settings: Job, *contenders: Contender, **options: Any) -> Measurement:
    title = f"From a text file to saved vectors, and their quality{what}"
    options = {"columns": WHOLE, "data": scored_text, "settings": {"epochs": 5, **settings}, **options}
    return Measurement(name, title, contenders, **options)


MEASUREMENTS = (
    speed("speed-100", "100", SKIPGRAM, *THREE, UNSHARED, WITH_GENSIM, FASTTEXT_SPEED),
    speed("speed-300", "300", {**SKIPGRAM, "vector_size": 300}, FASTVEC, AVX2, WITH_GENSIM, threads=(1,)),
    speed("cbow-100", "CBOW, 100", CBOW, *THREE, WITH_GENSIM),
    speed("tree-100", "skip-gram with hierarchical softmax, 100", TREE, *THREE, WITH_GENSIM),
    speed("subwords-100", "skip-gram with n-grams, 100", SUBWORDS, *THREE, FASTTEXT_SPEED, base="fastText"),
    Measurement("reading", "Text to ids", (PLAIN, PACKED), READING, Data.plain_and_packed, threads=(1,)),
    Measurement("phrases", "Phrases", JOINERS, JOINING, Data.text, NPMI, threads=(1,)),
    whole("whole", "", SKIPGRAM, FASTVEC, UNSHARED, WITH_GENSIM, FASTTEXT_WHOLE),
    whole("cbow-whole", ": CBOW", OWN_RATES, FASTVEC, UNSCALED, GENSIM_CBOW, base=UNSCALED.name),
    whole("subwords-whole", ": skip-gram with n-grams", FREQUENT, FASTVEC, FASTTEXT_WHOLE, **WITH_RARE),
    whole("short-subwords", ": n-grams, a short text", SUBWORDS, *OF_SHORT_TEXTS, **WITH_KNOWN),
    whole("short-subwords-tree", ": n-grams and a tree", SUBWORD_TREE, *OF_SHORT_TEXTS, **WITH_KNOWN),
)

"""Typed use of the public names, which mypy checks: this file is not run."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import assert_type

import fastvec
from fastvec import (
    CBOW,
    PPMI_SVD,
    Cooccurrence,
    Corpus,
    FastText,
    GloVe,
    Phrases,
    SkipGram,
    Stability,
    SubwordVectors,
    UnknownWordError,
    Vectors,
    Vocabulary,
    evaluate,
    functional,
)
from fastvec.classify import (
    NetworkClassifier,
    NetworkRegressor,
    SoftmaxClassifier,
    TextClassifier,
    TextVectorizer,
    WindowClassifier,
    WindowRanker,
    read_conll,
)
from fastvec.finite_differences import GradientReport


def train(baskets: Iterable[list[int]]) -> Vectors:
    corpus = Corpus(Path("your.txt"), lowercase=True, cache="your.ids", memory_limit=2**30)
    assert_type(corpus.vocabulary, Vocabulary)
    assert_type(corpus.ids, NDArray[np.int32])
    model = SkipGram(vector_size=100, negative_sharing="none", max_vocab=None, threads=2, callbacks=[report])
    assert_type(model.fit(corpus), SkipGram)
    assert_type(model.fit(corpus, checkpoint="run.fvec", checkpoint_every="10m", resume=True), SkipGram)
    model.stop()
    assert_type(model.interrupted_, bool)
    assert_type(SkipGram().fit(baskets).vectors_, Vectors)
    return model.vectors_


def join(corpus: Corpus) -> Corpus:
    phrases = Phrases(scoring="npmi", threshold=0.4, passes=2).fit(corpus)
    assert_type(phrases, Phrases)
    assert_type(phrases.phrases_, dict[str, float])
    phrases.save(Path("phrases.json"))
    assert_type(Phrases.load("phrases.json").transform([["new", "york"]]), Corpus)
    return phrases.fit_transform("your.txt")


def count(corpus: Corpus) -> Cooccurrence:
    counts = Cooccurrence(window=10, weighting="flat", symmetric=False, max_vocab=None, threads=2).fit(corpus)
    assert_type(counts, Cooccurrence)
    assert_type(counts["new", 12], float)
    assert_type(counts.triples(0, 10)[2], NDArray[np.float64])
    assert_type(counts.vocabulary_, Vocabulary)
    assert_type(counts.n_entries_, int)
    counts.save(Path("your.fvcounts"))
    counts.write_glove("cooccurrence.bin", Path("vocab.txt"))
    read = Cooccurrence.read_glove("cooccurrence.bin", "vocab.txt", window=10)
    made = Cooccurrence.from_triples(["a", 12], [0], [1], [2.5], counts=[3, 1], window=10)
    return Cooccurrence.load("your.fvcounts").merge(read, made)


def go_on(corpus: Corpus) -> SubwordVectors:
    cbow = CBOW(loss="softmax", scale_gradient=False, learning_rate=None, epochs=None)
    assert_type(cbow.fit(corpus, None, update_vocabulary=True), CBOW)
    assert_type(cbow.output_vectors_, NDArray[np.float32])
    model = FastText(model="cbow", min_n=2, buckets=1000).fit(corpus)
    model.save(Path("wiki.bin"))
    fastvec.load_model("wiki.bin").fit(corpus).save("wiki.fvec")
    return model.vectors_


def factorise(counts: Cooccurrence) -> Vectors:
    model = GloVe(x_max=10, combine="concatenate", learning_rate=0.1, memory_limit=2**30)
    assert_type(model.fit(counts), GloVe)
    assert_type(model.fit(counts, checkpoint=Path("run.fvec"), checkpoint_every=2), GloVe)
    assert_type(GloVe(window=5, weighting="flat", symmetric=False).fit([["a", "b"]]).interrupted_, bool)
    assert_type(model.context_biases_, NDArray[np.float32])
    assert_type(model.history_[-1].pairs_per_second, float)
    assert_type(model.history_[-1].words_per_second, float | None)
    model.save("wiki.fvec")
    return model.vectors_


def decompose(corpus: Corpus) -> Vectors:
    model = PPMI_SVD(matrix="ppmi", shift=5, context_smoothing=1, eigenvalue_weighting=0, threads=2)
    assert_type(model.fit(corpus), PPMI_SVD)
    assert_type(model.singular_values_, NDArray[np.float32])
    return model.vectors_


def doubt(corpus: Corpus) -> None:
    stability = Stability(PPMI_SVD(), runs=9, level=0.9, threads=2, seed=3, progress=True).fit(corpus)
    assert_type(stability, Stability)
    tuning = fastvec.autotune(
        SkipGram(), corpus, objective="next-item", budget="1m", space={"window": [2, None]}
    )
    assert_type(tuning.vectors, Vectors)
    assert_type(stability.most_similar("paris", ["rome"], topn=3)[0].certain, bool)
    assert_type(stability.analogy("man", "king", "woman").certain()[0].rank_high, int)
    assert_type(stability.similarity("paris", 3).low, float)
    assert_type(stability.overlap(["paris"]), NDArray[np.float64])
    assert_type(stability.runs_, list[Vectors])


def foresee() -> None:
    planned = fastvec.plan(GloVe(vector_size=50), "wiki.txt", lowercase=True)
    assert_type(planned.seconds, float)
    assert_type(planned.entries, int | None)
    assert_type(planned.memory_bytes, int)


def report(model: SkipGram) -> None:
    epoch = model.history_[-1]
    assert_type(epoch.epoch, int)
    assert_type(epoch.loss, float)


def use(vectors: Vectors) -> None:
    assert_type(vectors["paris"], NDArray[np.float32])
    assert_type(vectors[["paris", 12]], NDArray[np.float32])
    assert_type(vectors.similarity("paris", "london"), float)
    assert_type(vectors.most_similar("paris", topn=5), list[tuple[str, float]])
    assert_type(vectors.analogy("man", "king", "woman"), list[tuple[str, float]])
    assert_type(vectors.most_similar(negative="paris", topn=None), NDArray[np.float32])
    assert_type(vectors.most_similar_batch(["paris"], topn=None), NDArray[np.float32])
    assert_type(vectors.analogy("man", "king", "woman", None, method="3cosmul"), NDArray[np.float32])
    assert_type(vectors.similarities("paris", ["london", 12]), NDArray[np.float32])
    assert_type(vectors.mean(["paris"], [2.0], unit=True, unknown="skip"), NDArray[np.float32])
    assert_type(vectors.doesnt_match(["paris", "london", "tea"]), str)
    assert_type(vectors.index("paris", -1), int)
    assert_type(vectors.subset({"paris"}).with_words(["oslo"], np.ones((1, 100))).reduce(50), Vectors)
    assert_type("paris" in vectors, bool)
    assert_type(vectors.words, list[str])
    assert_type(vectors.metadata, dict[str, Any])
    assert_type(vectors.postprocess(center=True, remove_top=3, unit_length=True), Vectors)
    vectors.save(Path("wiki.fvec"), dtype="int8")
    assert_type(fastvec.load("wiki.fvec", mmap=True), Vectors)
    assert_type(fastvec.combine([vectors, vectors], [1, 3.5], method="average"), Vectors)
    assert_type(fastvec.retrofit(vectors, {"paris": ["london"]}, beta=2), Vectors)
    assert_type(fastvec.retrofit(vectors, Path("lexicon.txt")), Vectors)
    assert_type(fastvec.infer(vectors, [["paris", "new"]], window=None, min_count=2), Vectors)
    assert_type(fastvec.retrofit(vectors, [("paris", "london")]).order_dimensions().truncate(9), Vectors)
    try:
        vectors.index("pariss")
    except UnknownWordError as error:
        assert_type(str(error), str)


def use_ngrams(vectors: SubwordVectors) -> None:
    assert_type(vectors["unheard"], NDArray[np.float32])
    assert_type(vectors[["paris", "unheard"]], NDArray[np.float32])
    assert_type(vectors.input_vectors, NDArray[np.float32])
    vectors.save("wiki.bin")


def judge(vectors: Vectors) -> None:
    assert_type(evaluate.similarity(vectors, "ws353.txt").spearman, float)
    assert_type(fastvec.evaluate.similarity(vectors, "ws353.txt").pearson, float)
    assert_type(evaluate.analogies(vectors, Path("google.txt"), restrict=30_000).total.accuracy, float)
    assert_type(evaluate.split_sessions([["a", "b"]], split="time").training, list[list[Any]])
    assert_type(evaluate.next_item(vectors, [["a", "b"]], k=10).vectors.hit_rate, dict[int, float])
    assert_type(fastvec.presets.text(10**6), dict[str, Any])
    assert_type(SkipGram(window=None, **fastvec.presets.nodes()), SkipGram)


def refused() -> None:
    # With --strict an ignored error that does not occur is an error: these must not pass.
    SkipGram(100)  # type: ignore[call-arg]
    SkipGram(size=100)  # type: ignore[call-arg]
    SkipGram(window="5")  # type: ignore[arg-type]
    Corpus()  # type: ignore[call-arg]
    fastvec.load("wiki.fvec", True)  # type: ignore[call-arg]
    fastvec.Word2Vec  # type: ignore[attr-defined]  # noqa: B018


def classify(vectors: Vectors, sentences: list[list[str]], tags: list[list[str]], texts: list[str]) -> None:
    tagger = WindowClassifier(vectors, window=2, hidden=(200, 100), features=("case",), train_vectors=True)
    assert_type(tagger.fit(sentences, tags), WindowClassifier)
    assert_type(tagger.vectors_, Vectors)
    assert_type([epoch.loss for epoch in tagger.history_], list[float])
    assert_type(tagger.score(sentences, tags), float)
    assert_type(tagger.check_gradient(sentences, tags, sample=100), GradientReport)
    assert_type(WindowRanker(vectors).fit(sentences), WindowRanker)
    classifier = TextClassifier(word_ngrams=2, threads=None).fit(texts, ["good", "bad"])
    assert_type(classifier.partial_fit(texts, [1, 0]), TextClassifier)
    classifier.save(Path("texts.fvmodel"))
    assert_type(fastvec.classify.TextClassifier().fit("train.txt"), TextClassifier)
    assert_type(TextVectorizer(vectors, pooling="sif").fit(texts).transform(texts), NDArray[np.float32])
    assert_type(SoftmaxClassifier(l2=1e-4).fit([[1.0]], ["a"]).n_parameters_, int)
    assert_type(NetworkClassifier(hidden=(10, 5)).fit([[1.0]], ["a"]), NetworkClassifier)
    assert_type(NetworkRegressor(hidden=10).fit([[1.0]], [2.0]), NetworkRegressor)
    assert_type(read_conll("train.conll", 2), tuple[list[list[str]], list[list[str]]])
    assert_type(functional.cross_entropy([[0.0, 1.0]], [1])[0], float)

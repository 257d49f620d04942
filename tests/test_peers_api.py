"""Every public name of gensim and fastText is here, or has an error that says ours, and is documented."""

import functools
import inspect
import re
from pathlib import Path

import pytest
from inside import peers_names
from peers import KeyedVectors, fasttext, gensim_doc2vec, gensim_fasttext, gensim_phrases, gensim_word2vec

import fastvec
from fastvec.classify import TextClassifier

pytestmark = pytest.mark.any_backend(trains=True)

DOCS = Path(__file__).parents[1] / "docs"
SENTENCES = [["old", "houses", "stand"], ["new", "houses", "stand", "too"], ["old", "and", "new"]] * 5
SMALL = {"vector_size": 4, "min_count": 1, "epochs": 1}
OF_GENSIM = SMALL | {"workers": 1}

# What serves gensim and fastText themselves.
INTERNAL = {
    *("f", "set_args"),
    *("add_lifecycle_event", "lifecycle_events", "add_null_word", "cum_table", "make_cum_table", "random"),
    *("min_alpha_yet_reached", "seeded_vector", "train_count", "allocate_vecattrs", "log_accuracy"),
    *("log_evaluate_word_pairs", "mapfile_path", "next_index", "adjust_vectors", "buckets_word"),
    *("compatible_hash", "init_post_load", "recalc_char_ngram_buckets"),
}


@pytest.fixture(scope="module")
def of_fasttext(tmp_path_factory):
    """A model of words and one of labels."""
    text, labelled = (tmp_path_factory.mktemp("texts") / name for name in ("text.txt", "labelled.txt"))
    text.write_text("".join(f"{' '.join(words)}\n" for words in SENTENCES * 50))
    labelled.write_text("".join(f"__label__{len(words)} {' '.join(words)}\n" for words in SENTENCES * 50))
    # ten threads and dimensions, since fastText 0.9.3 leaves numbers of others as the memory was
    options = {"dim": 10, "thread": 10, "minCount": 1, "t": 1, "lr": 0.01, "bucket": 50, "verbose": 0}
    return (
        fasttext.train_unsupervised(str(text), **options),
        fasttext.train_supervised(str(labelled), **options),
    )


@functools.cache
def of_gensim(model):
    if model == "Doc2Vec":
        documents = [gensim_doc2vec.TaggedDocument(words, [i]) for i, words in enumerate(SENTENCES)]
        return gensim_doc2vec.Doc2Vec(documents, **OF_GENSIM)
    if model == "FastText":
        return gensim_fasttext.FastText(SENTENCES, bucket=50, **OF_GENSIM)
    return gensim_word2vec.Word2Vec(SENTENCES, **OF_GENSIM)


@functools.cache
def ours(model):
    if model is TextClassifier:
        return TextClassifier(**SMALL).fit([" ".join(s) for s in SENTENCES], [len(s) for s in SENTENCES])
    return model(**SMALL | ({"buckets": 50} if model is fastvec.FastText else {})).fit(SENTENCES)


def phrases():
    return gensim_phrases.Phrases(SENTENCES, min_count=1, threshold=0.1)


def theirs_and_ours(of_fasttext):
    """Yield the objects of the others, each with what stands for it here."""
    yield of_gensim("Word2Vec"), ours(fastvec.SkipGram)
    yield of_gensim("Word2Vec"), ours(fastvec.CBOW)
    yield of_gensim("Word2Vec").wv, ours(fastvec.SkipGram).vectors_
    yield of_gensim("FastText"), ours(fastvec.FastText)
    yield of_gensim("FastText").wv, ours(fastvec.FastText).vectors_
    yield of_gensim("Doc2Vec"), ours(fastvec.DocVectors)
    yield of_gensim("Doc2Vec").dv, ours(fastvec.DocVectors).vectors_
    yield phrases(), fastvec.Phrases()
    yield phrases().freeze(), fastvec.Phrases()
    words, labels = of_fasttext
    for model in (ours(fastvec.FastText), ours(fastvec.FastText).vectors_, ours(fastvec.SkipGram).vectors_):
        yield words, model
    yield labels, ours(TextClassifier)


def attributes(theirs):
    return {name for name in dir(theirs) if not name.startswith("_")} - INTERNAL


def documented_names():
    """Return all that the pages for those who come from elsewhere have as code."""
    pages = ("migrating", "coming-from-gensim", "coming-from-fasttext")
    text = "".join((DOCS / f"{page}.md").read_text(encoding="utf-8") for page in pages)
    return {word for code in re.findall(r"`[^`\n]+`", text) for word in re.findall(r"\w+", code)}


def answer(ask):
    """Return the error's text, or that of Python's own if there is no other."""
    with pytest.raises((AttributeError, TypeError)) as raised:
        ask()
    return str(raised.value)


def test_every_attribute_is_here_or_named(of_fasttext):
    for theirs, model in theirs_and_ours(of_fasttext):
        for name in attributes(theirs):
            if not hasattr(model, name):
                assert " it is " in answer(lambda n=name, m=model: getattr(m, n)), (
                    f"{type(model).__name__}.{name}"
                )


PARAMETERS_OF_FASTTEXT = {
    *("input", "model", "lr", "dim", "ws", "epoch", "minCount", "minCountLabel", "minn", "maxn", "neg", "t"),
    *("wordNgrams", "loss", "bucket", "thread", "lrUpdateRate", "label", "verbose", "seed"),
    *("pretrainedVectors", "autotuneValidationFile", "autotuneMetric", "autotunePredictions"),
    *("autotuneDuration", "autotuneModelSize"),
}


def parameters(function):
    found = inspect.signature(function).parameters
    return {name for name, one in found.items() if one.kind is not one.VAR_KEYWORD and name != "self"}


def constructors():
    """Yield a class of ours and the parameters of the constructor of what it stands for."""
    yield fastvec.SkipGram, parameters(gensim_word2vec.Word2Vec.__init__)
    yield fastvec.CBOW, parameters(gensim_word2vec.Word2Vec.__init__)
    yield fastvec.FastText, parameters(gensim_fasttext.FastText.__init__)
    yield fastvec.DocVectors, parameters(gensim_doc2vec.Doc2Vec.__init__)
    yield fastvec.Phrases, parameters(gensim_phrases.Phrases.__init__)
    yield fastvec.FastText, PARAMETERS_OF_FASTTEXT
    yield TextClassifier, PARAMETERS_OF_FASTTEXT - {"model"}


def test_the_parameters_of_fasttext_are_these():
    module = pytest.importorskip("fasttext.FastText")
    assert set(module.unsupervised_default) | {"input"} == PARAMETERS_OF_FASTTEXT


def test_every_parameter_is_here_or_named():
    for model, names in constructors():
        for name in names - parameters(model):
            assert " it is " in answer(lambda n=name, m=model: m(**{n: 1})), f"{model.__name__}({name}=)"


def trainings():
    word2vec, doc2vec = gensim_word2vec.Word2Vec, gensim_doc2vec.Doc2Vec
    for model, theirs in (
        (fastvec.SkipGram, word2vec),
        (fastvec.FastText, word2vec),
        (fastvec.DocVectors, doc2vec),
    ):
        for function in (theirs.train, theirs.build_vocab):
            yield model, parameters(function)


def test_every_parameter_of_training_is_here_or_named():
    for model, names in trainings():
        for name in names - parameters(model.fit):
            assert " it is " in answer(lambda n=name, m=model: m().fit([], **{n: 1})), (
                f"{model.__name__}.fit({name}=)"
            )


def methods(of_fasttext):
    """Yield what has another method of theirs in its place, with the parameters of that."""
    vectors, classifier = ours(fastvec.SkipGram).vectors_, ours(TextClassifier)
    yield vectors.most_similar, parameters(KeyedVectors.most_similar)
    yield vectors.save, parameters(KeyedVectors.save_word2vec_format) - {"fname"}
    yield fastvec.load, parameters(KeyedVectors.load_word2vec_format) - {"fname"}
    yield fastvec.load_model, parameters(gensim_fasttext.load_facebook_model)
    yield classifier.predict, parameters(of_fasttext[1].predict) - {"on_unicode_error"}
    yield classifier.quantize, parameters(of_fasttext[1].quantize)


def test_every_parameter_of_methods_is_here_or_named(of_fasttext):
    for method, names in methods(of_fasttext):
        for name in names - parameters(method):
            sentence = answer(lambda n=name, m=method: m("x", **{n: 1}))
            assert f" has no parameter `{name}`: it is " in sentence and "but not" not in sentence


@pytest.mark.parametrize("name", peers_names.PACKAGE)
def test_what_they_import_is_named(name):
    with pytest.raises(AttributeError, match=f"module 'fastvec' has no attribute '{name}': it is "):
        getattr(fastvec, name)


def test_classes_name_what_is_there():
    for model, name, here in (
        (fastvec.SkipGram, "load", r"`fastvec\.load_model\(path\)`"),
        (fastvec.Vectors, "load_word2vec_format", r"fastvec\.load\(path\)"),
        (TextClassifier, "save_model", "`save`"),
    ):
        with pytest.raises(
            AttributeError, match=f"{model.__name__} has no attribute `{name}`: it is {here}$"
        ):
            getattr(model, name)
        assert not hasattr(model, name) and name not in dir(model)
    with pytest.raises(AttributeError, match=r"^type object 'SkipGram' has no attribute 'lod'$"):
        fastvec.SkipGram.lod  # noqa: B018


@pytest.mark.parametrize("model", [fastvec.SkipGram, fastvec.GloVe, fastvec.DocVectors])
def test_models_have_no_items(model):
    with pytest.raises(
        TypeError, match=rf"^{model.__name__} has no items: its vectors have them, vectors_\['old'\]$"
    ):
        model()["old"]
    with pytest.raises(TypeError, match=r"its vectors have them, 'old' in vectors_$"):
        "old" in model()  # noqa: B015


@pytest.mark.parametrize("model", [fastvec.CBOW, fastvec.Phrases])
def test_what_is_learned_from_is_no_parameter(model):
    with pytest.raises(
        TypeError, match=rf"^{model.__name__} takes parameters by their names, and .* in `fit`: "
    ):
        model(SENTENCES)


def test_a_list_of_words_is_not_taken_for_files():
    with pytest.raises(FileNotFoundError, match="a list of str is a list of files; of sentences, even one,"):
        fastvec.Corpus(["old", "houses"])
    documents = [gensim_doc2vec.TaggedDocument(words, [0]) for words in SENTENCES]
    with pytest.raises(
        TypeError, match=r"TaggedDocument.*: pass \[document\.words for document in documents\], and"
    ):
        fastvec.DocVectors().fit(documents)


def test_every_name_is_documented(of_fasttext):
    names = set().union(*(attributes(theirs) for theirs, _ in theirs_and_ours(of_fasttext)))
    names |= set().union(*(names for _, names in [*constructors(), *trainings(), *methods(of_fasttext)]))
    assert sorted((names | set(peers_names.PACKAGE)) - documented_names()) == []

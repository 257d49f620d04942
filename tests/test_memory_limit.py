"""One budget of memory for the ids of a text and all that is made of them; what does not fit is in files."""

import json
import os
import tempfile

import numpy as np
import pytest

import fastvec
from fastvec import CBOW, PPMI_SVD, Cooccurrence, Corpus, FastText, GloVe, Phrases, SkipGram

pytestmark = pytest.mark.any_backend(trains=True)

READERS = (SkipGram, CBOW, FastText, GloVe, PPMI_SVD, Cooccurrence, Phrases)
N_SENTENCES, LENGTH, WORDS = 1000, 20, tuple("abcdefgh")


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """A text of few words that all stand near each other."""
    path = tmp_path_factory.mktemp("memory") / "text"
    words = np.random.default_rng(1).choice(WORDS, (N_SENTENCES, LENGTH))
    path.write_text("".join(f"{' '.join(sentence)}\n" for sentence in words))
    return path


@pytest.fixture
def spilled(monkeypatch):
    """Function that returns the sizes of the temporary files made since it was called last."""
    make, files = tempfile.TemporaryFile, []

    def watched(*arguments, **options):
        file = make(*arguments, **options)
        files.append(os.dup(file.fileno()))
        return file

    def sizes():
        found = sorted(os.fstat(file).st_size for file in files)
        for file in files:
            os.close(file)
        files.clear()
        return found

    monkeypatch.setattr(tempfile, "TemporaryFile", watched)
    yield sizes
    sizes()


IDS = 4 * N_SENTENCES * LENGTH
ENTRIES = len(WORDS) ** 2
COUNTS = 12 * ENTRIES + 8 * (len(WORDS) + 1)


@pytest.mark.parametrize("estimator", READERS)
def test_it_is_a_parameter_of_all_that_read_text(estimator):
    assert estimator().memory_limit == 2**32
    assert "Bytes of memory, about, for the ids of the text and all that is made of them" in estimator.__doc__
    with pytest.raises(ValueError, match="memory_limit must be an int >= 1, got 0"):
        estimator(memory_limit=0).fit([["a", "b"]])
    with pytest.raises(TypeError, match=r"memory_limit must be an int >= 1, got 1e9|got 1000000000\.0"):
        estimator(memory_limit=1e9).fit([["a", "b"]])


@pytest.mark.parametrize("estimator", READERS)
@pytest.mark.parametrize("limit", [1, 2**32])
def test_no_file_depends_on_it(estimator, limit, text, tmp_path):
    params = {} if estimator is Phrases else {"threads": 1}
    small = {"vector_size": 4, "epochs": 1}
    params |= {name: small[name] for name in small.keys() & estimator().get_params().keys()}
    fitted = estimator(memory_limit=limit, **params).fit(text)
    if estimator is PPMI_SVD:  # which is not saved as a whole
        assert "memory_limit" not in fitted.vectors_.metadata
        return
    path = tmp_path / ("model.fvec" if "vector_size" in params else "model")
    fitted.save(path)
    loaded = fastvec.load_model(path) if "vector_size" in params else estimator.load(path)
    assert loaded.memory_limit == 2**32
    assert b"memory_limit" not in path.read_bytes()
    if estimator is Phrases:
        assert json.loads(path.read_text())["parameters"].keys() == Phrases().get_params().keys() - {
            "memory_limit",
            "progress",
        }


def test_models_of_words_keep_ids(text, spilled):
    models = {
        limit: SkipGram(vector_size=4, epochs=1, threads=1, memory_limit=limit) for limit in (IDS, IDS - 1)
    }
    found = {}
    for limit, model in models.items():
        model.fit(text)
        found[limit] = spilled()
    assert found == {IDS: [], IDS - 1: [IDS]}
    np.testing.assert_array_equal(*(model.vectors_.vectors for model in models.values()))


@pytest.mark.parametrize(
    ("limit", "expected"), [(2 * IDS, []), (2 * IDS - 1, [IDS]), (IDS, [IDS]), (IDS - 1, [IDS, IDS])]
)
def test_so_do_those_that_continue_with_ids_of_another_corpus(limit, expected, text, spilled):
    model = SkipGram(vector_size=4, threads=1, epochs=1, min_count=1, memory_limit=limit)
    model.fit([[*reversed(WORDS)]])
    model.fit(text)
    assert spilled() == expected


def test_phrases_are_joined_beside_the_ids(text, spilled):
    joined = Phrases(threshold=0.5).fit_transform(text)
    assert spilled() == []
    size = joined.ids.nbytes
    assert IDS / 2 <= size < IDS
    both = IDS + size
    for limit, expected in ((both, []), (both - 1, [size]), (IDS, [size]), (IDS - 1, [IDS])):
        again = Phrases(threshold=0.5, memory_limit=limit).fit_transform(text)
        assert spilled() == expected
        assert (again.ids == joined.ids).all()
        assert isinstance(again.ids, np.memmap) == (size in expected)


def test_a_corpus_that_is_there_counts_until_the_last_pass(text, spilled):
    corpus = Corpus(text)
    passes = [Phrases(threshold=0.5, passes=n).fit_transform(corpus).ids.nbytes for n in (1, 2)]
    together = IDS + sum(passes)
    for limit, expected in ((together, []), (together - 1, passes[1:])):
        Phrases(threshold=0.5, passes=2, memory_limit=limit).fit_transform(corpus)
        assert spilled() == expected


@pytest.mark.parametrize("estimator", [Cooccurrence, GloVe, PPMI_SVD])
def test_a_text_that_is_counted_has_half(estimator, text, spilled):
    params = {} if estimator is Cooccurrence else {"vector_size": 2}
    estimator(memory_limit=2 * IDS, **params).fit(text)
    assert spilled() == []
    estimator(memory_limit=2 * IDS - 2, **params).fit(text)
    assert spilled() == [IDS]


def test_counts_have_what_the_ids_leave(text, spilled, tmp_path):
    in_memory, mapped = Corpus(text), Corpus(text, cache=tmp_path / "ids")
    spilled()
    enough, little = 33 * ENTRIES, 31 * ENTRIES  # three eighths of it for 12 bytes an entry
    for limit, corpus, expected in (
        (enough, mapped, []),
        (little, mapped, [4 * ENTRIES, 8 * ENTRIES]),
        (IDS + enough, in_memory, []),
        (IDS + little, in_memory, [4 * ENTRIES, 8 * ENTRIES]),
    ):
        counts = Cooccurrence(memory_limit=limit).fit(corpus)
        assert spilled() == expected
        assert isinstance(counts.units_, np.memmap) == bool(expected)


def test_entries_of_glove_have_what_counts_leave(text, spilled, tmp_path):
    counts = Cooccurrence().fit(text)
    counts.save(tmp_path / "counts")
    mapped = Cooccurrence.load(tmp_path / "counts")
    assert spilled() == []
    entries = 16 * ENTRIES
    for limit, source, expected in (
        (COUNTS + entries, counts, []),
        (COUNTS + entries - 1, counts, [entries]),
        (entries, mapped, []),
        (entries - 1, mapped, [entries]),
    ):
        GloVe(vector_size=2, epochs=1, memory_limit=limit).fit(source)
        assert spilled() == expected

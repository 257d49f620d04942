"""Files of fastText itself: its own package reads what is written here, and the other way round."""

import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from inside import FastTextFile, read_model, set_sizes, write_model
from peers import GensimFastText, KeyedVectors, fasttext, gensim_fasttext, gensim_test_utils
from vector_files import make_of_2016

import fastvec
from fastvec.vectors import Subwords, SubwordVectors

pytestmark = pytest.mark.any_backend(trains=True)

UNSEEN = ["gardener", "Zürichs", "東京都", "q", "naïveté", "🙂", "<"]
TEXT = (
    "the garden of Zürich\nthe gardens of 東京 and the naïve garden\nthe gardeners of Zürich and 東京\n" * 5
)

VARIANTS = {
    "skip-gram": {"model": "skipgram", "minn": 3, "maxn": 6, "bucket": 500},
    "CBOW, one bucket": {"model": "cbow", "minn": 1, "maxn": 3, "bucket": 1},
    "no n-grams": {"model": "skipgram", "minn": 3, "maxn": 0, "bucket": 500},
    "hierarchical softmax": {"model": "skipgram", "loss": "hs", "minn": 2, "maxn": 2, "bucket": 30},
    "softmax": {"model": "cbow", "loss": "softmax", "minn": 0, "maxn": 100, "bucket": 30},
}


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("fasttext") / "text.txt"
    path.write_text(TEXT)
    return path


@pytest.fixture(scope="module", params=VARIANTS)
def theirs(request, text):
    """A model that fastText trained, and its file.

    There are ten threads and ten dimensions because fastText 0.9.3 starts a tenth of the numbers in each, and
    leaves what fewer threads do not reach as the memory was: anything, NaN included.
    """
    path = text.with_name(f"{request.param}.bin")
    options = {"dim": 10, "epoch": 3, "minCount": 1, "thread": 10, "t": 0.01, "ws": 4, "neg": 6, "verbose": 0}
    model = fasttext.train_unsupervised(str(text), **options, **VARIANTS[request.param])
    model.save_model(str(path))
    return model, path, VARIANTS[request.param]


def assert_same_vectors(ours, model, unseen=UNSEEN):
    """Compare with a model of fastText: the words, their order and counts, and all vectors."""
    words, counts = model.get_words(include_freq=True)
    assert ours.words == words
    assert ours.counts.tolist() == counts.tolist()
    for word in [*words, *unseen]:
        try:
            vector = ours[word]
        except fastvec.UnknownWordError:
            vector = np.zeros(ours.vector_size)
            assert word not in words
        np.testing.assert_allclose(vector, model.get_word_vector(word), rtol=1e-5, atol=1e-6)


def test_we_read_theirs(theirs):
    model, path, options = theirs
    ours = fastvec.load(path)
    assert isinstance(ours, SubwordVectors)
    assert "</s>" in ours
    assert_same_vectors(ours, model)
    losses = {"hs": "hierarchical_softmax", "softmax": "softmax"}
    n_grams = (
        {"min_n": options["minn"], "max_n": options["maxn"]} if options["maxn"] else {"min_n": 0, "max_n": 0}
    )
    assert ours.metadata == {
        "model": options["model"],
        "loss": losses.get(options.get("loss"), "negative_sampling"),
        "vector_size": 10,
        "window": 4,
        "negatives": 6,
        "min_count": 1,
        "subsample": 0.01,
        "epochs": 3,
        "buckets": options["bucket"] if options["maxn"] else 0,
        **n_grams,
    }


def test_a_whole_model_comes_back_bit_for_bit(theirs, tmp_path):
    model, path, options = theirs
    read = read_model(path)
    np.testing.assert_array_equal(read.input_vectors, model.get_input_matrix())
    np.testing.assert_array_equal(read.output_vectors, model.get_output_matrix())
    write_model(tmp_path / "again.bin", read)
    ours = bytearray((tmp_path / "again.bin").read_bytes())
    if not options["maxn"]:
        ours[44:48] = struct.pack("<i", 3)  # -maxn 0 leaves minn at its default
    assert ours == path.read_bytes()


def test_they_read_ours(theirs, tmp_path):
    model, path, _ = theirs
    ours = fastvec.load(path)
    ours.save(tmp_path / "ours.bin")
    again = fasttext.load_model(str(tmp_path / "ours.bin"))
    assert_same_vectors(ours, again)
    assert_same_vectors(fastvec.load(tmp_path / "ours.bin"), model)
    assert not again.get_output_matrix().any()
    if ours.subwords.max_n:
        theirs = [cosine for cosine, _ in again.get_nearest_neighbors("gardener", k=3)]
        near = [cosine for _, cosine in ours.most_similar("gardener", topn=3)]
        np.testing.assert_allclose(near, theirs, atol=1e-5)


NGRAMS = Subwords(2, 4, 9)


def small(words=("paris", "Zürich", "東京", "</s>"), subwords=NGRAMS, d=3, counts=None):
    rows = np.random.default_rng(0).standard_normal((len(words) + subwords.buckets, d)).astype(np.float32)
    return SubwordVectors(words, rows, subwords, counts)


def test_counts_that_are_missing_are_ones(tmp_path):
    small().save(tmp_path / "v.bin")
    assert fastvec.load(tmp_path / "v.bin").counts.tolist() == [1, 1, 1, 1]
    assert fasttext.load_model(str(tmp_path / "v.bin")).get_words(include_freq=True)[1].tolist() == [1] * 4
    small(counts=[9, 3, 2, 1]).save(tmp_path / "v.bin")
    assert fastvec.load(tmp_path / "v.bin").counts.tolist() == [9, 3, 2, 1]


def test_words_without_ngrams_are_written_when_asked(tmp_path):
    vectors = fastvec.Vectors(["a", "é"], [[1, 2], [3, 4]], counts=[5, 4])
    vectors.save(tmp_path / "v.bin", format="fasttext")
    assert_same_vectors(vectors, fasttext.load_model(str(tmp_path / "v.bin")))
    vectors.save(tmp_path / "v.bin")
    with pytest.raises(ValueError, match="binary vectors of word2vec, not fasttext; format='word2vec-b"):
        fastvec.load(tmp_path / "v.bin", format="fasttext")
    small().save(tmp_path / "w.bin", format="word2vec-binary")
    assert type(fastvec.load(tmp_path / "w.bin")) is fastvec.Vectors
    small().save(tmp_path / "w.bin")
    with pytest.raises(ValueError, match="the vectors of a fastText model, not word2vec-binary; format='fa"):
        fastvec.load(tmp_path / "w.bin", format="word2vec-binary")


def test_blocks_do_not_show(tmp_path, monkeypatch):
    words = [f"word{i}" for i in range(300)]
    vectors = small(words, Subwords(3, 6, 100), d=20)
    vectors.save(tmp_path / "whole.bin")
    set_sizes(monkeypatch, fasttext_block=77)
    vectors.save(tmp_path / "blocks.bin")
    assert (tmp_path / "blocks.bin").read_bytes() == (tmp_path / "whole.bin").read_bytes()
    for model in (fastvec.load(tmp_path / "blocks.bin"), read_model(tmp_path / "blocks.bin")):
        np.testing.assert_array_equal(model.input_vectors, vectors.input_vectors)
        assert model.words == words


def test_padded_and_unwritable_rows_are_written(tmp_path):
    padded = np.random.default_rng(1).standard_normal((7, 16)).astype(np.float32)
    subwords = Subwords(3, 6, 5)
    SubwordVectors(["a", "b"], padded[:, :10], subwords).save(tmp_path / "v.bin")
    file = read_model(tmp_path / "v.bin")
    np.testing.assert_array_equal(file.input_vectors, padded[:, :10])
    write_model(tmp_path / "m.bin", file._replace(output_vectors=padded[:2, :10], counts=None))
    np.testing.assert_array_equal(read_model(tmp_path / "m.bin").output_vectors, padded[:2, :10])


def test_parameters_fasttext_has_no_number_for_are_its_defaults(tmp_path):
    vectors = small()
    vectors.metadata.update(model="FastText", loss="other", window=-3, epochs="many", subsample=None)
    vectors.save(tmp_path / "v.bin")
    read = fastvec.load(tmp_path / "v.bin").metadata
    assert (read["model"], read["loss"], read["window"], read["epochs"], read["subsample"]) == (
        "skipgram", "negative_sampling", 5, 5, 1e-4,
    )  # fmt: skip


def test_gensim_reads_ours_and_we_read_gensims(tmp_path):
    small(counts=[4, 3, 2, 1]).save(tmp_path / "ours.bin")
    theirs = gensim_fasttext.load_facebook_vectors(tmp_path / "ours.bin")
    for word in ["paris", "Zürich", "東京", "parisian"]:  # gensim gives </s> n-grams, fastText does not
        np.testing.assert_allclose(theirs[word], fastvec.load(tmp_path / "ours.bin")[word], atol=1e-6)

    model = GensimFastText(vector_size=5, min_count=1, bucket=50, min_n=2, max_n=3, workers=1, epochs=1)
    sentences = [line.split() for line in TEXT.splitlines()]
    model.build_vocab(sentences)
    model.train(sentences, total_examples=len(sentences), epochs=1)
    gensim_fasttext.save_facebook_model(model, str(tmp_path / "gensim.bin"))
    ours = fastvec.load(tmp_path / "gensim.bin")
    assert ours.words == model.wv.index_to_key
    for word in [*ours.words, "gardener", "Zürichs"]:
        np.testing.assert_allclose(ours[word], model.wv[word], atol=1e-6)


@pytest.mark.parametrize("extension", ["vec", "txt", "glove"])
def test_text_keeps_the_words_alone(tmp_path, extension):
    vectors = small()
    vectors.save(tmp_path / f"v.{extension}")
    loaded = fastvec.load(tmp_path / f"v.{extension}")
    assert type(loaded) is fastvec.Vectors
    np.testing.assert_array_equal(loaded.vectors, vectors.vectors)
    if extension == "vec":
        theirs = KeyedVectors.load_word2vec_format(tmp_path / "v.vec")
        assert theirs.index_to_key == vectors.words
        np.testing.assert_array_equal(theirs.vectors, vectors.vectors)


def test_gzipped_files_are_read(tmp_path):
    vectors = small()
    vectors.save(tmp_path / "v.bin")
    whole = (tmp_path / "v.bin").read_bytes()
    path = tmp_path / "v.bin.gz"
    path.write_bytes(gzip.compress(whole))
    np.testing.assert_array_equal(fastvec.load(path).input_vectors, vectors.input_vectors)
    for content in (gzip.compress(whole)[:-20], gzip.compress(whole[:-1]), gzip.compress(whole + b"\0")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"v\.bin\.gz: .*(truncated|damaged)"):
            fastvec.load(path)


@pytest.mark.parametrize("word", ["new york", "tab\tbed", "", "line\n", "nul\0"])
def test_words_that_the_format_cannot_hold(tmp_path, word):
    path = tmp_path / "v.bin"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match=r"which this format cannot hold; save as \.fvec") as error:
        small(["fine", word]).save(path)
    assert repr(word) in str(error.value)
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"old"]


@pytest.fixture(scope="module")
def classifier(text):
    path = text.with_name("labelled.txt")
    path.write_text("__label__a the garden of Zürich\n__label__b the house of Paris\n" * 10)
    options = {"dim": 10, "epoch": 1, "thread": 10, "minn": 2, "maxn": 3, "bucket": 300, "verbose": 0}
    return path, fasttext.train_supervised(str(path), **options)


def test_a_classifier_gives_the_vectors_of_its_words(classifier, tmp_path):
    _, model = classifier
    path = tmp_path / "classifier.bin"
    model.save_model(str(path))
    ours = fastvec.load(path)
    assert ours.metadata["model"] == "supervised"
    assert not {"__label__a", "__label__b"} & set(ours.words)
    assert_same_vectors(ours, model)
    assert read_model(path).output_vectors.shape == (2, 10)
    ours.save(tmp_path / "words.bin")
    assert_same_vectors(ours, fasttext.load_model(str(tmp_path / "words.bin")))

    old = bytearray(path.read_bytes())
    old[4] = 11  # before version 12, classifiers had no n-grams
    path.write_bytes(old)
    assert_same_vectors(fastvec.load(path), fasttext.load_model(str(path)), unseen=[])
    with pytest.raises(KeyError, match="'gardener' is not among"):
        fastvec.load(path)["gardener"]


def test_quantised_models_are_refused_by_name(classifier, tmp_path):
    text, model = classifier
    model.save_model(str(tmp_path / "whole.bin"))
    for cutoff in (0, 260):  # the second one is pruned too
        model = fasttext.load_model(str(tmp_path / "whole.bin"))
        model.quantize(input=str(text), retrain=False, cutoff=cutoff)
        for name in ("model.ftz", "model.bin"):
            model.save_model(str(tmp_path / name))
            with pytest.raises(
                ValueError,
                match=r"quantized fastText model.*, (whose words have no|a classifier without) vectors",
            ) as error:
                fastvec.load(tmp_path / name)
            assert str(tmp_path / name) in str(error.value)
            with pytest.raises(ValueError, match=r"quantized fastText model"):
                fastvec.load_model(tmp_path / name)


# ---- Damaged files ----------------------------------------------------------------------------------------


@pytest.fixture
def damaged(tmp_path):
    """Function that loads bytes as a file, and holds the memory this takes against a small bound."""

    def load(content, **options):
        path = tmp_path / "damaged.bin"
        path.write_bytes(content)
        tracemalloc.start()
        try:
            return fastvec.load(path, **options)
        except ValueError as error:
            assert str(path) in str(error)
            raise
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < max(10_000_000, 4 * len(content))

    return load


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "v.bin"
    small().save(path)
    return path.read_bytes()


def test_every_way_to_cut_a_file_off_is_noticed(damaged, whole):
    damaged(whole)
    for length in range(4, len(whole)):
        with pytest.raises(ValueError, match="truncated or damaged"):
            damaged(whole[:length])
    with pytest.raises(ValueError, match="continues after the output matrix"):
        damaged(whole + b"\0")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of NumPy, on the reference
def test_random_damage_is_a_clear_error_or_another_model(damaged, whole):
    random = np.random.default_rng(7)
    interesting = [0, 1, 0x7F, 0x80, 0xFF]
    header = 160  # where most of what matters stands
    failed = 0
    for _ in range(1500):
        content = bytearray(whole)
        for _ in range(random.integers(1, 4)):
            at = int(random.integers(8, header if random.random() < 0.8 else len(content)))
            width = int(random.choice([1, 1, 4, 8]))
            byte = int(random.choice([random.integers(256), *interesting]))
            content[at : at + width] = bytes([byte]) * len(content[at : at + width])
        try:
            vectors = damaged(bytes(content), errors="replace")
            vectors.most_similar(vectors.words[0])  # what was damaged may be too long for cosines
        except ValueError:
            failed += 1
    assert 300 < failed < 1500


HEADER = struct.Struct("<ii12id3i2q")  # magic, version, 12 arguments, t, 3 sizes, tokens, pruned pairs


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (1, 13, "must be of version 11 or 12, got 13"),
        (2, 0, r"the header is damaged \(dim 0, "),
        (2, -3, r"the header is damaged \(dim -3, "),
        (2, 4, r"input matrix must have the shape \(13, 4\) after the header, got \(13, 3\)"),
        (8, 5, "loss 5"),
        (9, 0, "model 0"),
        (10, -1, "buckets must be an int from 1 to 1073741824, got -1"),
        (10, 0, "buckets must be an int from 1 to 1073741824, got 0"),
        (10, 2**30, r"must have the shape \(1073741828, 3\) after the header, got \(13, 3\)"),
        (12, 2**31 - 1, "max_n must be an int from 0 to 100, got 2147483647"),
        (14, float("nan"), "t nan"),
        (15, 5, "sizes in the header contradict each other"),
        (16, -1, "sizes in the header contradict each other"),
        (17, -1, "sizes in the header contradict each other"),
        (19, 0, "a quantized fastText model"),
        (19, 2**40, "the 1,099,511,627,776 buckets that are kept take 8,796,093,022,208 bytes or more"),
    ],
)
def test_headers_that_cannot_be(damaged, whole, field, value, message):
    fields = list(HEADER.unpack_from(whole))
    fields[field] = value
    with pytest.raises(ValueError, match=message):
        damaged(HEADER.pack(*fields) + whole[HEADER.size :])


def test_sizes_beyond_the_file_allocate_nothing(damaged, whole):
    fields = list(HEADER.unpack_from(whole))
    fields[15] = fields[16] = 2**31 - 1
    with pytest.raises(
        ValueError, match="2,147,483,647 words that the header promises take 21,474,836,470 bytes"
    ):
        damaged(HEADER.pack(*fields) + whole[HEADER.size :])
    fields = list(HEADER.unpack_from(whole))
    fields[10] = 2**30
    shape = whole.index(struct.pack("<2q", 13, 3))
    content = HEADER.pack(*fields) + whole[HEADER.size : shape]
    with pytest.raises(
        ValueError, match="the 1,073,741,828 rows of the input matrix take 12,884,901,936 bytes"
    ):
        damaged(content + struct.pack("<2q", 2**30 + 4, 3) + whole[shape + 16 :])


def test_words_counts_and_types_that_cannot_be(damaged, whole):
    entry = b"paris\0" + struct.pack("<qb", 1, 0)
    assert entry in whole
    for bad in (struct.pack("<qb", -1, 0), struct.pack("<qb", 1, 1), struct.pack("<qb", 1, 7)):
        with pytest.raises(ValueError, match="a word has a negative count or another type"):
            damaged(whole.replace(entry, b"paris\0" + bad))
    with pytest.raises(ValueError, match="'Zürich' is both word 1 and word 2"):
        damaged(whole.replace(entry, "Zürich\0".encode() + struct.pack("<qb", 1, 0)))
    with pytest.raises(ValueError, match="word 1 of 4: no NUL ends it within 8,388,608 bytes"):
        damaged(whole.replace(entry, b"x" * 20_000_000))


def test_words_that_are_not_utf8(damaged, whole, tmp_path):
    content = whole.replace(b"paris\0", b"par\xffs\0")
    with pytest.raises(ValueError, match=r"word 1 of 4: byte 4 of the word b'par\\xffs' is not UTF-8"):
        damaged(content)
    vectors = damaged(content, errors="replace")
    assert vectors.words[0] == "par\ufffds"
    # Its n-grams are those of its bytes, as in fastText.
    offsets, rows = vectors.subwords.rows([b"par\xffs", *vectors.words[1:]])
    expected = vectors.input_vectors[rows[: offsets[1]]].mean(axis=0)
    np.testing.assert_allclose(vectors["par\ufffds"], expected, atol=1e-6)
    assert damaged(content, errors="ignore").words[0] == "pars"


@pytest.mark.parametrize("row", [0, 12])
def test_rows_that_are_not_finite(damaged, whole, row):
    at = whole.index(struct.pack("<2q", 13, 3)) + 16 + 12 * row
    content = whole[:at] + struct.pack("<3f", 1, np.nan, -np.inf) + whole[at + 12 :]
    word = ", 'paris'" if row == 0 else ""
    with pytest.raises(
        ValueError,
        match=rf"input_vectors must be finite .* nan in dimension 2 of row {row + 1}{word}; on_nonf",
    ):
        damaged(content)
    with pytest.warns(UserWarning) as caught:
        vectors = damaged(content, on_nonfinite="drop")
    assert np.isfinite(vectors.vectors).all() and np.isfinite(vectors.input_vectors).all()
    if row == 0:
        assert [str(warning.message).partition(": ")[2] for warning in caught] == [
            "dropped 1 of 4 words whose vectors are not finite, first 'paris'"
        ]
        assert vectors.words == ["Zürich", "東京", "</s>"]
        intact = damaged(whole)
        np.testing.assert_array_equal(vectors.vectors, intact.vectors[1:])
        np.testing.assert_array_equal(vectors["parisian"], intact["parisian"])
    else:
        assert "1 rows of n-grams that are not finite are now 0" in str(caught[0].message)
        assert not vectors.input_vectors[-1].any()
        assert "</s>" in vectors.words  # it has no n-grams


def test_models_can_be_written_without_vectors_of_ours(tmp_path):
    file = FastTextFile(["a"], None, np.ones((1, 2), np.float32), None, Subwords(0, 0, 0), {"model": "cbow"})
    write_model(tmp_path / "m.bin", file)
    assert read_model(tmp_path / "m.bin").parameters["model"] == "cbow"
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_model(tmp_path / "nowhere.bin")


# ---- The tree of the hierarchical softmax ----------------------------------------------------------------


def score_by_theirs(file, hidden):
    """Probabilities of all words as fastText computes them: binaryLogistic() along the paths of its tree."""
    counts = [*file.counts.tolist(), *[10**15] * (len(file.words) - 1)]
    parent, binary = [-1] * len(counts), [False] * len(counts)
    leaf, node, n = len(file.words) - 1, len(file.words), len(file.words)
    for i in range(n, 2 * n - 1):
        least = []
        for _ in range(2):
            if leaf >= 0 and counts[leaf] < counts[node]:
                least.append(leaf)
                leaf -= 1
            else:
                least.append(node)
                node += 1
        counts[i] = counts[least[0]] + counts[least[1]]
        parent[least[0]] = parent[least[1]] = i
        binary[least[1]] = True
    found = np.ones(n)
    for word in range(n):
        i = word
        while parent[i] >= 0:
            score = file.output_vectors[parent[i] - n].astype(float) @ hidden
            found[word] *= 1 / (1 + np.exp(-score if binary[i] else score))
            i = parent[i]
    return found


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_trees_are_fasttexts(text, tmp_path, model):
    path, again = tmp_path / "theirs.bin", tmp_path / "again.bin"
    options = {
        "dim": 10,
        "epoch": 20,
        "minCount": 1,
        "thread": 10,
        "t": 1,
        "lr": 0.2,
        "verbose": 0,
        "bucket": 50,
    }
    fasttext.train_unsupervised(str(text), model=model, loss="hs", **options).save_model(str(path))
    ours, file = fastvec.load_model(path), read_model(path)
    assert (ours.loss, ours.model) == ("hierarchical_softmax", model)
    found = ours.predict(["garden"], topn=None)
    expected = score_by_theirs(file, ours.vectors_["garden"].astype(float))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert found.sum() == pytest.approx(1)
    ours.save(again)
    assert again.read_bytes() == path.read_bytes()
    before = ours.node_vectors_.copy()
    ours.set_params(threads=1, epochs=2, learning_rate=0.01).fit(text)
    assert ours.history_[-1].loss < np.log(len(file.words))
    assert np.abs(ours.node_vectors_ - before).max() < 0.5
    ours.save(again)
    theirs = fasttext.load_model(str(again))
    np.testing.assert_allclose(theirs.get_word_vector("gardens"), ours.vectors_["gardens"], atol=1e-6)
    np.testing.assert_array_equal(theirs.get_output_matrix()[:-1], -ours.node_vectors_)
    loaded = gensim_fasttext.load_facebook_model(str(again))
    np.testing.assert_array_equal(loaded.syn1[:-1], -ours.node_vectors_)


def test_models_that_fasttext_does_not_have(text, tmp_path):
    small = {"vector_size": 4, "min_count": 1, "buckets": 20, "epochs": 1, "threads": 1}
    grown = fastvec.FastText(loss="hierarchical_softmax", **small).fit(text)
    grown.save(tmp_path / "m.bin")
    whole = (tmp_path / "m.bin").read_bytes()
    for more in (["garden", "gardens"], ["more", "words"]):
        grown.fit([more] * 99, update_vocabulary=True)
        with pytest.raises(ValueError, match=r"must end in \.fvec with a tree from before update_vocabulary"):
            grown.save(tmp_path / "m.bin")
    with pytest.raises(
        ValueError, match=r"path must end in \.fvec with pooling='sum', which fastText does not"
    ):
        fastvec.FastText(model="cbow", pooling="sum", **small).fit(text).save(tmp_path / "m.bin")
    assert (tmp_path / "m.bin").read_bytes() == whole
    (tmp_path / "m.bin").write_bytes(whole.replace("Zürich\0".encode(), b"\xff\xff\xff\xff\xff\xff\xff\0"))
    with (
        pytest.warns(UserWarning, match="dropped"),
        pytest.raises(
            ValueError, match=r"the tree .* of which errors='ignore' leaves \d+; fastvec.load reads"
        ),
    ):
        fastvec.load_model(tmp_path / "m.bin", errors="ignore")


def test_files_of_the_first_version(text, tmp_path):
    model = fastvec.FastText(vector_size=6, epochs=1, min_count=1, buckets=50, threads=1).fit(text)
    path = tmp_path / "v.bin"
    model.save(path)
    make_of_2016(path)
    ours = fastvec.load(path)
    assert ours.words == model.vectors_.words
    np.testing.assert_array_equal(ours.vectors, model.vectors_.vectors)
    np.testing.assert_array_equal(ours["gardener"], model.vectors_["gardener"])
    np.testing.assert_array_equal(fastvec.load_model(path).output_vectors_, model.output_vectors_)
    theirs = gensim_fasttext.load_facebook_vectors(path)
    assert theirs.index_to_key == ours.words
    words = [word for word in ours.words if word != "</s>"]
    np.testing.assert_allclose(theirs[words], ours[words], atol=1e-6)
    np.testing.assert_allclose(theirs["gardener"], ours["gardener"], atol=1e-6)
    whole = path.read_bytes()
    for length in (*range(1, 80), len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"v\.bin"):
            fastvec.load(path)


def test_a_real_file_of_the_first_version():
    """One that gensim's tests came with in 2016, and what fastText itself had written beside it."""
    path = Path(gensim_test_utils.datapath("lee_fasttext.bin"))
    ours, expected = fastvec.load(path), fastvec.load(path.with_suffix(".vec"))
    assert ours.words == expected.words
    words = [word for word in ours.words if word != "</s>"]  # whose n-grams that version still used
    np.testing.assert_allclose(ours[words], expected[words], atol=1e-4)  # of five digits

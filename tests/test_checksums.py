"""A flipped bit is noticed in every file of fastvec's own; files without checksums are read as before."""

import json
import re
from functools import partial

import numpy as np
import pytest
import safetensors.numpy
from saved_classifiers import EVERY

import fastvec
from fastvec import classify
from fastvec.formats.container import read_tensors, write_tensors

pytestmark = pytest.mark.filterwarnings("ignore:train_vectors=True on a small data set")

TEXT = [["to", "be", "or", "not", "to", "be"], ["that", "is", "the", "question"]] * 4
WORDS = ["north", "süd", "east", "west"]
SMALL = {"vector_size": 5, "min_count": 1, "subsample": 0, "threads": 1, "epochs": 2}
MODELS = {
    "SkipGram": fastvec.SkipGram(**SMALL),
    "SkipGram-tree": fastvec.SkipGram(**SMALL, loss="hierarchical_softmax"),
    "CBOW": fastvec.CBOW(**SMALL, position_weights=True),
    "FastText": fastvec.FastText(**SMALL, buckets=20),
    "GloVe": fastvec.GloVe(vector_size=5, epochs=2, threads=1),
}
CLASSIFIERS = ["softmax", "text", "vectorizer-sif", "window-features", "ranker"]


def make_vectors(path):
    matrix = np.arange(24).reshape(4, 6)
    fastvec.Vectors(WORDS, matrix, counts=[9, 7, 5, 3], metadata={"window": 5, "of": "Größe"}).save(path)


def make_model(name, path):
    text = fastvec.Cooccurrence(min_count=1).fit(TEXT) if name == "GloVe" else TEXT
    MODELS[name].fit(text).save(path)


def make_subwords(path):
    MODELS["FastText"].fit(TEXT).vectors_.save(path)


def make_classifier(name, path):
    estimator, X, y, _ = EVERY[name]
    estimator.fit(X, y).save(path)


def make_counts(path):
    fastvec.Cooccurrence(min_count=1, window=3).fit(TEXT).save(path)


def make_phrases(path):
    fastvec.Phrases(min_count=1, threshold=0.1).fit(TEXT).save(path)


def make_cache(path):
    text = path.with_name("text.txt")
    if not text.exists():  # with another time, the cache would be made anew
        text.write_text("\n".join(map(" ".join, TEXT)), encoding="utf-8")
    fastvec.Corpus(text, cache=path)


def said_by_cache(path):
    corpus = fastvec.Corpus(path.with_name("text.txt"), cache=path)
    return (
        corpus.ids.tolist(),
        corpus.sentence_offsets.tolist(),
        corpus.vocabulary.words,
        corpus.vocabulary.counts.tolist(),
    )


def said_by(load, path):
    """All that is loaded from a file, as the bytes of another file."""
    again = path.with_name(f"again{path.suffix}")
    load(path).save(again)
    return again.read_bytes()


FVEC, MAPPED = fastvec.load, partial(fastvec.load, mmap=True, verify=True)
KINDS = {
    "vectors": ("v.fvec", make_vectors, partial(said_by, FVEC)),
    "vectors, mapped": ("v.fvec", make_vectors, partial(said_by, MAPPED)),
    "vectors with n-grams": ("v.fvec", make_subwords, partial(said_by, FVEC)),
    "counts": ("v.fvcounts", make_counts, partial(said_by, fastvec.Cooccurrence.load)),
    "phrases": ("v.json", make_phrases, partial(said_by, fastvec.Phrases.load)),
    "cache": ("v.ids", make_cache, said_by_cache),
    **{name: ("v.fvec", partial(make_model, name), partial(said_by, fastvec.load_model)) for name in MODELS},
    **{
        name: ("v.fvmodel", partial(make_classifier, name), partial(said_by, classify.load))
        for name in CLASSIFIERS
    },
}


def put(path, place, byte):
    """Change a byte where it is: a file that is written anew waits for the disk."""
    with path.open("r+b") as file:
        file.seek(place)
        file.write(bytes([byte]))


@pytest.mark.parametrize("kind", KINDS)
def test_every_flipped_bit_is_noticed_or_changes_nothing(kind, tmp_path):
    name, make, say = KINDS[kind]
    path = tmp_path / name
    make(path)
    content, said = path.read_bytes(), say(path)
    random = np.random.default_rng(len(content))
    start = 8 + int.from_bytes(content[:8], "little") if content[:1] != b"{" else 0
    places = {*range(8), *range(8, start, 3), *random.integers(start, len(content), 300).tolist()}
    noticed = 0
    for place in sorted(places):
        bit = 1 << int(random.integers(8))
        put(path, place, content[place] ^ bit)
        try:
            assert say(path) == said, (place, bit)
        except ValueError as error:
            assert str(error).startswith(f"{path}: ")
            noticed += 1
        put(path, place, content[place])
    assert noticed > 0.97 * len(places)


@pytest.mark.parametrize("kind", KINDS)
def test_files_without_checksums_are_read_as_before(kind, tmp_path):
    name, make, say = KINDS[kind]
    path = tmp_path / name
    make(path)
    said = say(path)
    if path.suffix == ".json":
        content = json.loads(path.read_bytes())
        del content["crc32"]
        path.write_text(json.dumps(content), encoding="utf-8")
    else:
        tensors, metadata = read_tensors(path)
        safetensors.numpy.save_file(tensors, path, metadata)
    if "mapped" in kind:
        with pytest.raises(ValueError, match=f"{re.escape(str(path))}: has no checksums to verify"):
            say(path)
    else:
        assert say(path) == said


def test_a_changed_matrix_is_named(tmp_path):
    path = tmp_path / "v.fvec"
    make_vectors(path)
    content = bytearray(path.read_bytes())
    content[content.index(np.float32(17).tobytes())] ^= 1
    path.write_bytes(content)
    expected = rf"^{re.escape(str(path))}: damaged \(the tensor 'vectors' has another checksum than when"
    for options in ({}, {"verify": True}, {"mmap": True, "verify": True}):
        with pytest.raises(ValueError, match=expected):
            fastvec.load(path, **options)
    assert fastvec.load(path, mmap=True).words == WORDS  # which reads no matrix


@pytest.mark.parametrize("without", ["crc32", "header_crc32"])
def test_half_of_the_checksums_is_damage(without, tmp_path):
    path = tmp_path / "v.fvec"
    make_vectors(path)
    content = path.read_bytes()
    path.write_bytes(content.replace(f'"{without}"'.encode(), b'"' + without[::-1].encode() + b'"'))
    with pytest.raises(ValueError, match="the header has another checksum than when it was written"):
        fastvec.load(path)


def test_a_file_that_another_program_has_arranged_otherwise_is_verified(tmp_path):
    path = tmp_path / "v.fvec"
    make_vectors(path)
    said = said_by(fastvec.load, path)
    with safetensors.safe_open(path, framework="np") as file:
        metadata = file.metadata()
    tensors = safetensors.numpy.load_file(path)
    safetensors.numpy.save_file(tensors, path, metadata)
    assert said_by(partial(fastvec.load, verify=True), path) == said
    tensors["vectors"][0, 0] += 1
    safetensors.numpy.save_file(tensors, path, metadata)
    with pytest.raises(ValueError, match="the tensor 'vectors' has another checksum"):
        fastvec.load(path)


def test_only_files_with_room_for_checksums_are_verified(tmp_path):
    fastvec.Vectors(WORDS, np.eye(4)).save(tmp_path / "v.bin")
    with pytest.raises(
        ValueError, match=r"verify=True needs a \.fvec file, got .*v\.bin in the format 'word2vec"
    ):
        fastvec.load(tmp_path / "v.bin", verify=True)
    with pytest.raises(TypeError, match="verify must be True or False, got 1"):
        fastvec.load(tmp_path / "v.bin", verify=1)


def test_rows_that_are_not_contiguous_and_scalars(tmp_path):
    wide = np.random.default_rng(0).standard_normal((3000, 64)).astype(np.float32)
    write_tensors(tmp_path / "t.safetensors", {"t": wide[:, ::2], "scalar": np.float32(3).reshape(())}, {})
    tensors, _ = read_tensors(tmp_path / "t.safetensors")
    np.testing.assert_array_equal(tensors["t"], wide[:, ::2])
    assert tensors["scalar"] == 3

"""A flipped bit is noticed in every file of fastvec's own; files without checksums are read as before."""

import json
import re
from functools import partial

import numpy as np
import pytest
import safetensors.numpy
import safetensors_files
from saved_classifiers import trained

import fastvec
from fastvec import classify

pytestmark = [
    pytest.mark.filterwarnings("ignore:train_vectors=True on a small data set"),
    pytest.mark.any_backend(trains=True),
]

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
    path.write_bytes(trained(name)[1])


def make_counts(path):
    fastvec.Cooccurrence(min_count=1, window=3).fit(TEXT).save(path)


def make_phrases(path):
    fastvec.Phrases(min_count=1, threshold=0.1).fit(TEXT).save(path)


def make_cache(path):
    text = path.with_name("text.txt")
    if not text.exists():  # with another time, the cache would be made anew
        text.write_text("\n".join(map(" ".join, TEXT)), encoding="utf-8")
    fastvec.Corpus(text, cache=path)


def contents_of_cache(path):
    corpus = fastvec.Corpus(path.with_name("text.txt"), cache=path)
    return (
        corpus.ids.tolist(),
        corpus.sentence_offsets.tolist(),
        corpus.vocabulary.words,
        corpus.vocabulary.counts.tolist(),
    )


def contents_of(load, path):
    """All that is loaded from a file, as the bytes of another file."""
    again = path.with_name(f"again{path.suffix}")
    load(path).save(again)
    return again.read_bytes()


FVEC, MAPPED = fastvec.load, partial(fastvec.load, mmap=True, verify=True)
KINDS = {
    "vectors": ("v.fvec", make_vectors, partial(contents_of, FVEC)),
    "vectors, mapped": ("v.fvec", make_vectors, partial(contents_of, MAPPED)),
    "vectors with n-grams": ("v.fvec", make_subwords, partial(contents_of, FVEC)),
    "counts": ("v.fvcounts", make_counts, partial(contents_of, fastvec.Cooccurrence.load)),
    "phrases": ("v.json", make_phrases, partial(contents_of, fastvec.Phrases.load)),
    "cache": ("v.ids", make_cache, contents_of_cache),
    **{
        name: ("v.fvec", partial(make_model, name), partial(contents_of, fastvec.load_model))
        for name in MODELS
    },
    **{
        name: ("v.fvmodel", partial(make_classifier, name), partial(contents_of, classify.load))
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
    name, make, read = KINDS[kind]
    path = tmp_path / name
    make(path)
    content, expected = path.read_bytes(), read(path)
    random = np.random.default_rng(len(content))
    start = 8 + int.from_bytes(content[:8], "little") if content[:1] != b"{" else 0
    places = {*range(8), *range(8, start, 3), *random.integers(start, len(content), 300).tolist()}
    noticed = 0
    for place in sorted(places):
        bit = 1 << int(random.integers(8))
        put(path, place, content[place] ^ bit)
        try:
            assert read(path) == expected, (place, bit)
        except ValueError as error:
            assert str(error).startswith(f"{path}: ")
            noticed += 1
        put(path, place, content[place])
    assert noticed > 0.97 * len(places)


@pytest.mark.parametrize("kind", KINDS)
def test_files_without_checksums_are_read_as_before(kind, tmp_path):
    name, make, read = KINDS[kind]
    path = tmp_path / name
    make(path)
    expected = read(path)
    if path.suffix == ".json":
        content = json.loads(path.read_bytes())
        del content["crc32"]
        path.write_text(json.dumps(content), encoding="utf-8")
    else:
        safetensors_files.write(path, *safetensors_files.read(path))
    if "mapped" in kind:
        with pytest.raises(ValueError, match=f"{re.escape(str(path))}: has no checksums to verify"):
            read(path)
    else:
        assert read(path) == expected


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
    before = contents_of(fastvec.load, path)
    with safetensors.safe_open(path, framework="np") as file:
        metadata = file.metadata()
    tensors = safetensors.numpy.load_file(path)
    safetensors.numpy.save_file(tensors, path, metadata)
    assert contents_of(partial(fastvec.load, verify=True), path) == before
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

"""Vectors in files of bfloat16 and int8, and in fewer dimensions, against roundings written out."""

import struct
import tracemalloc

import numpy as np
import pytest
import safetensors
import safetensors_files

import fastvec
from fastvec import SubwordVectors, Vectors
from fastvec.vectors import Subwords

pytestmark = pytest.mark.any_backend

SMALL = ("bfloat16", "int8")
N, D = 300, 20
RANDOM = np.random.default_rng(5)
MATRIX = (RANDOM.standard_normal((N, D)) * RANDOM.uniform(0.01, 50, (N, 1))).astype(np.float32)
MATRIX[7] = 0


def make():
    return Vectors([f"w{i}" for i in range(N)], MATRIX, range(N, 0, -1), {"window": 5})


def with_ngrams(hash_count=None):
    rows = RANDOM.standard_normal((50 if hash_count else N + 50, D))
    return SubwordVectors(make().words, rows, Subwords(2, 3, 50, hash_count), range(N, 0, -1))


def rounded(matrix, dtype):
    """What is left of a matrix."""
    if dtype == "int8":
        scales = np.abs(matrix).max(axis=1, keepdims=True) / np.float32(127)
        return np.rint(matrix / np.where(scales, scales, 1)).astype(np.float32) * scales
    halves = [
        min(
            (half for half in (0, 1) if (high := bits >> 16) + half < 1 << 16),
            key=lambda half: (abs(number(high + half) - number_of(bits)), (high + half) % 2),
        )
        + high
        for bits in matrix.view(np.uint32).ravel().tolist()
    ]
    return np.array([number(half) for half in halves], np.float32).reshape(matrix.shape)


def number(half):
    return struct.unpack(">f", struct.pack(">Hxx", half))[0]


def number_of(bits):
    return struct.unpack(">f", struct.pack(">I", bits))[0]


@pytest.fixture(params=SMALL)
def dtype(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["read", "mapped"])
def small(request, tmp_path, dtype):
    make().save(tmp_path / "v.fvec", dtype=dtype)
    return fastvec.load(tmp_path / "v.fvec", mmap=request.param)


def test_numbers_are_rounded(small, dtype):
    expected = rounded(MATRIX, dtype)
    np.testing.assert_array_equal(small.vectors, expected)
    np.testing.assert_array_equal(np.asarray(small), expected)
    np.testing.assert_array_equal(small["w3"], expected[3])
    np.testing.assert_array_equal(small[["w3", "w0"]], expected[[3, 0]])
    assert small.vectors.dtype == small["w3"].dtype == np.float32
    assert small.vectors.shape == (N, small.vector_size) == (N, D)
    assert small.words == make().words and small.metadata == {"window": 5}
    assert small.counts.tolist() == list(range(N, 0, -1))
    with pytest.raises(ValueError, match="read-only"):
        small.vectors[0] = 1
    error = np.abs(expected - MATRIX)
    if dtype == "int8":
        assert (error <= 0.5001 * np.abs(MATRIX).max(axis=1, keepdims=True) / 127).all() and error.any()
    else:
        assert (error <= np.abs(MATRIX) / 256).all() and error.any()


def test_numbers_at_the_ends_of_float32(tmp_path, dtype):
    largest, least = np.finfo(np.float32).max, np.finfo(np.float32).smallest_subnormal
    matrix = np.array([[largest, -largest], [least, 0], [-1e-39, 3e-42], [1, -0.0]], np.float32)
    Vectors(list("abcd"), matrix).save(tmp_path / "v.fvec", dtype=dtype)
    loaded = fastvec.load(tmp_path / "v.fvec").vectors
    np.testing.assert_allclose(loaded[[0, 3]], matrix[[0, 3]], rtol=0.01)
    np.testing.assert_allclose(loaded[1:3], matrix[1:3], atol=1e-39)


def test_files_are_as_small(tmp_path):
    sizes = {}
    for dtype in (None, "float32", *SMALL):
        make().save(tmp_path / "v.fvec", dtype=dtype)
        sizes[dtype] = (tmp_path / "v.fvec").stat().st_size
    assert sizes[None] == sizes["float32"]
    assert 0 <= sizes["float32"] - sizes["bfloat16"] - 2 * N * D < 256
    assert abs(sizes["float32"] - sizes["int8"] - 3 * N * D + 4 * N) < 256


def test_all_that_is_computed_is_computed_of_the_rounded_numbers(small, dtype):
    plain = Vectors(make().words, rounded(MATRIX, dtype), make().counts)
    ours, theirs = (each.most_similar("w3", topn=9) for each in (small, plain))
    assert [word for word, _ in ours] == [word for word, _ in theirs]
    for ask in (
        lambda each: [cosine for _, cosine in each.most_similar(["w1", MATRIX[2]], ["w4"], restrict=90)],
        lambda each: each.most_similar_batch(["w1", "w9", MATRIX[2]], topn=None),
        lambda each: [[cosine for _, cosine in found] for found in each.most_similar_batch(each.words[:70])],
        lambda each: each.analogy("w1", "w2", "w3", topn=None, method="3cosmul"),
        lambda each: each.similarity("w1", "w2"),
        lambda each: each.similarities("w1", ["w2", MATRIX[9]]),
        lambda each: each.n_similarity(["w1", "w2"], ["w3"]),
        lambda each: each.mean(["w1", "w2"], unit=True),
        lambda each: each.rank("w1", "w2"),
        lambda each: each.postprocess(remove_top=2, unit_length=True).vectors,
        lambda each: np.abs(each.reduce(5).vectors),
        lambda each: each.align(make()).vectors,
        lambda each: each.subset(["w9", "w2"]).vectors,
        lambda each: each.with_words(["w9", "x"], np.ones((2, D))).vectors,
        lambda each: each.truncate(3).vectors,
        lambda each: fastvec.combine([each, make()]).vectors,
    ):
        np.testing.assert_allclose(ask(small), ask(plain), rtol=1e-4, atol=1e-5)
    assert small.doesnt_match(["w1", "w2", "w3"]) == plain.doesnt_match(["w1", "w2", "w3"])
    assert small._repr_html_() == plain._repr_html_()


def test_analogies_and_similarities_are_evaluated(tmp_path, small, dtype):
    (tmp_path / "questions.txt").write_text(
        ": all\n" + "".join(f"w{i} w{i + 1} w{i + 2} w{i + 3}\n" for i in range(20, 200, 4))
    )
    plain = Vectors(make().words, rounded(MATRIX, dtype))
    ours, theirs = (fastvec.evaluate.analogies(each, tmp_path / "questions.txt") for each in (small, plain))
    assert ours.total == theirs.total


def test_what_was_loaded_is_saved_as_it_is_unless_asked_for_otherwise(tmp_path, small, dtype):
    small.save(tmp_path / "again.fvec")
    assert (tmp_path / "again.fvec").read_bytes() == (tmp_path / "v.fvec").read_bytes()
    small.save(tmp_path / "large.fvec", dtype="float32")
    np.testing.assert_array_equal(fastvec.load(tmp_path / "large.fvec").vectors, small.vectors)
    assert (tmp_path / "large.fvec").stat().st_size > 4 * N * D
    for extension in ("bin", "vec", "glove"):
        small.save(tmp_path / f"v.{extension}")
        np.testing.assert_array_equal(fastvec.load(tmp_path / f"v.{extension}").vectors, small.vectors)
        with pytest.raises(
            ValueError, match=f"dtype='{dtype}' needs a .fvec file, got the format '.*', which"
        ):
            small.save(tmp_path / f"w.{extension}", dtype=dtype)
    with pytest.raises(ValueError, match="dtype must be one of 'float32', 'bfloat16', 'int8', got 'int4'"):
        small.save(tmp_path / "w.fvec", dtype="int4")
    assert not list(tmp_path.glob("w.*"))


def test_a_part_and_other_types_of_a_file(tmp_path, dtype):
    make().save(tmp_path / "v.fvec", dtype=dtype)
    expected = rounded(MATRIX, dtype)
    for mmap in (False, True):
        some = fastvec.load(tmp_path / "v.fvec", limit=9, words=["w4", "w2", "w20"], mmap=mmap)
        np.testing.assert_array_equal(some.vectors, expected[[2, 4]])
        some.save(tmp_path / "some.fvec")
        assert (tmp_path / "some.fvec").stat().st_size < 1000
    for asked in ("float32", "float16"):
        loaded = fastvec.load(tmp_path / "v.fvec", dtype=asked)
        assert loaded.vectors is loaded.vectors and loaded.vectors.dtype == asked
        np.testing.assert_array_equal(loaded.vectors, expected.astype(asked))
        with pytest.raises(ValueError, match=f"dtype='{asked}' needs mmap=False"):
            fastvec.load(tmp_path / "v.fvec", dtype=asked, mmap=True)


@pytest.mark.parametrize("hash_count", [None, 2])
@pytest.mark.parametrize("mmap", [False, True])
def test_ngrams_are_small_too(tmp_path, dtype, hash_count, mmap):
    vectors = with_ngrams(hash_count)
    vectors.save(tmp_path / "v.fvec", dtype=dtype)
    small = fastvec.load(tmp_path / "v.fvec", mmap=mmap)
    assert (tmp_path / "v.fvec").stat().st_size < 0.7 * 4 * (vectors.input_vectors.size + N * D)
    np.testing.assert_array_equal(small.input_vectors, rounded(vectors.input_vectors, dtype))
    np.testing.assert_allclose(small["unseen"], vectors["unseen"], atol=0.02)
    assert small.most_similar("unseen", topn=1)[0][0] in small
    for changed in (small.subset(["w9", "unseen"]), small.drop(["w1"]), small.reduce(5), small.truncate(5)):
        assert isinstance(changed, SubwordVectors) and changed.most_similar("unseen")
    some = fastvec.load(tmp_path / "v.fvec", mmap=mmap, limit=9)
    np.testing.assert_array_equal(some["unseen"], small["unseen"])
    np.testing.assert_array_equal(some.vectors, small.vectors[:9])
    if hash_count is None:
        more = small.with_words(["new"], np.ones((1, D)))
        np.testing.assert_allclose(more["new"], 1)
        np.testing.assert_array_equal(more["unseen"], small["unseen"])
        small.save(tmp_path / "v.bin")
        np.testing.assert_allclose(fastvec.load(tmp_path / "v.bin")["unseen"], small["unseen"], atol=1e-6)


def test_searching_does_not_convert_all_of_it(tmp_path, dtype):
    matrix = np.random.default_rng(0).standard_normal((100_000, 50), np.float32)
    Vectors(range(len(matrix)), matrix).save(tmp_path / "v.fvec", dtype=dtype)
    small = fastvec.load(tmp_path / "v.fvec", mmap=True)
    tracemalloc.start()
    small.most_similar(5)
    small.most_similar_batch([5, 6, 7, 8], topn=3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < matrix.nbytes / 2


def test_nearly_all_of_the_nearest_stay(tmp_path, dtype):
    """Random directions are the hardest case: their cosines are the closest to each other."""
    vectors = Vectors(range(2000), np.random.default_rng(0).standard_normal((2000, 50)))
    vectors.save(tmp_path / "v.fvec", dtype=dtype)
    nearest = [each.most_similar_batch(range(200)) for each in (vectors, fastvec.load(tmp_path / "v.fvec"))]
    shared = [len({*dict(a)} & {*dict(b)}) / 10 for a, b in zip(*nearest, strict=True)]
    assert {"bfloat16": 0.95, "int8": 0.93}[dtype] < np.mean(shared) <= 1


def test_other_programs_read_them(tmp_path, small, dtype):
    with safetensors.safe_open(tmp_path / "v.fvec", framework="np") as file:
        assert file.get_slice("vectors").get_dtype() == {"bfloat16": "BF16", "int8": "I8"}[dtype]
        if dtype == "int8":
            product = file.get_tensor("vectors") * file.get_tensor("vectors_scales")[:, np.newaxis]
            np.testing.assert_array_equal(product, small.vectors)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda tensors: tensors.pop("vectors_scales"),
            "vectors_scales must be float32, one for each row of ",
        ),
        (
            lambda tensors: tensors.update(vectors_scales=tensors["vectors_scales"][1:]),
            r"vectors_scales must be float32, one for .* got float32 of shape \(299,\)",
        ),
        (
            lambda tensors: tensors.update(vectors=tensors["vectors"].astype(np.int16)),
            "vectors must be float32, bfloat16 or int8, got int16",
        ),
        (lambda tensors: tensors["vectors_scales"].put(3, np.nan), "got nan in dimension 1 of word 4, 'w3'"),
    ],
)
def test_files_that_are_not_as_they_should_be(tmp_path, change, message):
    make().save(tmp_path / "v.fvec", dtype="int8")
    safetensors_files.rewrite(
        tmp_path / "v.fvec", "parameters", lambda tensors, _: (change(tensors), None)[1]
    )
    with pytest.raises(ValueError, match=message):
        fastvec.load(tmp_path / "v.fvec")


def test_rows_that_are_not_finite_are_dropped(tmp_path):
    make().save(tmp_path / "v.fvec", dtype="int8")
    change = lambda tensors, _: tensors["vectors_scales"].put(3, np.inf)  # noqa: E731
    safetensors_files.rewrite(tmp_path / "v.fvec", "parameters", change)
    with pytest.warns(UserWarning, match="dropped 1 of 300 words"):
        assert "w3" not in fastvec.load(tmp_path / "v.fvec", on_nonfinite="drop")
    with pytest.raises(ValueError, match="must be finite numbers"):
        fastvec.load(tmp_path / "v.fvec", mmap=True).most_similar("w1")


@pytest.mark.parametrize("d", [1, 4, 19, 20])
def test_the_first_dimensions_keep_as_much_as_any_can(d):
    vectors = Vectors(make().words, MATRIX + 3 * np.arange(D), make().counts)  # with a mean
    ordered = vectors.order_dimensions()
    cosines = vectors.most_similar_batch(vectors.words, topn=None)
    np.testing.assert_allclose(ordered.most_similar_batch(vectors.words, topn=None), cosines, atol=1e-5)
    short = ordered.truncate(d)
    assert (short.vector_size, short.words) == (d, vectors.words)
    assert short.counts.tolist() == vectors.counts.tolist()
    lengths = np.linalg.norm(vectors.vectors, axis=1, keepdims=True)
    kept = np.square(short.vectors / lengths).sum()
    values = np.linalg.svd(vectors.vectors / lengths, compute_uv=False) ** 2
    np.testing.assert_allclose(kept, values[:d].sum(), rtol=1e-4)
    assert short.metadata == {"postprocessing": [{"ordered_dimensions": True}, {"truncated": d}]}


def test_the_order_depends_on_directions_alone():
    longer = Vectors(make().words, MATRIX * RANDOM.uniform(1, 9, (N, 1)))
    units = [each.order_dimensions().postprocess(center=False, unit_length=True) for each in (make(), longer)]
    np.testing.assert_allclose(units[0].vectors, units[1].vectors, atol=1e-4)


def test_truncating_is_saved_in_every_format(tmp_path):
    short = make().truncate(3)
    for extension in ("fvec", "bin", "vec"):
        short.save(tmp_path / f"v.{extension}")
        np.testing.assert_array_equal(fastvec.load(tmp_path / f"v.{extension}").vectors, MATRIX[:, :3])
    short.save(tmp_path / "v.fvec", dtype="int8")
    np.testing.assert_array_equal(fastvec.load(tmp_path / "v.fvec").vectors, rounded(MATRIX[:, :3], "int8"))


@pytest.mark.parametrize("d", [0, 21])
def test_dimensions_that_are_not_there(d):
    with pytest.raises(ValueError, match=f"n_dimensions must be an int from 1 to 20, got {d}"):
        make().truncate(d)


def test_damage_is_noticed(tmp_path, dtype):
    make().save(tmp_path / "v.fvec", dtype=dtype)
    content = bytearray((tmp_path / "v.fvec").read_bytes())
    content[-N * D // 2] ^= 1
    (tmp_path / "v.fvec").write_bytes(content)
    for options in ({}, {"mmap": True, "verify": True}):
        with pytest.raises(ValueError, match="damaged"):
            fastvec.load(tmp_path / "v.fvec", **options)

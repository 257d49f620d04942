"""Files of safetensors: what is written and read, mapped and refused, whatever they hold."""

import json
import re

import numpy as np
import pytest
import safetensors.numpy

from fastvec.formats.container import map_tensors, read_tensors, write_tensors

pytestmark = pytest.mark.any_backend


def test_files_of_the_safetensors_package_are_mapped(tmp_path):
    path = tmp_path / "x.safetensors"
    arrays = {
        "f": np.ones((3, 5), np.float32),
        "none": np.empty((0, 3), np.int8),
        "b": np.array([True, False]),
    }
    safetensors.numpy.save_file(arrays, path, metadata={"key": "value"})
    tensors, metadata = map_tensors(path)
    assert metadata == {"key": "value"}
    for name, array in arrays.items():
        np.testing.assert_array_equal(tensors[name], array, strict=True)
    assert isinstance(tensors["f"], np.memmap)


def entry(dtype="F32", shape=(2,), begin=0, end=8):
    return {"dtype": dtype, "shape": shape, "data_offsets": (begin, end)}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"t": entry(end=16, shape=(4,))}, "truncated"),
        ({"t": entry(end=2**62, shape=(2**60,))}, "truncated"),
        ({"t": entry(end=4, shape=(1,))}, "corrupt"),
        ({"t": entry(shape=(3,))}, "contradicts"),
        ({"t": entry(shape=(-2,))}, "impossible"),
        ({"t": entry(shape=(2.0,))}, "impossible"),
        ({"t": entry(shape=2)}, "impossible"),
        ({"t": entry(begin=-8, end=0)}, "impossible"),
        ({"t": entry(begin=0), "u": entry(begin=4, end=12)}, "overlap"),
        ({"t": entry(), "u": entry(shape=(0, 2**70), begin=8, end=8)}, "impossible"),
        ({"t": entry("F8_E4M3", (8,))}, "dtype 'F8_E4M3', which is not supported"),
        ({"t": entry(["F32"])}, "not supported"),
        ({"t": {"dtype": "F32"}}, "lacks dtype, shape or data_offsets"),
        ({"t": 5}, "lacks dtype, shape or data_offsets"),
        ({"__metadata__": {"key": 1}}, "metadata are not strings"),
        ({"__metadata__": 1}, "metadata are not strings"),
        ([], "not a JSON object"),
    ],
)
def test_headers_that_cannot_be_true(tmp_path, header, message):
    path = tmp_path / "x.safetensors"
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(8))
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: .*{message}"):
        map_tensors(path)


@pytest.mark.parametrize("text", [b"no JSON at all", b"[" * 100_000, b'{"a": \xff}'])
def test_headers_that_are_no_json(tmp_path, text):
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    with pytest.raises(ValueError, match="the header is not JSON"):
        map_tensors(path)


def test_tensors_that_are_not_aligned_are_copied(tmp_path):
    path = tmp_path / "x.safetensors"
    text = json.dumps({"t": entry()}).encode()
    text += b" " * (1 + -len(text) % 4)
    path.write_bytes(len(text).to_bytes(8, "little") + text + np.array([1, 2], "<f4").tobytes())
    tensor = map_tensors(path)[0]["t"]
    assert tensor.tolist() == [1, 2]
    assert tensor.flags.aligned
    assert not tensor.flags.writeable


def test_rows_that_are_not_contiguous_and_scalars(tmp_path):
    wide = np.random.default_rng(0).standard_normal((3000, 64)).astype(np.float32)
    write_tensors(tmp_path / "t.safetensors", {"t": wide[:, ::2], "scalar": np.float32(3).reshape(())}, {})
    tensors, _ = read_tensors(tmp_path / "t.safetensors")
    np.testing.assert_array_equal(tensors["t"], wide[:, ::2])
    assert tensors["scalar"] == 3

"""Files of fastvec's own as the safetensors package reads and writes them: without their checksums."""

import json

import numpy as np
import safetensors
import safetensors.numpy


def read(path):
    """Return the tensors and the metadata of a file."""
    with safetensors.safe_open(path, framework="np") as file:
        metadata = file.metadata()
    return safetensors.numpy.load_file(path), {
        name: text for name, text in metadata.items() if "crc32" not in name
    }


def write(path, tensors, metadata):
    """Write a file without checksums."""
    tensors = {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}
    safetensors.numpy.save_file(tensors, path, metadata)


def rewrite(path, account, change):
    """Write a file anew with what `change` makes of its tensors and of one of its metadata, which is JSON.

    `change` may return another text for the latter.
    """
    tensors, metadata = read(path)
    value = json.loads(metadata[account])
    text = change(tensors, value)
    write(path, tensors, metadata | {account: text if isinstance(text, str) else json.dumps(value)})

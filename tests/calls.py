"""Functions that workers call: other processes import them from here."""

import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Pair(NamedTuple):
    first: Any
    second: Any


def scaled(array, factor):
    assert not array.flags.writeable
    return array * factor


def added(*arrays):
    return sum(arrays)


def listed(*items):
    """Return items as what shows how they were merged."""
    return f"({' '.join(items)})"


def halves(array):
    return array[: len(array) // 2], array[len(array) // 2 :]


def one_part(array):
    return (array.sum(),)


def refuse(what):
    raise ValueError(f"what must be something else, got {what!r}")


def end():
    os.kill(os.getpid(), signal.SIGKILL)


def backend():
    from fastvec import kernels

    return kernels.selected()


def killed_once(marker, result):
    """Return a result, but not the first time: then the process is killed."""
    kill_once(marker)
    return result


def kill_once(marker):
    try:
        Path(marker).touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def stop_once(marker):
    """Stop the first process that comes here, and return whether it was this; a file has its number."""
    try:
        with Path(marker).open("x", encoding="utf-8") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        return False
    os.kill(os.getpid(), signal.SIGSTOP)
    return True


def go_on(marker):
    """Let the process go on that was stopped, and return its number."""
    number = int(Path(marker).read_text(encoding="utf-8"))
    os.kill(number, signal.SIGCONT)
    return number


def large_or_stopped(marker, error, n):
    """Return an array, or an error where this process was stopped and is to go on with one."""
    if marker is not None and stop_once(marker) and error is not None:
        raise error
    return np.arange(n)


def limit_files(n_bytes):
    """Let no file of this process become larger."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def own_number(_):
    return os.getpid()


def train_or_die(train_lanes, lane, tasks, *arrays):
    """Train on pieces in a round; the first process that meets one of the middle of the text is killed."""
    if tasks[0].piece[0][0] > 300:
        kill_once(os.environ["MARKER"])
    return train_lanes(lane, tasks, *arrays)


def train_or_hang(train_lanes, lane, tasks, *arrays):
    """Train on pieces; one process that does is killed, and one stops, and goes on after a while."""
    begin, stopped = tasks[0].piece[0][0], f"{os.environ['MARKER']}-stopped"
    if begin > 6000 and Path(stopped).exists():
        go_on(stopped)
    elif begin > 3000:
        stop_once(stopped)
    return train_or_die(train_lanes, lane, tasks, *arrays)


def train_selected(train_lanes, lane, tasks, used, *arrays):
    """Train on pieces, after checking that no row is there that they do not use; a file says that it was."""
    Path(os.environ["MARKER"]).touch()
    selected = arrays[len(lane.arrays) :]
    for of_side, of_pieces in enumerate(zip(*(own.rows for own in used), strict=True)):
        n_blocks = len(lane.firsts["input_vectors"]) - 1
        of_blocks = selected[n_blocks:] if of_side else selected[:n_blocks]
        rows = np.concatenate([block.rows for block in of_blocks])
        np.testing.assert_array_equal(rows, sorted({*np.concatenate(of_pieces).tolist()}))
        assert all(block.vectors.shape == (len(block.rows), lane.stride) for block in of_blocks)
    return train_lanes(lane, tasks, used, *arrays)


def train_selected_or_whole(train_lanes, lane, tasks, used, *arrays):
    """Train on what was selected for pieces or, when one machine is left, on whole blocks."""
    if used is None:
        return train_lanes(lane, tasks, used, *arrays)
    return train_selected(train_lanes, lane, tasks, used, *arrays)


def train_range_or_die(train_range, own, turn, *arrays):
    """Train on tiles; the first process to which rows come from several others is killed."""
    if len(turn.arriving) > 1:
        kill_once(os.environ["MARKER"])
    return train_range(own, turn, *arrays)


def nap(folder, seconds):
    """Sleep, and leave a file."""
    tempfile.mkstemp(dir=folder)
    time.sleep(seconds)


def large(n):
    """Return a tuple whose arrays are large and small."""
    return np.arange(n), Pair(np.ones(3), np.arange(2 * n).reshape(2, -1))


def sums(*items):
    """Return sums of arrays, which are read-only."""
    arrays = [array for item in items for array in (item if isinstance(item, tuple) else (item,))]
    assert not any(array.flags.writeable for array in arrays if array.size > 3)
    return [int(array.sum()) for array in arrays]


def split_or_die(line):
    """Split a line; the first process that meets the word "killed" is killed."""
    words = line.split()
    if "killed" in words:
        kill_once(os.environ["MARKER"])
    return words


def split_slowly(line):
    """Split a line, and leave the number of this process; it takes a minute."""
    Path(os.environ["MARKER"], str(os.getpid())).touch()
    time.sleep(60)
    return line.split()


def split_words(line):
    return line.split()


def split_numbers(line):
    """Split a line at dots, so that words may have line feeds; numbers are int."""
    words = line.replace("/", "\n").split(".")
    return [int(word) if word.isdecimal() else word for word in words if word]


def split_and_remove(line):
    """Split a line, and remove a file, or what is in a folder."""
    path = Path(os.environ["VANISHES"])
    if path.is_dir():
        for found in path.iterdir():
            found.rmdir()
    else:
        path.unlink(missing_ok=True)
    return line.split()

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fastvec import kernels

FLOATS = st.integers(0, 2**32 - 1).map(lambda bits: np.uint32(bits).view(np.float32))
DIGITS = st.text("0123456789", max_size=25)
NUMBERS = (
    st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.floats(-1, 1).map(repr)
    | st.floats(-1, 1).map("{:.18e}".format)
    | FLOATS.filter(np.isfinite).map(lambda value: f"{value:.9g}")
    | st.tuples(DIGITS, DIGITS, st.integers(-60, 60)).map(lambda parts: "{}.{}1e{}".format(*parts))
    | DIGITS.map(lambda digits: f"-0.{digits}0")
    | DIGITS.map(lambda digits: f"+{digits}7.")
)


@pytest.fixture(scope="session")
def rows(backend):
    return kernels.get("rows", backend)


def joined(names):
    offsets = np.cumsum([0, *map(len, names)], dtype=np.int64)
    return np.frombuffer(b"".join(names), np.uint8), offsets


def read_text(rows, text, n, d):
    values, names = np.empty((n, d), np.float32), np.empty((n, 2), np.int64)
    regular = rows.read_text(text, values, names)
    return regular and ([text[begin:end] for begin, end in names.tolist()], values)


def assert_same_bits(values, expected):
    np.testing.assert_array_equal(values.view(np.uint32), np.asarray(expected, np.float32).view(np.uint32))


@given(numbers=st.lists(NUMBERS, min_size=1, max_size=20))
@example(
    ["5.3679148639076e-14", "0.50000001490116119385", "8.69757362148759766e-10", "0e-50", "-0.0", "1e999"]
)
@example(["0." + "0" * 30 + "1", "1" * 40, "9007199254740993", "1e22", "1e23", "123456789012345678e-27"])
def test_numbers_are_read_as_python_reads_them(backend, numbers):
    rows = kernels.get("rows", backend)
    names, values = read_text(rows, f"word {' '.join(numbers)}\n".encode(), 1, len(numbers))
    with np.errstate(over="ignore"):
        assert_same_bits(values[0], np.array([float(number) for number in numbers]).astype(np.float32))
    assert names == [b"word"]


def test_numbers_halfway_between_two_floats(rows):
    below = np.random.default_rng(1).uniform(-1, 1, 5000).astype(np.float32)
    between = [f"{(float(x) + float(np.nextafter(x, np.float32(2)))) / 2:.19g}" for x in below]
    values = read_text(rows, f"x {' '.join(between)}\n".encode(), 1, 5000)[1]
    assert_same_bits(values[0], np.array([float(number) for number in between]).astype(np.float32))


@given(numbers=st.lists(FLOATS, min_size=1, max_size=20))
def test_numbers_are_written_as_c_writes_them(backend, numbers):
    rows = kernels.get("rows", backend)
    text = rows.write_text(*joined([b"word"]), np.array([numbers], np.float32)).tobytes()
    assert text == b"word" + b"".join(b" %.9g" % number for number in numbers) + b"\n"


def test_numbers_of_every_size_are_written_as_c_writes_them(rows):
    random = np.random.default_rng(2)
    powers = 10.0 ** np.arange(-46, 39)
    numbers = np.concatenate(
        [
            random.standard_normal(20_000),
            random.standard_normal(20_000) * 10.0 ** random.integers(-45, 38, 20_000),
            powers,
            np.nextafter(powers.astype(np.float32), np.float32(0)),
            2.0 ** np.arange(-149, 128),
            random.integers(-4000, 4000, 1000) / 64,
            [0, -0.0, np.inf, -np.inf, np.nan, 99999999.9, 999999999, 1e9, 4194303.75, 4194304],
        ]
    ).astype(np.float32)
    text = rows.write_text(*joined([b""]), numbers[None]).tobytes()
    assert text.split() == [b"%.9g" % number for number in numbers.tolist()]


@pytest.mark.parametrize(
    "text",
    [
        "a 1 2\nb 3 4\n",
        "a 1 2 \nb 3 4\t\r\n",
        "ä  1   2\r\n日本 3 4 \n",
        "1 1 2\n- 3 4\n",
    ],
)
def test_regular_lines(rows, text):
    names, values = read_text(rows, text.encode(), 2, 2)
    assert names == [line.split()[0].encode() for line in text.splitlines()]
    assert values.tolist() == [[1, 2], [3, 4]]


IRREGULAR = """| | b 3 4|b\t3 4|b 3\t4|b\v3 4|b c 3 4|b 3|b 3 4 5|b 3 4x|b 3 4 x|b 3 x|b 3 1_0|b 3 nan|b 3 .
|b 3 -|b 3 1e|b 3 1e+|b 3 e1|b 3 0x1|b 3 1.2.3|b 3 +-4"""


@pytest.mark.parametrize("line", IRREGULAR.replace("\n", "").split("|"))
def test_irregular_lines(rows, line):
    assert not read_text(rows, f"a 1 2\n{line}\nc 5 6\n".encode(), 3, 2)
    names, values = read_text(rows, f"a 1 2\n{line}\n".encode(), 1, 2)
    assert (names, values.tolist()) == ([b"a"], [[1, 2]])


def test_fewer_lines_than_asked_for(rows):
    assert not read_text(rows, b"a 1 2\n", 2, 2)
    assert read_text(rows, b"", 0, 2)[0] == []


def test_text_without_its_last_line_feed(rows):
    for text in (b"a 1 2", b""):
        with pytest.raises(ValueError, match="text must end with a line feed"):
            read_text(rows, text, 1, 2)


def test_records_come_back(rows):
    names = [b"paris", b"", b"x" * 300]
    values = np.random.default_rng(3).integers(0, 256, (3, 7), np.uint8)
    content = rows.write_records(*joined(names), b"\0", values, b"").tobytes()
    assert content == b"".join(
        b"%b\0%b" % (name, row.tobytes()) for name, row in zip(names, values, strict=True)
    )
    for length in range(len(content) + 1):
        found, places = np.zeros_like(values), np.zeros((3, 2), np.int64)
        n, end = rows.read_records(content[:length], b"\0", found, places)
        ends = np.cumsum([len(name) + 8 for name in names])
        assert n == np.searchsorted(ends, length, side="right")
        assert end == (ends[n - 1] if n else 0)
        np.testing.assert_array_equal(found[:n], values[:n])
        assert [content[begin:stop] for begin, stop in places[:n].tolist()] == names[:n]
    n, end = rows.read_records(content + content, b"\0", found[:1], places[:1])
    assert (n, end) == (1, 13)


def test_records_have_ends(rows):
    values = np.frombuffer(b"1234", np.uint8).reshape(2, 2)
    assert rows.write_records(*joined([b"a", b"bc"]), b" ", values, b"\r\n").tobytes() == b"a 12\r\nbc 34\r\n"


def test_no_rows(rows):
    empty = joined([])
    assert len(rows.write_text(*empty, np.empty((0, 3), np.float32))) == 0
    assert len(rows.write_records(*empty, b" ", np.empty((0, 3), np.uint8), b"")) == 0
    assert rows.read_records(b"", b" ", np.empty((0, 3), np.uint8), np.empty((0, 2), np.int64)) == (0, 0)


def test_shapes_that_do_not_fit(rows):
    names, offsets = joined([b"a", b"b"])
    for write in (
        lambda *args: rows.write_text(*args, np.ones((2, 3), np.float32)),
        lambda *args: rows.write_records(*args, b" ", np.ones((2, 3), np.uint8), b""),
    ):
        for wrong in (offsets[:2], offsets + 1, offsets // 2):
            with pytest.raises(ValueError, match="offsets must be 3 from 0 to 2"):
                write(names, wrong)
    for shape, message in (((1, 2), "names must have 2 rows of 2"), ((2, 3), "names must have 2 rows of 2")):
        with pytest.raises(ValueError, match=message):
            rows.read_text(b"a 1\n", np.empty((2, 1), np.float32), np.empty(shape, np.int64))
    for call in (
        lambda: rows.read_text(b"a\n", np.empty((1, 0), np.float32), np.empty((1, 2), np.int64)),
        lambda: rows.write_text(names, offsets, np.empty((2, 0), np.float32)),
        lambda: rows.read_records(b"a ", b" ", np.empty((1, 0), np.uint8), np.empty((1, 2), np.int64)),
        lambda: rows.write_records(names, offsets, b" ", np.empty((2, 0), np.uint8), b""),
    ):
        with pytest.raises(ValueError, match="values must have one column or more"):
            call()

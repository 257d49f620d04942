import itertools
import re
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastvec import kernels

# Short words and long ones around the kernel's eight-byte loads, every white space, bytes that are no UTF-8,
# NUL, and the neighbours of the white-space bytes.
SEPARATORS = [b" ", b"\n", b"\t", b"\v", b"\f", b"\r", b"\n\n", b" \n ", b""]
BYTES = [b"a", b"!", b"\0", b"\x08", b"\x0e", b"\x1f", b"\x89", b"\xa0", b"\xff"]
WORDS = [b"six666", b"seven77", b"eight888", b"nine99999", b"x" * 15, b"x" * 16, b"x" * 300]
PIECES = st.tuples(st.sampled_from(BYTES) | st.sampled_from(WORDS), st.sampled_from(SEPARATORS)).map(b"".join)
TEXTS = st.lists(PIECES, max_size=60).map(b"".join) | st.binary(max_size=200)

# Each two have the length, the first eight or 16 bytes, the slot and 24 more bits of the hash in common.
COLLISIONS = [
    (b"samestem00046237", b"samestem00920473"),
    (b"samestemsamestem00610912", b"samestemsamestem00644275"),
]


@pytest.fixture(scope="session")
def tokenizer_module(backend):
    return kernels.get("tokenizer", backend)


def tokenize(module, pieces, keep_empty=False):
    tokenizer = module.Tokenizer(keep_empty)
    ids, ends = zip(*(tokenizer.add(module.split(piece, keep_empty)) for piece in pieces), strict=True)
    return tokenizer, np.concatenate(ids), np.concatenate([*ends, tokenizer.finish()])


def split_naively(text, keep_empty=False):
    """Return the sentences of a text as lists of words."""
    lines = [re.findall(rb"[^ \t\n\v\f\r]+", line) for line in text.removesuffix(b"\n").split(b"\n")]
    return [words for words in lines if words or keep_empty] if text else []


def check(module, text, cuts, keep_empty=False):
    places = {module.end_of_words(text[:cut]) for cut in cuts}
    pieces = [text[begin:end] for begin, end in itertools.pairwise([0, *sorted(places), len(text)])]
    tokenizer, ids, ends = tokenize(module, pieces, keep_empty)
    sentences = split_naively(text, keep_empty)
    flat = [word for sentence in sentences for word in sentence]
    words = list(dict.fromkeys(flat))
    assert tokenizer.words() == b"".join(word + b"\n" for word in words)
    assert [words[i] for i in ids] == flat
    assert ends.tolist() == np.cumsum([len(sentence) for sentence in sentences], dtype=int).tolist()
    assert tokenizer.counts().tolist() == [flat.count(word) for word in words]
    assert (tokenizer.n_words, tokenizer.n_tokens) == (len(words), len(flat))
    assert sum(module.split(piece).n_lines for piece in pieces) == text.count(b"\n")
    assert ids.dtype == np.int32
    assert ends.dtype == np.int64


@given(text=TEXTS, cuts=st.lists(st.integers(0, 200), max_size=6), keep_empty=st.booleans())
def test_equals_naive_splitting_however_the_text_is_cut(backend, text, cuts, keep_empty):
    check(kernels.get("tokenizer", backend), text, cuts, keep_empty)


@settings(max_examples=20, deadline=None)
@given(text=TEXTS)
def test_pieces_of_one_word(backend, text):
    check(kernels.get("tokenizer", backend), text, range(len(text)))


@given(text=TEXTS)
def test_end_of_words(backend, text):
    end = kernels.get("tokenizer", backend).end_of_words(text)
    assert not re.search(rb"[ \t\n\v\f\r]", text[end:])
    assert end == 0 or text[end - 1 : end].isspace()


def test_every_single_byte(tokenizer_module):
    for byte in range(256):
        check(tokenizer_module, b"ab" + bytes([byte]) + b"cdefgh", [])


def test_words_of_every_length_before_every_separator(tokenizer_module):
    text = b"".join(b"w" * n + separator for n in range(1, 40) for separator in SEPARATORS[:-1])
    check(tokenizer_module, text, [1000, 2000])
    check(tokenizer_module, b" ".join(b"w" * n for n in range(250, 300)), [])


@pytest.mark.parametrize("words", COLLISIONS)
def test_words_that_the_table_s_slots_cannot_tell_apart(tokenizer_module, words):
    first, second = words
    check(tokenizer_module, b" ".join([first, second, first]), [])
    check(tokenizer_module, b" ".join([first, second, first]), [len(first) + 1])


def test_words_that_differ_only_in_zero_bytes(tokenizer_module):
    check(tokenizer_module, b" ".join(b"a" + b"\0" * n for n in range(30)), [])


def test_words_that_differ_only_beyond_their_first_eight_bytes(tokenizer_module):
    check(tokenizer_module, b" ".join(b"prefix__" + bytes([c]) * 8 for c in range(65, 90)), [])


def test_tables_grow(tokenizer_module):
    words = [str(n * 7919).encode() for n in range(50_000)]
    for separator in (b" ", b" prefix__of_eight_and_more"):
        text = separator.join(words)
        for pieces in ([text + b" ", separator.join(reversed(words))], [text, text]):
            tokenizer, ids, _ = tokenize(tokenizer_module, pieces)
            assert tokenizer.words() == b"".join(
                word + b"\n" for word in dict.fromkeys(b" ".join(pieces).split())
            )
            found = tokenizer.words().split()
            assert [found[i] for i in ids] == [word for piece in pieces for word in piece.split()]
    assert tokenizer.words(tokenizer.n_words - 1) == found[-1] + b"\n"
    assert tokenizer.words(tokenizer.n_words) == b""


def test_word_of_a_million_bytes(tokenizer_module):
    tokenizer, ids, ends = tokenize(tokenizer_module, [b"a " + b"x" * 1_000_000, b" b"])
    assert tokenizer.words() == b"a\n" + b"x" * 1_000_000 + b"\nb\n"
    assert ids.tolist() == [0, 1, 2]
    assert ends.tolist() == [3]


def test_empty_input(tokenizer_module):
    tokenizer, ids, ends = tokenize(tokenizer_module, [b"", b" \n\n ", b""])
    assert len(ids) == len(ends) == tokenizer.n_words == 0
    assert tokenizer.words() == b""
    assert tokenizer.counts().tolist() == []


def test_finish_separates_sources(tokenizer_module):
    tokenizer = tokenizer_module.Tokenizer()
    assert tokenizer.add(tokenizer_module.split(b"one two"))[1].tolist() == []
    assert tokenizer.finish().tolist() == [2]
    assert tokenizer.finish().tolist() == []
    ids, ends = tokenizer.add(tokenizer_module.split(b"one\n"))
    assert (ids.tolist(), ends.tolist()) == ([0], [3])
    assert tokenizer.words() == b"one\ntwo\n"


def test_empty_lines_are_of_one_source(tokenizer_module):
    tokenizer = tokenizer_module.Tokenizer(keep_empty=True)
    ends = []
    for source in (b"one\n\n", b"", b"\n", b"two", b" ", b"three\n"):
        ends.append([*tokenizer.add(tokenizer_module.split(source, True))[1], *tokenizer.finish()])
    assert ends == [[1, 1], [], [1], [2], [2], [3]]


@pytest.mark.parametrize("first", [-1, 2])
def test_words_from_an_id_that_is_none(tokenizer_module, first):
    tokenizer, _, _ = tokenize(tokenizer_module, [b"a"])
    with pytest.raises(IndexError, match="first must be an int from 0 to 1, got"):
        tokenizer.words(first)


def test_remap_in_place_and_into_another(tokenizer_module):
    ids = np.array([0, 2, 1, 0, 2], np.int32)
    new_ids = np.array([5, 0, 7], np.int32)
    out = np.empty(5, np.int32)
    tokenizer_module.remap(ids, new_ids, out)
    assert out.tolist() == [5, 7, 0, 5, 7]
    tokenizer_module.remap(ids, new_ids, ids)
    assert ids.tolist() == out.tolist()
    with pytest.raises(ValueError, match="out must have 5 items like ids, got 4"):
        tokenizer_module.remap(ids, new_ids, out[:4])


STRINGS = [b"", *(b"w" * n for n in range(1, 40)), b"a\0", b"a", b"a\nb", b"\xff", b"x" * 300]
STRINGS += [*COLLISIONS[0], *COLLISIONS[1], *STRINGS[::-2]]


def collected(module, *pieces):
    """Return the words of pieces, put together from ids and distinct words."""
    tokenizer = module.Tokenizer()
    ids = np.concatenate([tokenizer.add(piece)[0] for piece in pieces]).tolist()
    places = [0, *tokenizer.ends().tolist()]
    words = [tokenizer.words()[begin : end - 1] for begin, end in itertools.pairwise(places)]
    found = [words[i] for i in ids]
    assert words == list(dict.fromkeys(found))
    assert tokenizer.counts().tolist() == [found.count(word) for word in words]
    return found


def views_of(strings, n_buffers=2):
    """Return strings as views of Arrow, the long ones in several buffers in turn."""
    buffers = [bytearray(b"..") for _ in range(n_buffers)]
    views = b""
    for i, string in enumerate(strings):
        views += len(string).to_bytes(4, sys.byteorder)
        if len(string) <= 12:
            views += string.ljust(12, b"\0")
        else:
            buffer = buffers[i % n_buffers]
            where = (i % n_buffers, len(buffer))
            views += string[:4] + b"".join(number.to_bytes(4, sys.byteorder) for number in where)
            buffer += string
    return np.frombuffer(views, np.int32).reshape(-1, 4), [bytes(buffer) for buffer in buffers]


def test_strings_of_arrays(tokenizer_module):
    collect = tokenizer_module.collect
    views, buffers = views_of(STRINGS)
    codes = np.random.default_rng(0).integers(len(STRINGS), size=200).astype(np.int32)
    chosen = [STRINGS[code] for code in codes]
    for dtype in (np.int32, np.int64):
        offsets = np.cumsum([2, *map(len, STRINGS)], dtype=dtype)
        text = [b".." + b"".join(STRINGS)]
        assert collected(tokenizer_module, collect(offsets, text)) == STRINGS
        assert collected(tokenizer_module, collect(offsets[30:], text), collect(offsets[:11], text)) == [
            *STRINGS[30:], *STRINGS[:10]
        ]  # fmt: skip
        assert collected(tokenizer_module, collect(offsets, text, codes)) == chosen
        assert len(collect(offsets[:1], text).ids) == len(collect(offsets, text, codes[:0]).ids) == 0
    assert collected(tokenizer_module, collect(views, buffers)) == STRINGS
    assert collected(tokenizer_module, collect(views[::2], buffers)) == STRINGS[::2]
    assert collected(tokenizer_module, collect(views, buffers, codes)) == chosen
    assert len(collect(views[:0, 0], buffers).ids) == 0
    assert collected(tokenizer_module, collect(views, buffers), tokenizer_module.split(b"a www")) == [
        *STRINGS, b"a", b"www"
    ]  # fmt: skip


def test_many_strings_of_arrays(tokenizer_module):
    words = [str(n * 7919 % 50021).encode() * (n % 5) for n in range(20_000)]
    offsets = np.cumsum([0, *map(len, words)], dtype=np.int32)
    piece = tokenizer_module.collect(offsets, [b"".join(words)])
    tokenizer = tokenizer_module.Tokenizer()
    found = tokenizer.add(piece)[0]
    assert found.tolist() == [*map({w: i for i, w in enumerate(dict.fromkeys(words))}.get, words)]


@pytest.mark.parametrize(
    ("places", "codes"),
    [
        ([0, 4], None),
        ([-1, 2], None),
        ([2, 1], None),
        ([0, 1], [1]),
        ([0, 1], [-1]),
        ([[20, 0, 0, 0]], None),
        ([[13, 0, 1, 0]], None),
        ([[13, 0, -1, 0]], None),
        ([[-1, 0, 0, 0]], None),
        ([[13, 0, 0, -1]], None),
    ],
)
def test_strings_outside_their_buffers(tokenizer_module, places, codes):
    codes = None if codes is None else np.array(codes, np.int32)
    with pytest.raises(ValueError, match=r"^a string lies outside its buffer$"):
        tokenizer_module.collect(np.array(places, np.int32), [b"abc"], codes)

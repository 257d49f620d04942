import itertools
import re

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


@pytest.fixture(scope="session")
def tokenizer_module(backend):
    return kernels.get("tokenizer", backend)


def tokenize(module, blocks, keep_empty=False):
    tokenizer = module.Tokenizer(keep_empty)
    results = [tokenizer.feed(block) for block in blocks] + [tokenizer.finish()]
    ids = np.concatenate([ids for ids, _ in results])
    ends = np.concatenate([ends for _, ends in results])
    return tokenizer, ids, ends


def split_naively(text, keep_empty=False):
    """Return the sentences of a text as lists of words, and where every distinct word appears first."""
    sentences, first_seen = [], {}
    for line_number, line in enumerate(re.finditer(rb"[^\n]*\n|[^\n]+", text)):
        words = list(re.finditer(rb"[^ \t\n\v\f\r]+", line.group()))
        for word in words:
            first_seen.setdefault(word.group(), (line_number, line.start() + word.start()))
        if words or keep_empty:
            sentences.append([word.group() for word in words])
    return sentences, first_seen


def check(module, text, cuts, keep_empty=False):
    cuts = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    blocks = [text[begin:end] for begin, end in itertools.pairwise(cuts)]
    tokenizer, ids, ends = tokenize(module, blocks, keep_empty)
    sentences, first_seen = split_naively(text, keep_empty)
    flat = [word for sentence in sentences for word in sentence]
    words = tokenizer.words()
    assert [words[i] for i in ids] == flat
    assert ends.tolist() == np.cumsum([len(sentence) for sentence in sentences], dtype=int).tolist()
    assert words == list(first_seen)
    assert [tokenizer.first_seen(i) for i in range(len(words))] == list(first_seen.values())
    assert tokenizer.counts().tolist() == [flat.count(word) for word in words]
    assert (tokenizer.n_words, tokenizer.n_tokens) == (len(words), len(flat))
    assert (tokenizer.n_lines, tokenizer.n_bytes) == (text.count(b"\n"), len(text))
    assert ids.dtype == np.int32
    assert ends.dtype == np.int64


@given(text=TEXTS, cuts=st.lists(st.integers(0, 200), max_size=6), keep_empty=st.booleans())
def test_equals_naive_splitting_however_the_text_is_cut(backend, text, cuts, keep_empty):
    check(kernels.get("tokenizer", backend), text, cuts, keep_empty)


@settings(max_examples=20, deadline=None)
@given(text=TEXTS)
def test_blocks_of_one_byte(backend, text):
    check(kernels.get("tokenizer", backend), text, range(len(text)))


def test_every_single_byte(tokenizer_module):
    for byte in range(256):
        check(tokenizer_module, b"ab" + bytes([byte]) + b"cdefgh", [])


def test_words_of_every_length_before_every_separator(tokenizer_module):
    text = b"".join(b"w" * n + separator for n in range(1, 40) for separator in SEPARATORS[:-1])
    check(tokenizer_module, text, [1000, 2000])
    check(tokenizer_module, b" ".join(b"w" * n for n in range(250, 300)), [])


def test_words_that_the_table_s_slots_cannot_tell_apart(tokenizer_module):
    # They have the length, the first eight bytes, the slot and 24 more bits of the hash in common.
    check(tokenizer_module, b"samestem00266650 samestem00412245 samestem00266650", [])


def test_words_that_differ_only_in_zero_bytes(tokenizer_module):
    check(tokenizer_module, b" ".join(b"a" + b"\0" * n for n in range(30)), [])


def test_words_that_differ_only_beyond_their_first_eight_bytes(tokenizer_module):
    check(tokenizer_module, b" ".join(b"prefix__" + bytes([c]) * 8 for c in range(65, 90)), [])


def test_table_grows(tokenizer_module):
    words = [str(n * 7919).encode() for n in range(50_000)]
    tokenizer, ids, _ = tokenize(tokenizer_module, [b" ".join(words), b" ", b" ".join(reversed(words))])
    assert tokenizer.words() == words
    assert ids.tolist() == [*range(50_000), *reversed(range(50_000))]
    assert tokenizer.words(49_998) == words[-2:]


def test_word_of_a_million_bytes_in_blocks(tokenizer_module):
    blocks = [b"x" * 1000] * 1000
    tokenizer, ids, ends = tokenize(tokenizer_module, [b"a ", *blocks, b" b"])
    assert tokenizer.words() == [b"a", b"x" * 1_000_000, b"b"]
    assert tokenizer.first_seen(2) == (0, 1_000_003)
    assert ids.tolist() == [0, 1, 2]
    assert ends.tolist() == [3]


def test_empty_input(tokenizer_module):
    tokenizer, ids, ends = tokenize(tokenizer_module, [b"", b" \n\n ", b""])
    assert len(ids) == len(ends) == tokenizer.n_words == 0
    assert tokenizer.words() == []
    assert tokenizer.counts().tolist() == []


def test_finish_separates_sources(tokenizer_module):
    tokenizer = tokenizer_module.Tokenizer()
    tokenizer.feed(b"one two")
    tokenizer.finish()
    ids, _ = tokenizer.feed(b"one\n")
    assert ids.tolist() == [0]
    assert tokenizer.words() == [b"one", b"two"]
    assert tokenizer.first_seen(1) == (0, 4)


def test_empty_lines_are_of_one_source(tokenizer_module):
    tokenizer = tokenizer_module.Tokenizer(keep_empty=True)
    ends = []
    for source in (b"one\n\n", b"", b"\n", b"two", b" ", b"three\n"):
        ends.append([*tokenizer.feed(source)[1], *tokenizer.finish()[1]])
    assert ends == [[1, 1], [], [1], [2], [2], [3]]


@pytest.mark.parametrize("word", [-1, 1])
def test_first_seen_of_an_unknown_id(tokenizer_module, word):
    tokenizer, _, _ = tokenize(tokenizer_module, [b"a"])
    with pytest.raises(IndexError, match="word must be an int from 0 to 0, got"):
        tokenizer.first_seen(word)


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

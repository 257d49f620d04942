import gzip
import logging
import os
import re
from collections import namedtuple
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from inside import set_sizes, unit_rows
from peers import KeyedVectors
from scipy.stats import spearmanr

from fastvec import SubwordVectors, Vectors, evaluate
from fastvec.vectors import Subwords

pytestmark = pytest.mark.any_backend

DATA = Path(os.environ.get("FASTVEC_DATA", Path(__file__).parents[2] / "shared" / "data"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the test sets are not at {DATA} (FASTVEC_DATA)")


def words_of(path, columns):
    lines = [line.split() for line in path.read_text().splitlines() if not line.startswith((":", "#"))]
    return sorted({word for line in lines for word in line[:columns]})


def random_vectors(words, d=10, seed=0):
    """Words in random order, a tenth of them missing, every third with a variant of its own in upper case."""
    random = np.random.default_rng(seed)
    words = [word for word in words if random.random() < 0.9]
    words += [word.upper() for word in words[::3] if word != word.upper()]
    words = [words[i] for i in random.permutation(len(words))]
    matrix = random.standard_normal((len(words), d)).astype(np.float32)
    theirs = KeyedVectors(d)
    theirs.add_vectors(words, matrix)
    return Vectors(words, matrix), theirs


@pytest.mark.parametrize("ignore_case", [True, False])
@pytest.mark.parametrize(("restrict", "covered"), [(None, 3), (3, 2)])
def test_similarity_of_ids(ignore_case, restrict, covered):
    pairs, matrix = [(7, 8, 1), ("8", 9, 2), (7, 10, 3), (7, 11, 4)], [[1, 0], [1, 1], [1, 3], [2, 1]]
    options = {"ignore_case": ignore_case, "restrict": restrict}
    found = evaluate.similarity(Vectors([7, 8, 9, 10], matrix), pairs, **options)
    assert (found.covered, found.pairs) == (covered, 4)
    assert found == evaluate.similarity(Vectors(["7", "8", "9", "10"], matrix), pairs, **options)


@needs_data
@pytest.mark.parametrize("name", ["ws353", "men", "simlex999", "rg65"])
@pytest.mark.parametrize("ignore_case", [True, False])
@pytest.mark.parametrize(("restrict", "count_unknown"), [(None, False), (400, False), (400, True)])
def test_similarity_is_gensims(name, ignore_case, restrict, count_unknown):
    path = DATA / "similarity" / f"{name}.txt"
    ours, theirs = random_vectors(words_of(path, 2))
    options = {"restrict": restrict, "ignore_case": ignore_case, "count_unknown": count_unknown}
    result = evaluate.similarity(ours, path, **options)
    pearson, spearman, unknown = theirs.evaluate_word_pairs(
        path, restrict_vocab=restrict, case_insensitive=ignore_case, dummy4unknown=count_unknown
    )
    assert result.spearman == pytest.approx(spearman[0], abs=1e-6, nan_ok=True)
    assert result.pearson == pytest.approx(pearson[0], abs=1e-6, nan_ok=True)
    assert result.pairs == len(path.read_text().splitlines())
    assert result.covered == round(result.pairs * (1 - unknown / 100))
    assert result.name == name


@pytest.mark.parametrize("restrict", [None, 300])
def test_restrict_leaves_no_vectors_of_others(restrict):
    rows = np.random.default_rng(0).standard_normal((600 + 50, 5))
    vectors = SubwordVectors([f"word{i}" for i in range(600)], rows, Subwords(3, 4, 50))
    pairs = [("word1", "word2", 1), ("word1", "word400", 2), ("word2", "wordy", 3)]
    assert evaluate.similarity(vectors, pairs, restrict=restrict).covered == (3 if restrict is None else 1)


@needs_data
@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`")  # by gensim itself
@pytest.mark.parametrize("restrict", [300_000, 500])
@pytest.mark.parametrize(
    ("ignore_case", "method", "count_unknown"),
    [(True, "3cosadd", False), (False, "3cosadd", False), (True, "3cosmul", True), (False, "3cosmul", False)],
)
def test_analogies_are_gensims(tmp_path, restrict, ignore_case, method, count_unknown):
    lines = (DATA / "analogy" / "google.txt").read_text().splitlines()
    path = tmp_path / "some.txt"
    path.write_text("\n".join(line for i, line in enumerate(lines) if line.startswith(":") or i % 20 == 0))
    # Two dimensions, so that chance answers some questions rightly.
    ours, theirs = random_vectors(words_of(path, 4), d=2)
    if method == "3cosmul":  # gensim does not look at its own parameter of this use
        cosmul = theirs.most_similar_cosmul
        theirs.most_similar = lambda topn, restrict_vocab, **query: cosmul(**query, topn=len(ours))
    options = {"restrict": restrict, "ignore_case": ignore_case, "method": method}
    result = evaluate.analogies(ours, path, count_unknown=count_unknown, **options)
    logging.disable()
    try:
        accuracy, sections = theirs.evaluate_word_analogies(
            path,
            restrict_vocab=restrict,
            case_insensitive=ignore_case,
            dummy4unknown=count_unknown,
        )
    finally:
        logging.disable(logging.NOTSET)
    fold = str.upper if ignore_case else str
    for part, same in zip(result.sections, sections[:-1], strict=True):
        assert (part.name, part.correct) == (same["section"], len(part.right))
        for questions, expected in ((part.right, same["correct"]), (part.wrong, same["incorrect"])):
            found = [tuple(map(fold, question[:4])) for question in questions]
            assert sorted(found) == sorted(tuple(map(fold, question)) for question in expected)
    assert result.total.correct > 0 or restrict == 500
    assert result.total.accuracy == accuracy
    assert result.total.total == sum(not line.startswith(":") for line in path.read_text().splitlines())
    assert result.semantic.covered + result.syntactic.covered == result.total.covered
    if not count_unknown:
        assert result.total.covered == len(result.total.right) + len(result.total.wrong)


@pytest.mark.parametrize("n", [2, 3, 10, 1000])
@pytest.mark.parametrize("values", [2, 5, 10**6])
def test_spearman_is_scipys(n, values):
    random = np.random.default_rng(n)
    for _ in range(5):
        a, b = random.integers(values, size=n), random.standard_normal(n).round(1)
        if len(set(a)) > 1 and len(set(b)) > 1:
            assert evaluate.spearman(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)


@pytest.mark.parametrize(("a", "b"), [([], []), ([1], [2]), ([1, 1, 1], [1, 2, 3])])
def test_spearman_is_nan_where_there_is_none(a, b):
    assert np.isnan(evaluate.spearman(a, b))


def similarity_result(name):
    return evaluate.SimilarityResult(name, pytest.approx(1), pytest.approx(1), pairs=3, covered=2)


TOY = Vectors(["cat", "dog", "car", "Dog"], np.array([[1, 0], [3, 1], [0, 1], [-1, -1]]))


@pytest.mark.parametrize(
    "text",
    [
        "cat\tdog\t9\ndog\tcar\t2\ncat\tbird\t1\n",
        "cat dog 9\ndog car 2\ncat bird 1",
        "# comment\n\nWord 1\tWord 2\tHuman (mean)\ncat\tdog\t9\r\ndog\tcar\t2\textra\r\ncat\tbird\t1\r\n",
        "\ufeffCAT\tDOG\t9\nDog\tCar\t2\nCat\tice cream\t1\n",
    ],
)
def test_files_of_pairs(tmp_path, text):
    path = tmp_path / "toy.txt"
    path.write_bytes(text.encode())
    result = evaluate.similarity(TOY, path)
    assert result == similarity_result("toy")
    assert str(result) == "toy: Spearman 1.000, 2 of 3 pairs covered"


SIMLEX = "word1\tword2\tPOS\tSimLex999\tconc(w1)\tconc(w2)\tconcQ\tAssoc(USF)\tSimAssoc333\tSD(SimLex)\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{SIMLEX}cat\tdog\tN\t9.2\t1\t2\t4\t5\t1\t1.5\ndog\tcar\tN\t1.58\t9\t4\t4\t7\t1\t1\ncat\tice\tN\t5\t1",
        "cat\tdog\tN\t9.2\tCOHYPONYMS\ndog\tcar\tN\t1.5\tNONE\ncat\tice\tN\t5\tNONE\n",  # SimVerb's
        "Word 1,Word 2,Human (mean)\ncat,dog,7.35\ndog,car,1\ncat,ice,3\n",  # WordSim's
        "Word 1\tWord 2\tHuman (mean)\t1\t2\ncat\tdog\t7.35\t1\t2\ndog\tcar\t1\t2\t9\ncat\tice\t3\t9\t9\n",
        '"cat","dog","7.35"\r\n"dog","car","1"\r\ncat,"ice, and cream",3\r\n',
        "cat;dog;7.35\ndog;car;1\ncat;ice cream;3\n",
        "cat dog 50.000000\ndog car 1e1\ncat ice 20",  # MEN's
        "WORD1 WORD2 POS TYPE AVG_SCORE STD\ncat dog N r-hyp-1 5 9\ndog car N no-rel 1 9\ncat ice N x 3 9",
        "#word1\tword2\tscore\ncat\tdog\t9\n#cat\tdog\t1\ndog\tcar\t1\n",
        "\ufeffWord1,Word2,Score\ncat,dog,7.35\ndog,car,1\ncat,ice,3\n",
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_layouts_as_they_are_published(tmp_path, text, pack):
    path = tmp_path / "toy.csv"
    path.write_bytes(pack(text.encode()))
    result = evaluate.similarity(TOY, path)
    assert result == similarity_result("toy")


Judged = namedtuple("Judged", "first second score")


@pytest.mark.parametrize(
    "pairs",
    [
        [("cat", "dog", 9), ["dog", "car", np.float32(2)], ("cat", 5, 1)],
        np.array([["cat", "dog", 9], ["dog", "car", 2.5], ["cat", 5, 1]], dtype=object),
        (Judged(*pair) for pair in [("cat", "dog", 9), ("dog", "car", 2), ("cat", "ice", True + 0)]),
    ],
)
def test_pairs_from_python(pairs):
    assert evaluate.similarity(TOY, pairs) == similarity_result("pairs")


class Table(list):
    """What has columns is a table, whichever library's."""

    columns = ("first", "second", "score")


@pytest.mark.parametrize(
    ("pairs", "error", "message"),
    [
        (
            [("a", "b", 1), ("b", "c", np.nan)],
            ValueError,
            "the score of pair 2 must be a finite number",
        ),
        ([("a", "b", np.inf)], ValueError, "the score of pair 1 must be a finite number, got inf"),
        ([("a", "b", "9.5")], TypeError, "the score of pair 1 must be a finite number, got '9.5'"),
        ([("a", None, 1)], TypeError, "every word of pair 1 must be a str or an int, got None"),
        ([("a", "b")], TypeError, "pairs as (word, word, score), got ('a', 'b') as pair 1"),
        (["abc"], TypeError, "pairs as (word, word, score), got 'abc' as pair 1"),
        ({("a", "b"): 1.0}, TypeError, "pass [(a, b, score) for (a, b), score in pairs.items()]"),
        (Table(), TypeError, "pass table.itertuples(index=False)"),
        (7, TypeError, "pairs must be a path or pairs as (word, word, score), got 7"),
    ],
)
def test_bad_pairs_from_python(pairs, error, message):
    with pytest.raises(error, match=re.escape(message)):
        evaluate.similarity(TOY, pairs)


def test_case_counts_when_asked():
    pairs = [("cat", "Dog", 1.0), ("Cat", "dog", 2.0), ("cat", "dog", 3.0)]
    assert evaluate.similarity(TOY, pairs).covered == 3
    assert evaluate.similarity(TOY, pairs, ignore_case=False).covered == 2


def test_nothing_covered_is_said_plainly(tmp_path):
    result = evaluate.similarity(TOY, [("a", "b", 1), ("c", "d", 2)])
    assert np.isnan(result.spearman)
    assert str(result) == "pairs: Spearman undefined, 0 of 2 pairs covered"
    path = tmp_path / "questions.txt"
    path.write_text(": one\na b c d\n")
    result = evaluate.analogies(TOY, path)
    assert np.isnan(result.total.accuracy)
    assert str(result).splitlines()[-1].split() == ["total", "0", "0", "1", "undefined"]


def test_a_word_of_the_question_in_another_case_is_no_answer(tmp_path):
    path = tmp_path / "toy.txt"
    path.write_text(": royal\nman king woman queen\n")
    words = ["king", "man", "woman", "KING", "WOMAN", "QUEEN"]
    vectors = Vectors(words, [[3, 1], [1, 1], [1, 2], [3, 2], [2, 1], [1, 1.2]])
    assert evaluate.analogies(vectors, path).total.correct == 1
    assert evaluate.analogies(vectors, path, ignore_case=False).total.covered == 0


def answered(unit, rows, questions, method):
    """Number the questions that are answered rightly, one by one in double precision."""
    right = 0
    for *asked, d in questions:
        a, b, c = (unit @ unit[rows[word]] for word in asked)
        scores = b - a + c if method == "3cosadd" else (1 + b) * (1 + c) / (1 + a + 2e-6)
        scores[[rows[word] for word in asked]] = -np.inf
        right += scores.argmax() == rows[d]
    return right


@pytest.mark.parametrize("method", ["3cosadd", "3cosmul"])
@pytest.mark.parametrize("block", [1, 7, 4096])
def test_many_analogies_are_answered_as_one_by_one(tmp_path, monkeypatch, block, method):
    """Questions share pairs and words, and a pair may be a word with itself."""
    set_sizes(monkeypatch, words_asked=block)
    random = np.random.default_rng(4)
    words = [letter + digit for letter in "abcdefgh" for digit in "01234"]
    matrix = random.standard_normal((8, 1, 6)) + random.standard_normal((5, 6)) + np.zeros((8, 5, 6))
    matrix = (matrix + 0.3 * random.standard_normal(matrix.shape)).reshape(-1, 6).astype(np.float32)
    questions = [
        [a + i, a + j, b + i, b + j] for a, b in permutations("abcdefgh", 2) for i in "01" for j in "0123"
    ]
    sections = {"one": questions[:100], "two": [], "three": questions[100:]}
    path = tmp_path / "many.txt"
    path.write_text(
        "".join(f": {name}\n" + "".join(" ".join(q) + "\n" for q in part) for name, part in sections.items())
    )
    result = evaluate.analogies(Vectors(words, matrix), path, method=method)
    unit = unit_rows(matrix).astype(np.float64)
    rows = {word: row for row, word in enumerate(words)}
    for section, part in zip(result.sections, sections.values(), strict=True):
        assert section.correct == answered(unit, rows, part, method)
        assert section.covered == section.total == len(part)
    assert 0 < result.total.correct < result.total.total


@pytest.mark.parametrize(
    ("function", "parameter", "error", "message"),
    [
        (evaluate.similarity, {"restrict": 0}, ValueError, "restrict must be an int >= 1, got 0"),
        (evaluate.similarity, {"count_unknown": 1}, TypeError, "count_unknown must be True or False, got 1"),
        (evaluate.analogies, {"count_unknown": 1}, TypeError, "count_unknown must be True or False, got 1"),
        (evaluate.analogies, {"method": "cosmul"}, ValueError, "one of '3cosadd', '3cosmul', got 'cosmul'"),
    ],
)
def test_bad_parameters(tmp_path, function, parameter, error, message):
    path = tmp_path / "toy.txt"
    path.write_text(": one\ncat dog car cat\n" if function is evaluate.analogies else "cat dog 1\n")
    with pytest.raises(error, match=message):
        function(TOY, path, **parameter)


@pytest.mark.parametrize("block", [1, 3, 4096])
def test_analogies(tmp_path, monkeypatch, block):
    set_sizes(monkeypatch, words_asked=block)
    words = ["king", "queen", "man", "woman", "apple", "apples", "pear", "pears"]
    matrix = [[3, 1, 0], [3, 2, 0], [1, 1, 0], [1, 2, 0], [0, 1, 5], [0, 2, 5], [1, 1, 5], [1, 2, 5]]
    vectors = Vectors(words, matrix)
    path = tmp_path / "toy.txt"
    path.write_text(
        "//Copyright\n: royal\nMan King Woman Queen\nman king woman apple\nman king woman duke\n\n"
        ": gram8-plural\napple apples pear pears\n"
    )
    result = evaluate.analogies(vectors, path)
    royal, plural = ("man", "king", "woman", "queen"), ("apple", "apples", "pear", "pears")
    wrong = (("man", "king", "woman", "apple", "queen"),)
    assert result.sections == (
        evaluate.AnalogySection("royal", 1, 2, 3, right=(royal,), wrong=wrong),
        evaluate.AnalogySection("gram8-plural", 1, 1, 1, right=(plural,), wrong=()),
    )
    assert result.semantic == evaluate.AnalogySection("semantic", 1, 2, 3, (royal,), wrong)
    assert result.syntactic == evaluate.AnalogySection("syntactic", 1, 1, 1, (plural,), ())
    assert result.total == evaluate.AnalogySection("total", 2, 3, 4, (royal, plural), wrong)
    assert result.semantic.accuracy == 0.5
    assert str(result) == "\n".join(
        [
            "toy           correct  covered    total  accuracy",
            "royal               1        2        3     50.0 %",
            "gram8-plural        1        1        1    100.0 %",
            "semantic            1        2        3     50.0 %",
            "syntactic           1        1        1    100.0 %",
            "total               2        3        4     66.7 %",
        ]
    )
    every = evaluate.analogies(vectors, path, count_unknown=True).semantic
    assert (every.covered, every.right, every.accuracy) == (2, (royal,), pytest.approx(1 / 3))
    assert every.wrong == (*wrong, ("man", "king", "woman", "duke", None))
    covered = [evaluate.analogies(vectors, path, restrict=n).total.covered for n in range(3, 9)]
    assert covered == [0, 1, 2, 2, 2, 3]  # the answers are words 2, 5 and 8
    assert evaluate.analogies(vectors, path, restrict=None) == result


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cat dog 9\ncat dog\n", "line 2: expected two words and a score, got 'cat dog'"),
        (b"cat dog 9\ncat dog high\n", "line 2: expected two words and a score, got 'cat dog high'"),
        (b"cat dog 9\ncat dog nan\n", "line 2: expected two words and a score"),
        (b"cat dog 9\ncat d\xff 3\n", "line 2: byte 6 is not UTF-8"),
        (b"# nothing\n\n", "the file holds no word pairs"),
        (b"word1 word2 score\n", "the file holds no word pairs"),
        # A bad score does not make names of columns of a pair.
        (b"a b 7,35\nb c 4\na c 2\n", "line 1: expected two words and a score, got 'a b 7,35'"),
        (b"a b high\nb c 4\n", "line 1: expected two words and a score, got 'a b high'"),
        (b"a b nan\nb c 4\n", "line 1: expected two words and a score"),
        (b"a,b,\nb,c,4\n", "line 1: expected two words and a score"),
        (b"a b 1\nword1 word2 score\n", "line 2: expected two words and a score"),
        (b"a b N 1\nb c V 2\nb d 3\n", "line 3: expected two words and a score in column 4, got 'b d 3'"),
        (b"cat dog 9\nNew York city 5\n", "line 2: expected two words and a score, got 'New York"),
        (b"cat;;9\ncat;dog;5\n", "line 1: expected two words and a score"),
        # The contexts of SCWS are no tags.
        (b"1\tcat\tn\tdog\tn\ta cat\ta dog\t9\n2\tcar\tn\tdog\tn\ta car\ta dog\t1\n", "line 1: expected"),
        # WordSim's with relations, a file with numbers of the pairs, one with a tag behind each word.
        (b"# relations\ni\tcat\tdog\t7\nt\tcar\tice\t2\nt\tbus\tice\t1\n", "got 'i' in column 1"),
        (b"1,cat,dog,9\n2,dog,car,2\n", "words must be in the first two columns, got '1' in column 1"),
        (b"cat n dog n 9\ndog n car n 2\n", "words must be in the first two columns, got 'n' in column 2"),
        (b"cat dog 1_0\ndog car 2\n", "line 1: expected two words and a score"),
        ("cat dog 9\n".encode("utf-16"), "is UTF-16 text: convert it to UTF-8"),
        (b"PK\x03\x04", "is a zip archive, which may hold many files: unpack it first"),
    ],
)
def test_bad_files_of_pairs(tmp_path, content, message):
    path = tmp_path / "pairs.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        evaluate.similarity(TOY, path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (": one\ncat dog car\n", "line 2: expected four words, got 'cat dog car'"),
        ("\ufeff: one\ncat dog car\n", "line 2: expected four words, got 'cat dog car'"),
        (": one\ncat,dog,car,bus\n", "line 2: expected four words, got 'cat,dog,car,bus'"),
        (": one\ncat dog car bus train\n", "line 2: expected four words"),
        ("cat dog car bus\n", "line 1: expected a line ': name' that begins a section"),
        (": one\n: two\n", "the file holds no analogy questions"),
        ("", "the file holds no analogy questions"),
    ],
)
def test_bad_files_of_questions(tmp_path, content, message):
    path = tmp_path / "questions.txt"
    path.write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        evaluate.analogies(TOY, path)
    assert str(path) in str(error.value)


def test_other_bad_input(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        evaluate.similarity(TOY, tmp_path / "nowhere.txt")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        evaluate.analogies(TOY, tmp_path / "nowhere.txt")
    with pytest.raises(ValueError, match="pairs must hold at least one pair, got none"):
        evaluate.similarity(TOY, [])
    with pytest.raises(ValueError, match="restrict must be an int >= 1, got 0"):
        evaluate.analogies(TOY, tmp_path / "nowhere.txt", restrict=0)
    with pytest.raises(TypeError, match="ignore_case must be True or False, got 'no'"):
        evaluate.similarity(TOY, [("a", "b", 1)], ignore_case="no")


def test_the_answer_is_b_minus_a_plus_c(tmp_path):
    a, b, c = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    words = ["man", "king", "woman", "queen", "the other way round"]
    vectors = Vectors(words, [a, b, c, b - a + c, a - b + c])
    path = tmp_path / "questions.txt"
    path.write_text(": royal\nman king woman queen\n")
    assert evaluate.analogies(vectors, path).total.correct == 1
    assert vectors.analogy("man", "king", "woman", topn=1)[0][0] == "queen"

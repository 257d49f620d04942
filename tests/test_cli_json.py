"""Results as JSON have the numbers of the text."""

import json

import numpy as np
import pytest

import fastvec
from fastvec import cli

pytestmark = pytest.mark.any_backend(trains=True)

KINDS = ["apple", "pear", "plum", "iron", "zinc", "tin"]


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    path = tmp_path_factory.mktemp("json") / "v.fvec"
    matrix = np.random.default_rng(0).standard_normal((len(KINDS), 4))
    fastvec.Vectors(KINDS, matrix, counts=range(9, 3, -1), metadata={"loss": float("nan")}).save(path)
    return path


@pytest.fixture
def results(shown):
    """Function that returns the lines of the text of a command, and its lines of JSON."""

    def both(*arguments):
        status, text, _ = shown(*arguments)
        with_json = shown(*arguments, "--json")
        assert (status, with_json[0]) == (0, 0)
        return text.splitlines(), [
            json.loads(line, parse_constant=pytest.fail) for line in with_json[1].splitlines()
        ]

    return both


def cosines(lines):
    return [(line.split()[1], float(line.split()[0])) for line in lines]


@pytest.mark.any_backend
def test_neighbors(vectors, results):
    text, [document] = results("neighbors", vectors, "apple", "-n", 3)
    assert document["word"] == "apple"
    found = [(near["word"], near["cosine"]) for near in document["neighbors"]]
    assert [(word, round(cosine, 3)) for word, cosine in found] == cosines(text)
    assert found == fastvec.load(vectors).most_similar("apple", topn=3)
    text, documents = results("neighbors", vectors, "tin", "plum", "-n", 2)
    assert [document["word"] for document in documents] == ["tin", "plum"]
    nearest = [near["word"] for document in documents for near in document["neighbors"]]
    assert nearest == [line.split()[1] for line in text if not line.endswith(":")]


@pytest.mark.any_backend
def test_analogy(vectors, results):
    text, [document] = results("analogy", vectors, "apple", "pear", "iron", "-n", 2)
    assert (document["a"], document["b"], document["c"]) == ("apple", "pear", "iron")
    answers = [(answer["word"], round(answer["score"], 3)) for answer in document["answers"]]
    assert answers == cosines(text)


@pytest.mark.any_backend
def test_printed_vectors(vectors, results):
    text, documents = results("print-vectors", vectors, "tin", "plum")
    for line, document in zip(text, documents, strict=True):
        word, *numbers = line.split()
        assert document["word"] == word
        assert np.float32(document["vector"]).tolist() == np.float32(numbers).tolist()
    text, [document] = results("print-sentence-vectors", vectors, "tin plum")
    assert document["sentence"] == "tin plum"
    assert np.float32(document["vector"]).tolist() == np.float32(text[0].split()).tolist()


@pytest.mark.any_backend
def test_printed_ngrams(tmp_path, results):
    subwords = fastvec.vectors.Subwords(min_n=3, max_n=3, buckets=5)
    rows = np.random.default_rng(0).standard_normal((1 + 5, 2))
    fastvec.SubwordVectors(["tin"], rows, subwords).save(tmp_path / "n.fvec")
    text, [document] = results("print-ngrams", tmp_path / "n.fvec", "tint")
    shown = [[ngram["ngram"], *np.float32(ngram["vector"]).tolist()] for ngram in document["ngrams"]]
    assert shown == [[line.split()[0], *np.float32(line.split()[1:]).tolist()] for line in text]
    assert document["word"] == "tint"


@pytest.mark.any_backend
def test_evaluate(vectors, results, tmp_path):
    pairs, one = tmp_path / "pairs.txt", tmp_path / "one.txt"
    pairs.write_text("apple\tpear\t9\niron\tzinc\t8\napple\ttin\t1\nplum\tunheard\t2\n")
    one.write_text("apple\tpear\t9\n")
    analogies = tmp_path / "analogies.txt"
    analogies.write_text(": kinds\napple pear plum iron\n: gram\napple pear tin unheard\n")
    text, [document] = results("evaluate", vectors, "--similarity", pairs, one, "--analogies", analogies)
    first, second = document["similarity"]
    name, spearman, covered, total = text[1].split()
    assert (first["name"], round(first["spearman"], 3)) == (name, float(spearman))
    assert (first["covered"], first["pairs"]) == (int(covered), int(total)) == (3, 4)
    assert second["spearman"] is None and "nan" in text[2]
    for line in text[4:]:
        name, correct, covered, total, accuracy = line.replace(" %", "").split()
        section = {section["name"]: section for section in document["analogies"]["sections"]}.get(name)
        section = section or document["analogies"][name]
        assert (section["correct"], section["covered"], section["total"]) == (
            int(correct), int(covered), int(total)
        )  # fmt: skip
        expected = None if accuracy == "undefined" else float(accuracy) / 100
        assert section["accuracy"] == expected
    assert results("evaluate", vectors, "--similarity", pairs)[1][0]["analogies"] is None


@pytest.mark.any_backend
def test_info_and_convert(vectors, results, tmp_path):
    text, [document] = results("info", vectors)
    assert document == {
        "file": str(vectors), "kind": "vectors", "format": "fvec", "bytes": vectors.stat().st_size,
        "words": 6, "vector_size": 4, "dtype": "float32", "vector_bytes": 16, "occurrences": 39,
        "metadata": {"loss": None},
    }  # fmt: skip
    values = {"words": 6, "dimensions": 4, "numbers": "float32", "bytes a vector": 16}
    values |= {"occurrences": 39, "loss": "nan"}
    assert text[3:] == [f"{name:14}  {value}" for name, value in values.items()]
    text, [document] = results("info")
    assert document["backends"][document["backend"]] == "usable"
    assert f"threads           {document['threads']} usable" in "\n".join(text)
    assert (document["fastvec"], document["numpy"]) == (fastvec.__version__, np.__version__)
    _, [document] = results("info", "--verify", vectors)
    assert document == {"file": str(vectors), "tensors": 3}
    _, [document] = results("convert", vectors, tmp_path / "v.vec", "--quiet")
    assert document == {"output": str(tmp_path / "v.vec"), "words": 6, "vector_size": 4}


def test_summaries_of_what_is_made(results, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("".join(f"new york {word} and so on\n" for word in KINDS * 5))
    options = ("--vector-size", 2, "--epochs", 2, "--threads", 1, "--subsample", 0)
    line, [document] = results("train", text, "-o", tmp_path / "v.fvec", *options)
    assert line[0].startswith(f"{document['words']} words, {document['vector_size']} dimensions; ")
    assert f"loss {document['history'][-1]['loss']:.4f}" in line[0]
    assert [epoch["epoch"] for epoch in document["history"]] == [1, 2]
    line, [document] = results("cooccur", text, "-o", tmp_path / "c.fvcounts")
    assert line[0].startswith(f"{document['entries']} entries of {document['words']} words; counted ")
    assert f"counted {document['tokens']} words" in line[0]
    options = ("--min-count", 3, "--threshold", 0.1)
    lines, [document] = results("phrases", text, "-o", tmp_path / "joined.txt", *options)
    found = [(phrase["phrase"], round(phrase["score"], 3)) for phrase in document["phrases"]]
    assert found[:5] == [(line.split()[1], float(line.split()[0])) for line in lines[:-1]]
    assert lines[-1].startswith(f"{len(found)} phrases; {document['tokens']} words")


@pytest.mark.any_backend
def test_the_text_of_phrases_has_standard_output(shown, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("new york is new york\n" * 9)
    status, out, errors = shown("phrases", text, "-o", "-", "--threshold", 0, "--quiet", "--json")
    assert (status, out) == (0, "new_york is_new york\n" * 9)
    assert {phrase["phrase"] for phrase in json.loads(errors)["phrases"]} == {"new_york", "is_new", "york_is"}


@pytest.mark.any_backend
def test_words_stay_as_they_are(tmp_path, shown):
    fastvec.Vectors(["naïve", "日本", "west"], [[1, 0], [1, 1], [-1, 0]]).save(tmp_path / "v.fvec")
    out = shown("neighbors", tmp_path / "v.fvec", "naïve", "-n", 1, "--json")[1]
    assert out.startswith('{"word": "naïve", "neighbors": [{"word": "日本", "cosine": 0.7071')


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A classifier and a tagger, with examples of both."""
    folder = tmp_path_factory.mktemp("labelled")
    text = "__label__fruit apple pear\n__label__metal iron zinc\n__label__fruit plum\n__label__metal tin\n"
    (folder / "texts").write_text(text * 5)
    (folder / "words").write_text("the O\nold B-NAME\ntin I-NAME\n\nan O\napple B-FRUIT\n\n" * 5)
    for verb, file in (("classify", "texts"), ("tag", "words")):
        options = ["-o", f"{folder / verb}.fvmodel", "--vector-size", "4", "--epochs", "2", "-q"]
        options += ["--hidden", "4", "--min-count", "1"] if verb == "tag" else []
        assert cli.main([verb, "train", str(folder / file), *options]) == 0
    return folder


def scores(lines):
    """What a table says of every label."""
    rows = [line.replace(",", "").split() for line in lines]
    return {label: tuple(map(float, numbers)) for label, *numbers in rows}


def rounded(by_label):
    return {
        of_label["label"]: (
            *(round(of_label[name], 3) for name in ("precision", "recall", "f1")),
            of_label["count"],
        )
        for of_label in by_label
    }


def test_labels(labelled, results, tmp_path):
    model, texts = labelled / "classify.fvmodel", labelled / "texts"
    text, [document] = results("classify", "evaluate", model, texts)
    assert text[0] == f"accuracy {document['accuracy']:.4f} of {document['texts']} texts"
    assert rounded(document["by_label"]) == scores(text[2:])
    text, [document] = results("classify", "evaluate", model, texts, "-k", 2)
    assert text[0].startswith(f"precision {document['precision']:.4f}, recall {document['recall']:.4f}, ")
    assert "accuracy" not in document
    (tmp_path / "new").write_text("apple\n\ntin\n")
    text, documents = results("classify", "predict", model, tmp_path / "new", "-k", 2, "--probabilities")
    for line, document in zip(text, documents, strict=True):
        words = [f"__label__{of['label']} {of['probability']:.6g}" for of in document["labels"]]
        assert line == " ".join(words)
    assert [len(document["labels"]) for document in documents] == [2, 0, 2]


def test_tags(labelled, results):
    model, words = labelled / "tag.fvmodel", labelled / "words"
    text, [document] = results("tag", "evaluate", model, words)
    assert text[0] == f"accuracy {document['accuracy']:.4f} of {document['words']} words"
    middle = next(i for i, line in enumerate(text) if line.startswith("spans: "))
    assert rounded(document["by_label"]) == scores(text[2:middle])
    spans = document["spans"]
    assert text[middle].startswith(f"spans: precision {spans['precision']:.4f}, recall {spans['recall']:.4f}")
    assert rounded(spans["by_label"]) == scores(text[middle + 2 :])
    text, documents = results("tag", "predict", model, words)
    pairs = [pair for document in documents for pair in zip(document["words"], document["tags"], strict=True)]
    assert [tuple(line.split()[::2]) for line in text if line] == pairs
    assert len(documents) == 10


def test_a_classifier_says_what_made_it(labelled, results, shown, tmp_path):
    config = tmp_path / "run.toml"
    config.write_text(f'file = "{(labelled / "texts").as_posix()}"\nvector_size = 3\nepochs = 1\n')
    options = ("--config", config, "-o", tmp_path / "c.fvmodel", "--epochs", 2)
    text, [document] = results("classify", "train", *options)
    assert text[0].startswith("2 labels; trained on ") and document["labels"] == 2
    assert (document["files"], document["words"], len(document["sha256"])) == (["texts"], 30, 64)
    assert [epoch["epoch"] for epoch in document["history"]] == [1, 2]
    text, [about] = results("info", tmp_path / "c.fvmodel")
    metadata = about["metadata"]
    assert metadata["corpora"] == [{name: document[name] for name in ("files", "words", "sha256")}]
    assert (metadata["fastvec"], metadata["vector_size"]) == (fastvec.__version__, 3)
    assert any("texts: 30 words" in line for line in text)
    again = tmp_path / "again.fvmodel"
    fastvec.classify.load(tmp_path / "c.fvmodel").save(again)
    assert again.read_bytes() == (tmp_path / "c.fvmodel").read_bytes()


@pytest.mark.any_backend
def test_diff(vectors, tmp_path, results):
    other = np.random.default_rng(1).standard_normal((len(KINDS), 4))
    for number in range(3):
        fastvec.Vectors(KINDS, other + number / 9).save(tmp_path / f"{number}.fvec")
    text, [document] = results("diff", vectors, tmp_path / "0.fvec", "-n", 2)
    assert [row["word"] for row in document["words"]] == [line.split()[0] for line in text[1:3]]
    expected = fastvec.drift(fastvec.load(vectors), fastvec.load(tmp_path / "0.fvec"))
    assert text == expected.table(2).splitlines()
    first = {**expected[0]._asdict(), "p_value": None, "q_value": None}
    assert document["words"][0] == {name: list(v) if type(v) is tuple else v for name, v in first.items()}
    (tmp_path / "words.txt").write_text("pear\nzinc\n", encoding="utf-8")
    some = "--words", tmp_path / "words.txt", "--anchors", tmp_path / "words.txt", "--neighbors", 3
    text, [document] = results("diff", f"{tmp_path}/?.fvec", tmp_path / "[0-2].fvec", *some)
    assert {row["word"] for row in document["words"]} == {"pear", "zinc"}
    assert all(row["p_value"] is not None and row["overlap"] == 1 for row in document["words"])

"""What a file says of its making, repeating it by --like, and options in files by --config."""

import json
import os
import random
from pathlib import Path

import pytest

import fastvec

pytestmark = pytest.mark.any_backend(trains=True)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    draw = random.Random(3)
    path = tmp_path_factory.mktemp("repeat") / "text.txt"
    path.write_text("".join(" ".join(draw.choices("ABCDEFGHIJ", k=8)) + "\n" for _ in range(60)))
    return path


@pytest.fixture
def trained(text, tmp_path, shown):
    """Function that trains a small model on one thread and returns its file."""

    def train(*options, name="out.fvec"):
        path = tmp_path / name
        options = ("--vector-size", 4, "--epochs", 2, "--threads", 1, "--subsample", 0, *options)
        assert shown("train", text, "-o", path, "-q", *options) == (0, "", "")
        return path

    return train


def test_vectors_say_what_made_them(trained, text, shown):
    path = trained("--lowercase", "--phrases", 1)
    metadata = fastvec.load(path).metadata
    assert metadata["fastvec"] == fastvec.__version__
    assert metadata["backend"] in fastvec.kernels.available()
    [corpus] = metadata["corpora"]
    joined = fastvec.Phrases().fit_transform(fastvec.Corpus(text, lowercase=True))
    assert corpus == {**joined.provenance, "files": ["text.txt"]}
    assert corpus["lowercase"] is True and len(corpus["sha256"]) == 64
    assert [epoch["epoch"] for epoch in metadata["history"]] == [1, 2]
    assert {*metadata["history"][0]} == {"epoch", "loss", "learning_rate", "pairs"}
    out = shown("info", path)[1]
    for line in (
        "corpora            text.txt: ",
        f"sha256 {corpus['sha256']}",
        "epoch 2: loss ",
        "lowercase=True",
    ):
        assert line in out
    about = json.loads(shown("info", path, "--json")[1])
    assert about["metadata"] == metadata
    assert (about["words"], about["vector_size"], about["file"]) == (10, 4, str(path))


def test_a_hash_is_of_the_words_in_their_places(tmp_path):
    def provenance(name, content):
        (tmp_path / name).write_text(content)
        return fastvec.Corpus(tmp_path / name).provenance

    first = provenance("a", "b a\nc a\n")
    same = provenance("b", "b   a \n\nc a")
    assert {**first, "files": ["b"]} == same
    assert fastvec.Corpus([["b", "a"], ["c", "a"]]).provenance["sha256"] == first["sha256"]
    for other in ("b a c a\n", "c a\nb a\n", "b a\nd a\n", "b a\nc a\nb a\nc a\n"):
        assert provenance("c", other)["sha256"] != first["sha256"]
    assert fastvec.Corpus(tmp_path / "a", lowercase=True, errors="ignore", keep_empty=True).provenance == {
        **first, "lowercase": True, "errors": "ignore", "keep_empty": True
    }  # fmt: skip


def test_every_text_of_a_continued_training_is_known(text, tmp_path):
    model = fastvec.SkipGram(vector_size=4, epochs=1, threads=1, subsample=0).fit(text)
    model.save(tmp_path / "model.fvec")
    model = fastvec.load_model(tmp_path / "model.fvec").fit([["A", "B"]] * 9)
    first, second = model.vectors_.metadata["corpora"]
    assert (first["files"], first["words"], second["words"]) == (["text.txt"], 480, 18)
    assert "files" not in second
    assert [epoch["epoch"] for epoch in model.vectors_.metadata["history"]] == [1, 2]


def test_counts_know_their_texts(text, tmp_path, shown):
    counts = fastvec.Cooccurrence().fit(text)
    both = counts.merge(fastvec.Cooccurrence().fit([["A", "B"] * 5]))
    both.save(tmp_path / "both.fvcounts")
    loaded = fastvec.Cooccurrence.load(tmp_path / "both.fvcounts")
    corpora = fastvec.GloVe(vector_size=2, epochs=1).fit(loaded).vectors_.metadata["corpora"]
    assert [corpus["words"] for corpus in corpora] == [480, 10]
    status, out, _ = shown("info", tmp_path / "both.fvcounts")
    assert status == 0 and "text.txt: 480 words, 60 sentences, 10 distinct words" in out
    about = json.loads(shown("info", tmp_path / "both.fvcounts", "--json")[1])
    assert about["entries"] == both.n_entries_ and about["metadata"]["corpora"] == corpora
    unknown = fastvec.Cooccurrence.from_triples(["a", "b"], [0, 1], [1, 0], [2, 2])
    assert fastvec.PPMI_SVD(vector_size=1, matrix="counts").fit(unknown).vectors_.metadata["corpora"] == [{}]


@pytest.mark.parametrize(
    "options",
    [
        ("--window", 3, "--lowercase", "--noise-exponent", -0.5, "--shuffle"),
        ("--model", "cbow", "--no-scale-gradient", "--position-weights"),
        ("--model", "fasttext", "--fasttext-model", "cbow", "--buckets", 50, "--phrases", 1),
        ("--model", "glove", "--x-max", 5, "--left-only", "--min-count", 2),
    ],
)
def test_like_repeats_a_training_bit_by_bit(options, trained, text, tmp_path, shown):
    if "glove" in options:
        first = tmp_path / "glove.fvec"
        shown("train", text, "-o", first, "-q", "--vector-size", 4, "--epochs", 2, "--threads", 1, *options)
    else:
        first = trained(*options)
    again = tmp_path / "again.fvec"
    assert shown("train", "--like", first, text, "-o", again, "-q") == (0, "", "")
    assert again.read_bytes() == first.read_bytes()


TWICE = ("text.txt", "text.txt")
WHOLE = ("--checkpoint", "run.fvec", "--save-model", "model.fvec")
OF_WORDS = ("--epochs", 1, "--subsample", 0)


@pytest.mark.parametrize(
    ("texts", "options"),
    [
        (("dna.fa",), ("--kmers", 3, 1, "--model", "glove", "--epochs", 1)),
        (("dna.fa",), ("--kmers", 4, 2, "--model", "svd", "--matrix", "counts")),
        (TWICE, ("--errors", "ignore", "--keep", "A", "no", "--drop", "B", *OF_WORDS)),
        (TWICE, ("--lowercase", "--max-vocab", 5, "--cache", "ids", "--model", "svd")),
        (TWICE, ("--phrases", 2, "--memory-limit", "1K", "--model", "glove", "--epochs", 1)),
        (TWICE, ("--phrases", 1, "--deterministic", "--threads", 2, *OF_WORDS)),
        (TWICE, ("--model", "fasttext", "--buckets", 9, *OF_WORDS, *WHOLE)),
    ],
)
def test_like_repeats_every_way_to_read_a_text(texts, options, text, tmp_path, shown, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_bytes(text.read_bytes())
    draw = random.Random(5)
    reads = [f">{i}\n{''.join(draw.choices('ACGT', k=40))}\n" for i in range(9)]
    Path("dna.fa").write_text("".join(reads), encoding="utf-8")
    small = ("-o", "first.fvec", "-q", "--vector-size", 2, "--min-count", 1, "--threads", 1)
    assert shown("train", *texts, *small, *options) == (0, "", "")
    files = [name for name in ("first.fvec", "model.fvec", "run.fvec") if Path(name).exists()]
    for like in files:
        assert shown("train", "--like", like, *texts, "-o", "again.fvec", "-q") == (0, "", "")
        assert Path("again.fvec").read_bytes() == Path("first.fvec").read_bytes()


def test_what_like_says_of_a_text_can_be_undone(trained, text, tmp_path, shown):
    first, again = trained("--lowercase", "--shuffle"), tmp_path / "again.fvec"
    options = ("--no-lowercase", "--no-shuffle", "-o", again, "-q")
    assert shown("train", "--like", first, text, *options) == (0, "", "")
    metadata = fastvec.load(again).metadata
    assert "lowercase" not in metadata["corpora"][0] and metadata["shuffle"] is False


def test_options_take_precedence_over_like(trained, text, tmp_path, shown):
    first, other = trained("--window", 3), tmp_path / "other.txt"
    other.write_text("P Q R S T U V W\n" * 20)
    again = tmp_path / "again.fvec"
    assert shown("train", f"--like={first}", other, "-o", again, "-q", "--epochs", 3)[0] == 0
    was, now = fastvec.load(first).metadata, fastvec.load(again).metadata
    assert {name for name in was if was[name] != now[name]} == {"epochs", "corpora", "history"}
    assert now["epochs"] == 3 and now["corpora"][0]["files"] == ["other.txt"]


def test_like_repeats_a_model_of_counts(text, tmp_path, shown):
    counts, first, again = tmp_path / "c.fvcounts", tmp_path / "a.fvec", tmp_path / "b.fvec"
    shown("cooccur", text, "-o", counts, "--window", 3, "-q")
    options = ("--model", "glove", "--vector-size", 4, "--epochs", 2, "--threads", 1, "-q")
    assert shown("train", counts, "-o", first, *options)[0] == 0
    for source in (counts, text):
        assert shown("train", "--like", first, source, "-o", again, "-q") == (0, "", "")
        assert again.read_bytes() == first.read_bytes()


def test_like_repeats_a_training_on_counts_that_were_merged(text, tmp_path, shown):
    counts, first, again = (tmp_path / name for name in ("c.fvcounts", "a.fvec", "b.fvec"))
    lower = fastvec.Cooccurrence(drop=["a"]).fit(fastvec.Corpus(text, lowercase=True))
    lower.merge(lower).save(counts)
    options = ("--vector-size", 2, "--threads", 1, "-o", first, "-q")
    assert shown("train", counts, "--model", "svd", *options) == (0, "", "")
    assert shown("train", "--like", first, counts, "-o", again, "-q") == (0, "", "")
    assert again.read_bytes() == first.read_bytes()
    assert "made of 2 texts that were" in shown("train", "--like", first, text, "-o", again, "-q")[2]


@pytest.fixture(scope="module")
def glove(text):
    """Vectors of a model of counts."""
    path = text.with_name("glove.fvec")
    fastvec.GloVe(vector_size=2, epochs=1, threads=1).fit(text).vectors_.save(path)
    return path


@pytest.mark.parametrize(
    ("counting", "options", "message"),
    [
        ({}, ("--window", 5), "c.fvcounts was counted with window=10, not with window=5 as --like "),
        ({}, ("--phrases", 1), "counted with phrases=None, not with phrases=1"),
        ({}, ("--cache", "ids"), "counted with cache=None, not with cache='ids'"),
        ({}, ("--model", "svd"), "glove.fvec repeats a training of glove, not of --model svd"),
        ({"symmetric": False}, (), "counted with symmetric=False, not with symmetric=True"),
        ({"keep": ["A"]}, (), "counted with keep=['A'], not with keep=None"),
        ({"lowercase": True}, (), "counted with lowercase=True, not with lowercase=None"),
    ],
)
def test_like_refuses_counts_that_were_made_otherwise(
    counting, options, message, text, glove, tmp_path, shown, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    corpus = fastvec.Corpus(text, lowercase="lowercase" in counting)
    given = {name: value for name, value in counting.items() if name != "lowercase"}
    fastvec.Cooccurrence(**given).fit(corpus).save("c.fvcounts")
    status, out, errors = shown("train", "--like", glove, "c.fvcounts", "-o", "b.fvec", *options)
    assert (status, out, errors.count("\n")) == (2, "", 1)
    assert message in errors
    assert not Path("b.fvec").exists()


def test_what_cannot_be_repeated(trained, text, tmp_path, shown):
    def refusal(path, *options):
        status, out, errors = shown("train", "--like", path, text, "-o", tmp_path / "again.fvec", *options)
        assert (status, out) == (2, "")
        return errors

    first = trained()
    assert "repeats a training of skipgram, not of --model cbow" in refusal(first, "--model", "cbow")
    assert "--like must be a .fvec" in refusal(trained(name="out.vec"))
    assert "No such file" in refusal(tmp_path / "missing.fvec")
    fastvec.Vectors(["a"], [[1]]).save(tmp_path / "made.fvec")
    assert "have no training to repeat" in refusal(tmp_path / "made.fvec")
    documents = fastvec.DocVectors(vector_size=2, epochs=1, min_count=1, threads=1)
    documents.fit([["a", "b"]]).save(tmp_path / "made.fvec")
    assert "made by DocVectors, which is no --model of this command: skip" in refusal(tmp_path / "made.fvec")
    model = fastvec.SkipGram(vector_size=4, epochs=1, threads=1, subsample=0)
    for corpus, message in (
        (fastvec.Corpus(text, tokenizer=str.split), "trained in Python with a tokenizer"),
        (fastvec.Phrases(min_count=2, threshold=0).fit_transform(text), "with phrases of other parameters"),
        (text, "made of 3 texts"),
    ):
        model.fit(corpus).vectors_.save(tmp_path / "python.fvec")
        if corpus is not text:
            model = fastvec.SkipGram(vector_size=4, epochs=1, threads=1, subsample=0)
        else:
            model.fit(text).fit(text).vectors_.save(tmp_path / "python.fvec")
        assert message in refusal(tmp_path / "python.fvec")
    model = fastvec.SkipGram(vector_size=4, epochs=1, threads=1)
    model.fit(text, vocabulary=["P", "Q", "A"]).vectors_.save(tmp_path / "python.fvec")
    assert "on a given vocabulary" in refusal(tmp_path / "python.fvec")


def written(path, content):
    path.write_text(content)
    return path


def test_a_file_of_options(text, tmp_path, shown):
    config = written(
        tmp_path / "run.toml",
        f'texts = ["{text.as_posix()}"]\noutput = "{(tmp_path / "a.fvec").as_posix()}"\n'
        'model = "cbow"\nvector-size = 4\nepochs = 2\nthreads = 1\nsubsample = 0\nshuffle = true\n'
        'lowercase = true\nquiet = true\nscale_gradient = false\nmemory_limit = "1M"\n'
        "noise_exponent = -0.5\n",
    )
    assert shown("train", "--config", config) == (0, "", "")
    metadata = fastvec.load(tmp_path / "a.fvec").metadata
    expected = {
        "estimator": "CBOW", "vector_size": 4, "epochs": 2, "subsample": 0, "shuffle": True,
        "scale_gradient": False, "noise_exponent": -0.5,
    }  # fmt: skip
    assert {name: metadata[name] for name in expected} == expected
    assert metadata["corpora"][0]["lowercase"] is True
    other = written(tmp_path / "other.txt", "x y z\n" * 9)
    options = ("--no-shuffle", "--vector-size", 3, "-o", tmp_path / "b.fvec")
    assert shown("train", other, f"--config={config}", *options) == (0, "", "")
    changed = fastvec.load(tmp_path / "b.fvec").metadata
    assert (changed["vector_size"], changed["shuffle"], changed["epochs"]) == (3, False, 2)
    assert changed["corpora"][0]["files"] == ["other.txt"]


def test_config_takes_precedence_over_like(trained, text, tmp_path, shown):
    config = written(tmp_path / "run.toml", "window = 2\nepochs = 1\n")
    again = tmp_path / "again.fvec"
    arguments = ("--config", config, "--like", trained("--window", 3), text, "-o", again, "-q", "--epochs", 3)
    assert shown("train", *arguments)[0] == 0
    metadata = fastvec.load(again).metadata
    assert (metadata["window"], metadata["epochs"], metadata["vector_size"]) == (2, 3, 4)


def test_a_file_of_options_for_counts_and_phrases(text, tmp_path, shown):
    config = written(tmp_path / "run.toml", f'texts = "{text.as_posix()}"\nleft_only = true\nwindow = 3\n')
    assert shown("cooccur", "--config", config, "-o", tmp_path / "c.fvcounts", "-q") == (0, "", "")
    counts = fastvec.Cooccurrence.load(tmp_path / "c.fvcounts")
    assert (counts.symmetric, counts.window) == (False, 3)
    config = written(tmp_path / "phrases.toml", 'scoring = "npmi"\nthreshold = -1\nlowercase = false\n')
    out = tmp_path / "joined.txt"
    assert shown("phrases", text, "--config", config, "-o", out, "-q") == (0, "", "")
    assert "_" in out.read_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("vectr_size = 5", "fastvec train has no option 'vectr_size'; did you mean vector_size?"),
        ("[train]\nepochs = 5", "fastvec train has no option 'train'"),
        ("help = true", "has no option 'help'"),
        ('like = "x.fvec"', "has no option 'like'"),
        ('loss = "sofmax"', "loss: invalid choice: 'sofmax'; did you mean softmax? (choose from"),
        ('loss = "ns"', "loss: invalid choice: 'ns'; it is negative_sampling here (choose from"),
        ("epochs = 2.5", "epochs: invalid int value: 2.5"),
        ('learning_rate = "fast"', "learning_rate: invalid float value: 'fast'"),
        ("epochs = true", "epochs: must be a number or a str, got True"),
        ("epochs = [1, 2]", "epochs: must be a number or a str, got [1, 2]"),
        ("shuffle = 1", "shuffle: must be true or false, got 1"),
        ('memory_limit = "much"', "memory_limit: expected a number of bytes such as 500M or 4G, got 'much'"),
        ("epochs = ", "not a file of TOML ("),
        ("epochs = 0", "epochs must be an int >= 1, got 0"),
    ],
)  # fmt: skip
def test_errors_in_a_file_of_options(content, message, text, tmp_path, shown):
    config = written(tmp_path / "run.toml", content)
    status, out, errors = shown("train", text, "-o", tmp_path / "out.fvec", "--config", config)
    assert (status, out) == (2, "")
    assert errors.startswith("fastvec: error: ") and errors.count("\n") == 1 and message in errors


def test_a_file_of_options_that_is_not_there(text, tmp_path, shown):
    arguments = ("train", text, "-o", tmp_path / "out.fvec", "--config")
    assert "missing.toml: No such file" in shown(*arguments, tmp_path / "missing.toml")[2]
    assert "argument --config: expected one argument" in shown(*arguments)[2]
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'output = "\xe9"\n')
    assert "latin.toml: not a file of TOML (" in shown(*arguments, latin)[2]
    assert not Path(os.fspath(tmp_path / "out.fvec")).exists()

"""``fastvec documents``: what it writes is what the estimator learns, and bad input has its sentence."""

import gzip
import io
import json
import os
import random
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pytest
from commands import HANGS, fail, start, succeed
from inside import set_sizes

import fastvec

pytestmark = pytest.mark.any_backend(trains=True)

warnings_are_shown = pytest.mark.filterwarnings("always")

SMALL = ("--vector-size", 4, "--epochs", 2, "--threads", 1, "--min-count", 1)
LIKE_SMALL = {"vector_size": 4, "epochs": 2, "threads": 1, "min_count": 1}
EMPTY = 5  # the line without words
N_DOCUMENTS = 30


def lines():
    draw = random.Random(1)
    made = [" ".join(draw.choices("ABCDEFGHIJ", k=8)) for _ in range(N_DOCUMENTS)]
    made[EMPTY] = ""
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Documents, their tags, and models of two kinds."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "notes.txt").write_text("".join(f"{line}\n" for line in lines()))
    (folder / "tags.tsv").write_text("".join(f"note {i}\tall {'ab'[i % 2]}\n" for i in range(N_DOCUMENTS)))
    fastvec.DocVectors(**LIKE_SMALL).fit(folder / "notes.txt").save(folder / "model.fvec")
    words = fastvec.SkipGram(**LIKE_SMALL).fit(folder / "notes.txt")
    words.save(folder / "words.fvec")
    words.vectors_.save(folder / "vectors.fvec")
    return folder


@pytest.fixture
def here(folder, monkeypatch, tmp_path):
    """The folder of the documents as the current one, and an empty one for what is made."""
    monkeypatch.chdir(folder)
    return tmp_path


def test_documents_have_the_vectors_of_the_estimator_in_their_places(here, shown):
    status, out, _ = shown("documents", "train", "notes.txt", "-o", here / "out.fvec", *SMALL)
    assert status == 0
    assert out.startswith(f"{N_DOCUMENTS} documents, 4 dimensions; trained on 464 words in ")
    assert out.endswith(f"; saved in {here / 'out.fvec'}\n")
    learned = fastvec.DocVectors(**LIKE_SMALL).fit("notes.txt").vectors_
    saved = fastvec.load(here / "out.fvec")
    assert saved.words == learned.words == [*range(N_DOCUMENTS)]
    assert saved.vectors.tobytes() == learned.vectors.tobytes()
    assert shown("neighbors", here / "out.fvec", 7, "-n", 2)[0] == 0
    rows = shown("info", here / "out.fvec")[1]
    assert "estimator          DocVectors\n" in rows and "sha256 " in rows
    assert "notes.txt: 232 words, 30 sentences, 10 distinct words, keep_empty=True" in rows


def test_all_that_is_learned_is_saved(here, shown):
    files = [here / name for name in ("out.fvec", "words.bin", "model.fvec", "run.fvec")]
    outputs = ("-o", files[0], "--word-vectors", files[1], "--save-model", files[2], "--checkpoint", files[3])
    options = ("--tags", "tags.tsv", "--model", "dm", *SMALL)
    status, out, _ = shown("documents", "train", "notes.txt", *outputs, *options, "--json")
    document = json.loads(out)
    assert status == 0
    assert {name: document[name] for name in ("documents", "tags", "words", "vector_size", "output")} == {
        "documents": N_DOCUMENTS, "tags": N_DOCUMENTS + 2, "words": 10, "vector_size": 4,
        "output": str(files[0]),
    }  # fmt: skip
    assert [epoch["epoch"] for epoch in document["history"]] == [1, 2]
    model = fastvec.load_model(files[2])
    assert model.vectors_.words[:4] == ["note 0", "all a", "note 1", "all b"]
    assert model.vectors_.counts.tolist()[:4] == [1, 15, 1, 15]
    assert fastvec.load(files[1]).vectors.tobytes() == model.word_vectors_.vectors.tobytes()
    assert fastvec.load_model(files[3]).vectors_.vectors.tobytes() == model.vectors_.vectors.tobytes()


def test_tags_that_a_format_cannot_hold_are_refused(here, shown):
    options = ("-o", here / "out.glove", "--tags", "tags.tsv", *SMALL)
    status, _, errors = shown("documents", "train", "notes.txt", *options, "-q")
    assert status == 2 and errors.count("\n") == 1  # before the training
    assert "--tags: the word 'note 0' has white space, which this format cannot hold; save as .fvec" in errors


def test_tags_and_texts_may_be_compressed_and_end_as_on_windows(here, shown):
    tags = "".join(f"t{i}\r\n" for i in range(N_DOCUMENTS))
    tags = tags.replace("t3", " t3 ")
    (here / "tags.gz").write_bytes(gzip.compress(f"\ufeff{tags}".encode()))
    (here / "notes.gz").write_bytes(gzip.compress("\r\n".join(lines()).encode()))
    options = ("-o", here / "out.fvec", "--tags", here / "tags.gz", *SMALL, "-q")
    assert shown("documents", "train", here / "notes.gz", *options) == (0, "", "")
    assert fastvec.load(here / "out.fvec").words == [f"t{i}" for i in range(N_DOCUMENTS)]


@pytest.mark.parametrize(
    "options",
    [
        ("--model", "dm", "--window", 2, "--lowercase"),
        ("--dbow-words", "--tags", "tags.tsv", "--memory-limit", "1K"),
    ],
)
def test_like_repeats_a_training_bit_by_bit(options, here, shown):
    first, again = here / "first.fvec", here / "again.fvec"
    whole = ("--save-model", here / "model.fvec", "--checkpoint", here / "run.fvec")
    assert shown("documents", "train", "notes.txt", "-o", first, "-q", *whole, *SMALL, *options)[0] == 0
    tags = options[1:3] if "--tags" in options else ()
    for like in (first, here / "model.fvec", here / "run.fvec"):
        arguments = ("--like", like, "notes.txt", *tags, "-o", again, "-q")
        assert shown("documents", "train", *arguments) == (0, "", "")
        assert again.read_bytes() == first.read_bytes()
    (here / "run.toml").write_text(f'texts = "notes.txt"\noutput = "{again.as_posix()}"\nepochs = 1\n')
    arguments = ("--like", first, "--config", here / "run.toml", *tags, "-q")
    assert shown("documents", "train", *arguments) == (0, "", "")
    metadata = fastvec.load(again).metadata
    assert (metadata["epochs"], metadata["vector_size"]) == (1, 4)


def test_a_run_is_resumed(here, shown):
    def stop(model):
        model.stop()

    run = here / "run.fvec"
    model = fastvec.DocVectors(**LIKE_SMALL, callbacks=[stop])
    corpus = fastvec.Corpus("notes.txt", keep_empty=True)
    model.fit(corpus, checkpoint=run)
    assert len(model.history_) == 1
    options = ("--checkpoint", run, "--resume", "-o", here / "out.fvec", *SMALL, "-q")
    assert shown("documents", "train", "notes.txt", *options) == (0, "", "")
    whole = model.set_params(callbacks=[]).fit(corpus).vectors_
    assert fastvec.load(here / "out.fvec").vectors.tobytes() == whole.vectors.tobytes()
    status, _, errors = shown("documents", "train", "notes.txt", *options, "--tags", "tags.tsv")
    assert status == 2 and "tags must be the same as in the run of the checkpoint" in errors


@pytest.fixture(scope="module")
def inferred(folder):
    """Vectors of the documents by the model."""
    model = fastvec.load_model(folder / "model.fvec")
    with pytest.warns(UserWarning, match="1 of 30 documents"):
        return model.transform(folder / "notes.txt")


@pytest.fixture
def piped(shown, monkeypatch):
    """Function that runs a command with bytes as its standard input."""

    def run_with(content, *arguments):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding="ascii"))
        return shown(*arguments)

    return run_with


def numbers_in(out):
    return np.array([line.split() for line in out.splitlines()], np.float32)


@warnings_are_shown
def test_vectors_of_other_documents_are_those_of_transform(here, inferred, shown, piped, monkeypatch):
    status, out, errors = shown("documents", "infer", "model.fvec", "notes.txt", "-q")
    assert status == 0 and errors.count("\n") == 1 and "1 of 30 documents have no known word" in errors
    assert numbers_in(out).tobytes() == inferred.tobytes()
    assert shown("documents", "infer", "model.fvec", "notes.txt", "-q", "--threads", 2) == (0, out, errors)
    set_sizes(monkeypatch, standard_input_block=100)
    assert piped(Path("notes.txt").read_bytes(), "documents", "infer", "model.fvec") == (0, out, errors)
    out = shown("documents", "infer", "model.fvec", "--json", "notes.txt")[1]
    documents = [json.loads(line) for line in out.splitlines()]
    assert [" ".join(document["words"]) for document in documents] == lines()
    assert (
        np.array([document["vector"] for document in documents], np.float32).tobytes() == inferred.tobytes()
    )


def test_documents_are_answered_as_they_come(here, inferred):
    with start("documents", "infer", "model.fvec", stdin=subprocess.PIPE) as process:
        for number in (0, 1):
            process.stdin.write(f"{lines()[number]}\n".encode())
            process.stdin.flush()
            assert numbers_in(process.stdout.readline()).tobytes() == inferred[number].tobytes()
        process.stdin.write(lines()[2].encode())  # without an end of the line
        output, error = process.communicate(timeout=HANGS)
    assert (process.returncode, error) == (0, b"")
    assert numbers_in(output).tobytes() == inferred[2].tobytes()


@pytest.mark.parametrize("block", [1, 5, 1 << 16])
@pytest.mark.parametrize("end", ["", "\n"])
def test_lines_of_any_length_come_in_blocks(block, end, here, piped, monkeypatch):
    set_sizes(monkeypatch, standard_input_block=block)
    text = f"\ufeffA ä 東京\r\n\n B C D E F G \n\nend{end}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of unknown words
        out = piped(text.encode(), "documents", "infer", "model.fvec", "--json")[1]
    words = [json.loads(line)["words"] for line in out.splitlines()]
    assert words == [["A", "ä", "東京"], [], [*"BCDEFG"], [], ["end"]]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no terminals of this kind")
def test_on_a_terminal_documents_are_asked_for(here):
    ours, theirs = os.openpty()
    with start("documents", "infer", "model.fvec", stdin=theirs) as process:
        os.close(theirs)
        os.write(ours, b"A B\n")
        assert len(process.stdout.readline().split()) == 4
        os.write(ours, b"\x04")  # Ctrl-D
        _, error = process.communicate(timeout=HANGS)
    os.close(ours)
    assert (process.returncode, error) == (0, b"document: document: ")


@warnings_are_shown
def test_other_documents_are_read_as_those_of_the_training(here, shown, piped):
    """In lower case, as words of k letters; unless it is said otherwise."""
    fastvec.DocVectors(**LIKE_SMALL).fit(fastvec.Corpus("notes.txt", lowercase=True)).save(here / "low.fvec")
    (here / "upper.txt").write_text("A B\n")
    (here / "lower.txt").write_text("a b\n")
    of_lower = shown("documents", "infer", here / "low.fvec", here / "lower.txt", "--no-lowercase")[1]
    assert shown("documents", "infer", here / "low.fvec", here / "upper.txt", "-q") == (0, of_lower, "")
    assert piped(b"A B\n", "documents", "infer", here / "low.fvec") == (0, of_lower, "")
    status, out, errors = shown("documents", "infer", here / "low.fvec", here / "upper.txt", "--no-lowercase")
    assert (status, out) == (0, "0 0 0 0\n") and "no known word" in errors
    (here / "dna.fa").write_text(">a\nACGTACGTAC\n>b\nGGGTTTACGT\n")
    corpus = fastvec.Corpus(here / "dna.fa", kmers=(3, 1), keep_empty=True)
    model = fastvec.DocVectors(**LIKE_SMALL).fit(corpus)
    model.save(here / "dna.fvec")
    expected = model.transform(corpus).tobytes()
    printed = piped((here / "dna.fa").read_bytes(), "documents", "infer", here / "dna.fvec", "-q")[1]
    assert numbers_in(printed).tobytes() == expected
    printed = shown("documents", "infer", here / "dna.fvec", here / "dna.fa", "-q")[1]
    assert numbers_in(printed).tobytes() == expected


def test_words_that_are_ids(here, shown):
    model = fastvec.DocVectors(**LIKE_SMALL).fit([[1, 2, 3], [2, 3]], tags=[7, 5])
    model.save(here / "ids.fvec")
    (here / "ids.txt").write_text("3 1\n")
    out = shown("documents", "infer", here / "ids.fvec", here / "ids.txt", "-q")[1]
    assert numbers_in(out).tobytes() == model.transform([[3, 1]]).tobytes()


def test_info_of_many_documents(here, shown):
    """The first bytes of such a file have no end of a line."""
    fastvec.DocVectors(**LIKE_SMALL).fit([["a"]] * 9000).vectors_.save(here / "many.fvec")
    assert "words              9,000\n" in shown("info", here / "many.fvec")[1]


def python(here, **how):
    """Vectors of documents that were read as only Python can."""
    read = {"keep_empty": True, **how}
    corpus = fastvec.Corpus("notes.txt", **read)
    fastvec.DocVectors(**LIKE_SMALL).fit(corpus).vectors_.save(here / "python.fvec")


def test_what_like_cannot_repeat(here, shown):
    def refusal(path):
        status, out, errors = shown("documents", "train", "--like", path, "notes.txt", "-o", here / "x.fvec")
        assert (status, out, errors.count("\n")) == (2, "", 1)
        return errors

    corpus = fastvec.Corpus("notes.txt", keep_empty=True)
    made = fastvec.DocVectors(**LIKE_SMALL).fit(corpus, tags=[f"t{i}" for i in range(N_DOCUMENTS)])
    made.vectors_.save(here / "tags.fvec")
    assert "tags.fvec: its documents had tags, which are not in it: --like needs --tags, too" in refusal(
        here / "tags.fvec"
    )
    assert "vectors.fvec: made by SkipGram, which is no model of documents" in refusal("vectors.fvec")
    python(here, keep_empty=False)
    assert "trained in Python without empty documents, keep_empty=False, which no" in refusal(
        here / "python.fvec"
    )
    python(here, tokenizer=str.split)
    assert "trained in Python with a tokenizer, which no option" in refusal(here / "python.fvec")
    made.fit(fastvec.Phrases(min_count=1, threshold=0).fit_transform(corpus))
    made.vectors_.save(here / "python.fvec")
    assert "trained in Python with phrases, which no option" in refusal(here / "python.fvec")
    assert not (here / "x.fvec").exists()


BAD_TAGS = [
    ("a\n" * (N_DOCUMENTS - 1), "--tags must have a line for each document, 30, got 29 in bad.tsv"),
    ("a\n" * N_DOCUMENTS + "b", "--tags must have a line for each document, 30, got 31 in bad.tsv"),
    ("", "--tags must have a line for each document, 30, got 0 in bad.tsv"),
    (
        "a\n\nc\n",
        "bad.tsv, line 2: must be the tags of a document, at least one, with a tab between two, got an ",
    ),
    (
        "a\n\t\t\n",
        "line 2: must be the tags of a document, at least one, with a tab between two, got an empty",
    ),
    ("a\tb\nc\t\n", "got an empty tag in 'c\\t'"),
    ("\ufeff\ta\n", "bad.tsv, line 1: must be the tags of a document"),
]


@pytest.mark.parametrize(("content", "message"), BAD_TAGS)
def test_bad_tags(content, message, here, shown, monkeypatch):
    (here / "bad.tsv").write_text(content, encoding="utf-8")
    notes = Path("notes.txt").resolve()
    monkeypatch.chdir(here)
    status, out, errors = shown("documents", "train", notes, "-o", "x.fvec", "--tags", "bad.tsv", "-q")
    assert (status, out, errors.count("\n")) == (2, "", 1)
    assert message in errors
    assert not (here / "x.fvec").exists()


OUT = ("-o", "{new}/x.fvec")
BAD = [
    (("train", "missing.txt", *OUT), "missing.txt: No such file or directory"),
    (("train", "notes.txt", *OUT, "--tags", "missing.tsv"), "missing.tsv: No such file or directory"),
    (("train", "notes.txt", *OUT, "--tags", "."), ".: Is a directory"),
    (("train", "{new}", *OUT), "no files there that are not hidden"),
    (("train", "{empty}", *OUT), "empty.txt holds no words"),
    (("train", "{blank}", *OUT), "blank.txt holds no words"),
    (("train", "notes.txt", "-o", "x.odd"), "x.odd: unknown extension '.odd'; name the format (--format), "),
    (("train", "notes.txt", *OUT, "--word-vectors", "{new}/w.fvec"), "--word-vectors needs --model dm or"),
    (
        ("train", "notes.txt", *OUT, "--model", "dm", "--word-vectors", "{new}/w.odd"),
        "w.odd: unknown extension '.odd'",
    ),
    (("train", "notes.txt", *OUT, "--save-model", "{new}/m.vec"), "must end in .fvec to hold a whole Doc"),
    (("train", "notes.txt", *OUT, "--model", "dm", "--dbow-words"), "dbow_words must be False unless model="),
    (("train", "notes.txt", *OUT, "--resume"), "--resume needs --checkpoint, the file of the checkpoints"),
    (("train", "-", *OUT, "--tags", "-"), "--tags must be a file if the text is standard input, got '-' for"),
    (("train", "notes.txt", "-o", "notes.txt"), "--output must be another file than the input"),
    (("train", "notes.txt", "-o", "tags.tsv", "--tags", "tags.tsv"), "must be another file than the input"),
    (("infer", "missing.fvec"), "missing.fvec: No such file or directory"),
    (("infer", "model.fvec", "missing.txt"), "missing.txt: No such file or directory"),
    (("infer", "model.fvec", "notes.txt", "--threads", 0), "threads must be an int from 1 to 4096, got 0"),
    (("infer", "model.fvec", "A B"), "A B: No such file or directory (an argument is the name of a file; -"),
    (("infer", "model.fvec", "{new}"), "no files there that are not hidden"),
    (("infer", "words.fvec", "notes.txt"), "words.fvec holds a SkipGram, but this command needs DocVectors"),
    (("infer", "vectors.fvec"), "vectors.fvec: it holds vectors only; the whole model is in a file writt"),
    (("infer", "notes.txt"), "notes.txt: "),
    (("infer", "."), ".: Is a directory"),
    (("infer", "model.fvec", "{latin}"), "latin.txt, line 2, byte 4: not valid UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_input(arguments, message, here, folder, shown):
    new = here / "new"
    new.mkdir()
    named = {"new": new}
    for name, content in (("empty", b""), ("blank", b"\n \n"), ("latin", b"A\nB \xe9\n")):
        named[name] = here / f"{name}.txt"
        named[name].write_bytes(content)
    status, out, errors = shown("documents", *(str(part).format(**named) for part in arguments), "-q")
    assert (status, out) == (2, "")
    assert errors.startswith("fastvec: error: ") and errors.count("\n") == 1 and message in errors
    assert not [*new.iterdir()]


def test_lines_that_are_not_text(here, piped):
    infer = ("documents", "infer", "model.fvec")
    assert "standard input must be UTF-8, got b'\\xff'" in piped(b"A \xff\n", *infer)[2]
    assert piped(b"A \xff\n", *infer, "--errors", "replace") == (0, piped(b"A\n", *infer)[1], "")


def test_the_command_itself(folder):
    command = ("documents", "train", "notes.txt", "-o", "x.fvec", "--tags")
    assert "model.fvec is a file of vectors (.fvec), not a text" in fail(*command, "model.fvec", cwd=folder)
    assert succeed("documents", "infer", "model.fvec", stdin=subprocess.DEVNULL, cwd=folder) == ""
    assert not [*folder.glob("x.*")]

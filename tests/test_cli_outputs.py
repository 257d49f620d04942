"""The files of a command are checked before its work: nothing is overwritten that was read, nothing lost."""

import os
from pathlib import Path

import pytest
from commands import fail

import fastvec
from fastvec import classify, cli

pytestmark = pytest.mark.any_backend(trains=True)

needs_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files for every verb; tests leave them as they are."""
    folder = tmp_path_factory.mktemp("outputs")
    (folder / "text").write_text("new york is not new jersey\n" * 200)
    (folder / "tags").write_text("new A\nyork B\n\n" * 50)
    (folder / "labels").write_text("__label__a new york\n__label__b jersey is\n" * 50)
    (folder / "linked").symlink_to(folder / "text")
    (folder / "self").symlink_to(folder, target_is_directory=True)
    fastvec.Vectors(["new", "york"], [[1, 0], [1, 1]]).save(folder / "vectors.fvec")
    fastvec.Phrases(threshold=1).fit(folder / "text").save(folder / "found")
    fastvec.Cooccurrence(min_count=1).fit(folder / "text").save(folder / "counts.fvcounts")
    small = {"vector_size": 2, "epochs": 1}
    classify.TextClassifier(**small).fit(["new york", "jersey"], ["a", "b"]).save(folder / "texts.fvmodel")
    classify.WindowClassifier(**small, min_count=1).fit([["new", "york"]], [["A", "B"]]).save(
        folder / "words.fvmodel"
    )
    return folder


@pytest.fixture(autouse=True)
def nothing_changes(folder):
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    yield
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


# Every option that names a file to write, and the other arguments of its command.
OUTPUTS = [
    (("train", "text", "--vector-size", 2), "--output", ".fvec"),
    (("train", "text", "-o", "{new}/v.fvec"), "--save-model", ".fvec"),
    (("train", "text", "-o", "{new}/v.fvec"), "--checkpoint", ".fvec"),
    (("train", "text", "-o", "{new}/v.fvec"), "--cache", ".ids"),
    (("train", "counts.fvcounts", "--model", "svd", "--vector-size", 2), "--output", ".fvec"),
    (("phrases", "text"), "--output", ".txt"),
    (("phrases", "text", "-o", "{new}/x"), "--save-phrases", ""),
    (("cooccur", "text"), "--output", ".fvcounts"),
    (("cooccur", "text", "-o", "{new}/c.bin"), "--vocabulary", ""),
    (("documents", "train", "text"), "--output", ".fvec"),
    (("documents", "train", "text", "-o", "{new}/v.fvec"), "--save-model", ".fvec"),
    (("documents", "train", "text", "-o", "{new}/v.fvec", "--model", "dm"), "--word-vectors", ".fvec"),
    (("tag", "train", "tags"), "--output", ".fvmodel"),
    (("tag", "predict", "words.fvmodel", "tags"), "--output", ""),
    (("classify", "train", "labels"), "--output", ".fvmodel"),
    (("classify", "predict", "texts.fvmodel", "labels"), "--output", ""),
    (("demo",), "--output", ".fvec"),
    (("convert", "vectors.fvec"), "OUT", ".fvec"),
]
EVERY_OUTPUT = pytest.mark.parametrize(
    ("arguments", "option", "extension"),
    OUTPUTS,
    ids=[f"{' '.join(map(str, row[0][:2]))} {row[1]}" for row in OUTPUTS],
)
# Those that are text, and may be standard output.
TEXTS = [row for row in OUTPUTS if row[1] == "--output" and row[2] in ("", ".txt")]


@pytest.fixture
def refused(folder, tmp_path, monkeypatch, capsys):
    """Function that returns the error with which a command refuses to write to a path."""
    monkeypatch.chdir(folder)

    def call(arguments, option, path):
        command = [str(argument).format(new=tmp_path) for argument in arguments]
        command += [str(path)] if option == "OUT" else [option, str(path)]
        assert cli.main(command) == 2
        out, errors = capsys.readouterr()
        assert out == ""
        assert errors.count("\n") == 1  # neither progress nor anything else
        return errors

    return call


@EVERY_OUTPUT
def test_an_output_that_cannot_be_written(arguments, option, extension, refused, tmp_path):
    assert f"{option} must name a file, got ''" in refused(arguments, option, "")
    taken = tmp_path / f"folder{extension}"
    taken.mkdir()
    assert f"{taken}: Is a directory" in refused(arguments, option, taken)
    missing = tmp_path / "missing" / f"x{extension}"
    assert f"{missing.parent}: cannot write in this folder: No such" in refused(arguments, option, missing)
    if os.name != "nt":  # which says this otherwise
        name = f"{'long' * 100}{extension}"
        assert "File name too long" in refused(arguments, option, tmp_path / name)


@needs_posix
@EVERY_OUTPUT
def test_an_output_that_is_no_file(arguments, option, extension, refused, tmp_path):
    pipe, device = tmp_path / f"pipe{extension}", tmp_path / f"device{extension}"
    os.mkfifo(pipe)
    device.symlink_to(os.devnull)
    for path, what in ((pipe, "a pipe"), (device, "a device")):
        message = refused(arguments, option, path)
        assert f"{option} must be a regular file or new, got '{path}', which is {what}: " in message


@needs_posix
@EVERY_OUTPUT
def test_an_output_that_is_an_open_file(arguments, option, extension, refused, tmp_path):
    """Name one by a link: the name of the link has the extension."""
    with (tmp_path / "log").open("w") as log:
        link = tmp_path / f"link{extension}"
        link.symlink_to(f"/dev/fd/{log.fileno()}")
        message = refused(arguments, option, link)
    assert f"{option} must be a regular file or new, got '{link}', which is an open file of" in message


@EVERY_OUTPUT
def test_standard_output_is_for_text(arguments, option, extension, refused, folder, tmp_path, capsys):
    if (arguments, option, extension) in TEXTS:
        assert cli.main([*map(str, arguments), option, "-"]) == 0
        assert capsys.readouterr().out.startswith(("new", "__label__"))
        return
    message = refused(arguments, option, "-")
    assert f"{option} must be a regular file or new, got '-', which is standard output" in message
    assert message.endswith("save a file and send that on\n")


@needs_posix
@pytest.mark.parametrize(("arguments", "option", "extension"), TEXTS)
def test_text_for_a_device_is_refused_with_a_hint_at_standard_output(arguments, option, extension, refused):
    assert refused(arguments, option, "/dev/stdout").endswith("takes its name; - is standard output\n")
    assert refused(arguments, option, "/dev/null").endswith("takes its name; - is standard output\n")


# What each command reads; the first is what is read whole.
@pytest.mark.parametrize(
    ("arguments", "option", "path"),
    [
        (("train", "text", "--format", "glove"), "-o", "text"),
        (("train", "text", "--format", "glove"), "-o", "./text"),
        (("train", "text", "--format", "glove"), "-o", "linked"),
        (("train", "linked", "--format", "glove"), "-o", "text"),
        (("train", "self/text", "--format", "glove"), "-o", "text"),
        (("train", "tags", "text", "--format", "glove"), "-o", "text"),
        (("train", "text", "-o", "x.fvec"), "--cache", "text"),
        (("train", "counts.fvcounts", "--model", "svd", "--format", "glove"), "-o", "counts.fvcounts"),
        (("phrases", "text"), "-o", "text"),
        (("phrases", "text", "--phrases", "found"), "-o", "found"),
        (("phrases", "text", "-o", "{new}/x", "--phrases", "found"), "--save-phrases", "self/found"),
        (("phrases", "text", "-o", "{new}/x"), "--save-phrases", "text"),
        (("cooccur", "counts.fvcounts"), "-o", "counts.fvcounts"),
        (("cooccur", "text", "-o", "{new}/x.bin"), "--vocabulary", "text"),
        (("tag", "train", "words.fvmodel"), "-o", "words.fvmodel"),
        (("tag", "predict", "words.fvmodel", "tags"), "-o", "tags"),
        (("tag", "predict", "words.fvmodel", "tags"), "-o", "words.fvmodel"),
        (("classify", "train", "texts.fvmodel"), "-o", "texts.fvmodel"),
        (("classify", "predict", "texts.fvmodel", "labels"), "-o", "labels"),
        (("classify", "predict", "texts.fvmodel", "labels"), "-o", "texts.fvmodel"),
        (("convert", "vectors.fvec", "--center"), "OUT", "vectors.fvec"),
    ],
)
@needs_posix
def test_an_output_that_is_an_input(arguments, option, path, refused):
    named = {"-o": "--output"}.get(option, option)
    message = refused(arguments, option, path)
    assert f"{named} must be another file than the input, which it would replace, got '{path}'" in message


@needs_posix
@pytest.mark.parametrize(
    ("arguments", "option", "other"),
    [
        (("train", "text", "-o", "new.fvec"), "--save-model", "--output"),
        (("train", "text", "-o", "new.fvec"), "--checkpoint", "--output"),
        (("train", "text", "-o", "new.fvec"), "--cache", "--output"),
        (("documents", "train", "text", "-o", "new.fvec"), "--save-model", "--output"),
        (("phrases", "text", "-o", "new.fvec"), "--save-phrases", "--output"),
        (("cooccur", "text", "-o", "new.bin"), "--vocabulary", "--output"),
    ],
)
def test_two_outputs_that_are_one(arguments, option, other, refused, tmp_path, monkeypatch):
    (tmp_path / "new.fvec").symlink_to(tmp_path / "target.fvec")  # which does not exist yet
    (tmp_path / "new.bin").symlink_to(tmp_path / "target.bin")
    (tmp_path / "text").write_text("a b\n")
    monkeypatch.chdir(tmp_path)
    extension = Path(arguments[-1]).suffix
    for path in (f"new{extension}", f"./new{extension}", tmp_path / f"target{extension}"):
        message = refused(arguments, option, path)
        assert f"{option} must be another file than {other}, got '{path}' for both" in message


@needs_posix
def test_standard_input_is_an_input_too(folder):
    with (folder / "text").open() as text:
        options = ("train", "-", "--format", "glove", "-o", "text")
        assert "--output must be another file than the input" in fail(*options, cwd=folder, stdin=text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "text", "-o", "v.odd"), "unknown extension '.odd'"),
        (("train", "text", "-o", "v.vec.gz"), ".gz is supported for reading only"),
        (("train", "text", "-o", "v.vec", "--save-model", "m.vec"), "must end in .fvec to hold a whole Skip"),
        (("convert", "vectors.fvec", "v.ftz"), ".ftz is a quantized fastText model"),
        (("cooccur", "text", "-o", "c.txt"), "the output must end in .fvcounts or .bin, got 'c.txt'"),
        (("tag", "train", "tags", "-o", "m.fvec"), "the output must end in .fvmodel, got 'm.fvec'"),
        (
            ("classify", "train", "labels", "-o", "m.vec"),
            "the output must end in .fvmodel or .bin, got 'm.vec'",
        ),
        (("demo", "-o", "v.txt.gz"), ".gz is supported for reading only"),
        (("train", "text", "-o", "v.floret"), "a .floret file holds n-grams as in floret, which these"),
        (
            ("train", "text", "--model", "fasttext", "--hash-count", "2", "-o", "v.bin"),
            "fastText's .bin cannot hold n-grams as in floret (hash_count=2)",
        ),
        (("demo", "-o", "v.floret"), "a .floret file holds n-grams as in floret, which these"),
    ],
)
def test_an_extension_that_cannot_be_saved(arguments, message, refused):
    assert message in refused(arguments[:-1], "OUT", arguments[-1])


def test_a_file_in_shared_memory_is_a_file(folder, tmp_path, monkeypatch):
    """Not all of /dev is devices."""
    monkeypatch.chdir(folder)
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK):
        pytest.skip("no memory is shared as files")
    path = shared / f"fastvec-{os.getpid()}.vec"
    try:
        assert cli.main(["convert", "vectors.fvec", str(path)]) == 0
        assert len(fastvec.load(path)) == 2
    finally:
        path.unlink(missing_ok=True)

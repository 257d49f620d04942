"""Texts and tables at addresses, read through fsspec: in memory, in archives, by HTTP and from S3."""

import bz2
import gzip
import http.server
import lzma
import subprocess
import sys
import threading
import zipfile
from functools import partial

import pytest

import fastvec
from fastvec import Cooccurrence, Corpus, Phrases, SkipGram, Vectors, classify, evaluate, load_model

reason = "needs the extra test-interop"
fsspec = pytest.importorskip("fsspec", reason=reason)
pa = pytest.importorskip("pyarrow", reason=reason)
zstandard = pytest.importorskip("zstandard", reason=reason)
server = pytest.importorskip("moto.server", reason=reason)
import pyarrow.parquet as pq  # noqa: E402

pytestmark = pytest.mark.any_backend(trains=True)

TEXT = b"one two\nthree\n"
SENTENCES = [["one", "two"], ["three"]]
PACKED = {
    "a.txt": TEXT,
    "a.gz": gzip.compress(TEXT),
    "a.bz2": bz2.compress(TEXT),
    "a.xz": lzma.compress(TEXT),
    "a.zst": zstandard.compress(TEXT),
}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder of texts, compressed in every way, and tables."""
    folder = tmp_path_factory.mktemp("files")
    for name, content in PACKED.items():
        (folder / name).write_bytes(content)
    (folder / "labels.txt").write_text("__label__x one two\n__label__y three\n" * 5)
    pq.write_table(pa.table({"it": SENTENCES}), folder / "a.parquet")
    (folder / "rows.csv").write_text("user,song\n1,one\n1,two\n2,three\n")
    (folder / "rows.csv.gz").write_bytes(gzip.compress((folder / "rows.csv").read_bytes()))
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        for path in sorted(folder.iterdir()):
            if path.suffix != ".zip":
                archive.write(path, f"in/{path.name}")
    return folder


@pytest.fixture(scope="module")
def web(folder):
    """Return the address of a server of the folder, which sends whole files only."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def bucket(folder):
    """Return the address of a bucket of S3 with the folder's files, as the environment says where it is."""
    with pytest.MonkeyPatch.context() as patch:
        serving = server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        serving.start()
        host, port = serving.get_host_and_port()
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        system = fsspec.filesystem("s3")
        system.mkdir("texts")
        system.put(f"{folder}/*", "texts/in/")
        yield "s3://texts/in"
        serving.stop()


@pytest.fixture(params=["memory", "file", "zip", "http", "s3"])
def root(request, folder):
    """Return the address of the folder, of every kind."""
    if request.param == "memory":
        memory = fsspec.filesystem("memory")
        for path in folder.iterdir():
            memory.pipe(f"/in/{path.name}", path.read_bytes())
        return "memory://in"
    if request.param == "zip":
        return f"zip://in/{{}}::{folder / 'all.zip'}"
    if request.param == "file":
        return f"file://{folder}"
    return request.getfixturevalue("web" if request.param == "http" else "bucket")


def at(root, name):
    """Return the address of a file."""
    return root.format(name) if "{}" in root else f"{root}/{name}"


def test_texts_and_tables_at_addresses(root):
    for name in PACKED:
        assert list(Corpus(at(root, name))) == SENTENCES
    assert list(Corpus([at(root, "a.txt"), at(root, "a.zst")], tokenizer=str.split)) == SENTENCES * 2
    assert list(Corpus(at(root, "a.parquet"), column="it")) == SENTENCES
    for name in ("rows.csv", "rows.csv.gz"):
        assert list(Corpus.from_rows(at(root, name), "user", "song")) == SENTENCES
    assert SkipGram(vector_size=4, min_count=1, epochs=1).fit(at(root, "a.gz")).vectors_.words
    assert list(classify.TextClassifier(epochs=1, min_count=1).fit(at(root, "labels.txt")).classes_) == [
        "x",
        "y",
    ]
    with pytest.raises(FileNotFoundError):
        Corpus(at(root, "missing.txt"))


def test_folders_and_patterns_at_addresses(root):
    if root.startswith("http"):
        with pytest.raises((FileNotFoundError, ValueError)):
            Corpus(at(root, "*.gz"))
        return
    assert list(Corpus(at(root, "a.[bgx]z*"))) == SENTENCES * 3
    if root.startswith("s3"):
        assert list(Corpus("simplecache::" + at(root, "a.[bgx]z*"))) == SENTENCES * 3
    with pytest.raises(FileNotFoundError, match="no files there"):
        Corpus(at(root, "*.none"))


def test_the_command_reads_addresses(web, bucket, tmp_path):
    for address in (f"{web}/a.bz2", f"{bucket}/a.xz"):
        output = tmp_path / "v.vec"
        command = [
            sys.executable,
            "-m",
            "fastvec",
            "train",
            address,
            "-o",
            output,
            "--min-count=1",
            "--epochs=1",
        ]
        subprocess.run([*command, "--quiet"], check=True)
        assert set(fastvec.load(output).words) == {"one", "two", "three"}


def write(address):
    return Vectors(["a"], [[1.0]]).save(address)


def fitted():
    return SkipGram(vector_size=2, min_count=1, epochs=1).fit(SENTENCES)


@pytest.mark.parametrize(
    "act",
    [
        fastvec.load,
        load_model,
        classify.load,
        Phrases.load,
        Cooccurrence.load,
        write,
        Vectors(["a"], [[1.0]]).to_projector,
        Vectors(["a"], [[1.0]]).to_sentence_transformers,
        lambda address: fitted().save(address),
        lambda address: Phrases(min_count=1).fit(SENTENCES).save(address),
        lambda address: Cooccurrence(min_count=1).fit(SENTENCES).save(address),
        lambda address: SkipGram(min_count=1).fit(SENTENCES, checkpoint=address),
        lambda address: Cooccurrence.read_glove(address, "vocab.txt"),
        lambda address: Cooccurrence(min_count=1).fit(SENTENCES).write_glove("cooccurrence.bin", address),
        lambda address: evaluate.similarity(Vectors(["a"], [[1.0]]), address),
        lambda address: evaluate.analogies(Vectors(["a"], [[1.0]]), address),
        lambda address: Vectors(["a"], [[1.0]], [1]).save("v.vec", counts=address),
    ],
)
def test_what_is_no_text_is_on_a_disk(act, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for address in ("s3://bucket/x.fvec", "https://host/x.fvec", "memory://x.fvec"):
        with pytest.raises(ValueError, match=r" must be on a disk, got the address '.*x\.fvec': fsspec"):
            act(address)
    assert not list(tmp_path.iterdir())


def test_vectors_that_were_copied_from_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fitted().vectors_.save("v.fvec")
    fsspec.filesystem("memory").put("v.fvec", "memory://copied/v.fvec")
    fsspec.filesystem("memory").get("memory://copied/v.fvec", "got.fvec")
    assert len(fastvec.load("got.fvec")) == 3
    address = "s3://bucket/v.fvec"
    for arguments in (
        ["info", address],
        ["neighbors", address],
        ["convert", "got.fvec", "w.fvec", "--words", address],
        ["train", "got.fvec", "-o", "w.fvec", "--config", address],
    ):
        command = [sys.executable, "-m", "fastvec", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 2 and f"must be on a disk, got the address '{address}'" in done.stderr


def test_the_cache_of_a_text_is_on_a_disk(tmp_path):
    (tmp_path / "a").write_bytes(TEXT)
    with pytest.raises(ValueError, match=r"^cache must be on a disk, got the address 'memory://c': fsspec"):
        Corpus(tmp_path / "a", cache="memory://c")


def test_hidden_files_and_folders(tmp_path):
    memory = fsspec.filesystem("memory")
    for name, text in (
        ("a.txt", b"one two\n"),
        ("b.bz2", bz2.compress(b"three\n")),
        (".hidden", b"no"),
        ("sub/c.txt", b"four"),
    ):
        memory.pipe(f"/folder/{name}", text)
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(text)
    for root in ("memory://folder", f"file://{tmp_path}"):
        assert list(Corpus(f"{root}/a.txt")) == [["one", "two"]]
        assert list(Corpus(root)) == [["one", "two"], ["three"], ["four"]]
        assert list(Corpus([f"{root}/b*", f"{root}/a.txt"])) == [["three"], ["one", "two"]]
        with pytest.raises(FileNotFoundError):
            Corpus(f"{root}/missing.txt")
        with pytest.raises(FileNotFoundError, match="no files there"):
            Corpus(f"{root}/*.csv")
    for name in ("a/b/.x/shown", "a/b/.x/.hidden", "a/b/.x/.y/hidden", "a/b/c"):
        memory.pipe(f"/{name}", name.encode())
    assert list(Corpus("memory://a/b/.x")) == [["a/b/.x/shown"]]
    assert list(Corpus("memory://a/b/.x/*")) == [["a/b/.x/shown"]]
    assert list(Corpus("memory://a/b")) == [["a/b/c"]]
    assert list(Corpus("memory://a/**")) == [["a/b/c"]]
    with pytest.raises(ValueError, match=r"^cache must be None unless source is files"):
        Corpus("memory://folder/a.txt", cache=tmp_path / "cache")
    with pytest.raises(ValueError, match=r"[Pp]rotocol"):
        Corpus("nowhere://x")

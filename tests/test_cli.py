"""The command line as people use it: real processes, real files."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commands import ENDING, fail, interrupt, run, start, succeed, wait_for

import fastvec

pytestmark = pytest.mark.any_backend(trains=True)

KINDS = {
    "fruit": ["apple", "pear", "plum", "cherry", "grape"],
    "metal": ["iron", "copper", "zinc", "silver", "tin"],
    "bird": ["robin", "wren", "owl", "heron", "finch"],
}


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Sentences about one kind of thing each, so that things of a kind are neighbours."""
    draw = random.Random(1)
    path = tmp_path_factory.mktemp("cli") / "things.txt"
    sentences = [draw.choices(KINDS[draw.choice(list(KINDS))], k=12) for _ in range(2000)]
    path.write_text("".join(f"{' '.join(sentence)}\n" for sentence in sentences))
    return path


@pytest.fixture(scope="module")
def vectors(text):
    path = text.with_name("things.fvec")
    options = ("--vector-size", 16, "--subsample", 0, "--epochs", 5, "--threads", 1)
    out = succeed("train", text, "-o", path, *options)
    assert out.startswith("15 words, 16 dimensions; trained on 120,000 words in ")
    assert out.endswith(f"saved in {path}\n")
    return path


def test_train_passes_every_parameter_on(text, vectors):
    metadata = fastvec.load(vectors).metadata
    assert metadata["estimator"] == "SkipGram"
    assert (metadata["vector_size"], metadata["subsample"], metadata["threads"]) == (16, 0, 1)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--loss", "hierarchical_softmax"), {"estimator": "SkipGram", "loss": "hierarchical_softmax"}),
        (("--model", "cbow", "--loss", "softmax"), {"estimator": "CBOW", "loss": "softmax"}),
        (
            ("--model", "cbow", "--no-scale-gradient", "--position-weights"),
            {"scale_gradient": False, "position_weights": True, "learning_rate": 0.025},
        ),
        (
            ("--model", "fasttext", "--fasttext-model", "cbow", "--min-n", 2, "--buckets", 500),
            {"estimator": "FastText", "model": "cbow", "min_n": 2, "buckets": 500, "subsample": 0.0001},
        ),
    ],
)
def test_train_has_every_model(text, tmp_path, options, expected):
    path = tmp_path / "out.fvec"
    out = succeed("train", text, "-o", path, "--vector-size", 4, "--epochs", 1, *options)
    assert out.startswith("15 words, 4 dimensions; trained on 24,000 words in ")
    metadata = fastvec.load(path).metadata
    assert {name: metadata[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--min-n", 2), "--min-n is an option of fasttext, not of --model skipgram"),
        (("--model", "cbow", "--negative-sharing", "none"), "--negative-sharing is an option of skipgram"),
        (("--pooling", "sum"), "--pooling is an option of cbow and fasttext, not of --model skipgram"),
        (("--model", "lda"), "invalid choice: 'lda'"),
        (("--phrases", 0), "--phrases must be an int >= 1, got 0"),
        (("--save-model", "model.bin"), "path must end in .fvec to hold a whole SkipGram, got 'model.bin'"),
        (("--save-model", "missing/model.fvec"), "cannot write in this folder"),
    ],
)  # fmt: skip
def test_train_refuses_options_before_it_reads(tmp_path, options, message):
    out = tmp_path / "out.fvec"
    assert message in fail("train", tmp_path / "missing.txt", "-o", out, *options)


def test_train_keeps_all_that_training_needs_to_go_on(text, tmp_path):
    for name in ("model.fvec", "model.bin"):
        options = (
            "--model",
            "fasttext",
            "--buckets",
            200,
            "--vector-size",
            4,
            "--save-model",
            tmp_path / name,
        )
        succeed("train", text, "-o", tmp_path / "out.vec", "--epochs", 1, *options)
        model = fastvec.load_model(tmp_path / name)
        assert model.set_params(epochs=1, subsample=0).fit([KINDS["fruit"]]).history_[-1].pairs > 0


def test_train_joins_phrases_first(tmp_path):
    text, out = tmp_path / "text.txt", tmp_path / "out.fvec"
    filler = "".join(f"so w{i} x{i} as y{i} z{i}\n" for i in range(400))
    text.write_text("we saw new york city again\n" * 20 + filler)
    succeed("train", text, "-o", out, "--vector-size", 4, "--epochs", 1, "--phrases", 2, "--subsample", 0)
    assert "new_york_city" in "_".join(fastvec.load(out).words)


def test_train_shows_progress_on_standard_error_only(text, tmp_path):
    done = run("train", text, "-o", tmp_path / "out.fvec", "--epochs", 2, "--vector-size", 4)
    assert done.stdout.count("\n") == 1
    for shown in ("reading", "epoch 2/2", "words/s", "learning rate", "loss"):
        assert shown in done.stderr


def test_train_reads_standard_input_and_writes_what_the_extension_says(text, tmp_path):
    out = tmp_path / "out.vec"
    options = ("--vector-size", 4, "--epochs", 1, "--lowercase")
    succeed("train", "-", "-o", out, *options, input=text.read_text().upper())
    assert out.read_text().splitlines()[0] == "15 4"
    assert "apple" in fastvec.load(out)


def test_train_keeps_ids_and_limits_memory(text, tmp_path):
    cache = tmp_path / "things.ids"
    options = ("--vector-size", 4, "--epochs", 1, "--cache", cache, "--memory-limit", "1K")
    succeed("train", text, "-o", tmp_path / "a.fvec", *options)
    assert cache.stat().st_size > 4 * 24_000
    succeed("train", text, "-o", tmp_path / "b.fvec", *options)


def test_neighbors_are_of_the_same_kind(vectors):
    lines = succeed("neighbors", vectors, "apple", "-n", 4).splitlines()
    assert {line.split()[1] for line in lines} == set(KINDS["fruit"]) - {"apple"}
    cosines = [float(line.split()[0]) for line in lines]
    assert cosines == sorted(cosines, reverse=True)


def test_neighbors_of_several_words_stand_under_each(vectors):
    lines = succeed("neighbors", vectors, "owl", "tin", "-n", 2).splitlines()
    assert [line for line in lines if line.endswith(":")] == ["owl:", "tin:"]
    assert len(lines) == 6


def test_analogy_leaves_its_words_out(vectors):
    lines = succeed("analogy", vectors, "apple", "pear", "zinc", "-n", 12).splitlines()
    assert len(lines) == 12
    assert not {"apple", "pear", "zinc"} & {line.split()[1] for line in lines}
    assert "-n must be an int >= 1, got 0" in fail("analogy", vectors, "apple", "pear", "zinc", "-n", 0)


def test_evaluate_prints_aligned_tables(vectors, tmp_path):
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("apple\tpear\t9\nowl\twren\t8\napple\ttin\t1\nowl\tgrape\t2\nowl\tunheard\t2\n")
    analogies = tmp_path / "analogies.txt"
    analogies.write_text(": kinds\napple pear plum cherry\napple pear tin unheard\n")
    out = succeed("evaluate", vectors, "--similarity", pairs, pairs, "--analogies", analogies)
    table = out.splitlines()
    assert table[0] == "similarity  Spearman  covered    total"
    assert table[1] == table[2]
    assert float(table[1].split()[1]) > 0.5
    assert table[1].split()[2:] == ["4", "5"]
    assert {len(line) for line in table[:3]} == {len(table[0])}
    assert [line.split()[0] for line in table[3:]] == ["analogies", "kinds", "semantic", "syntactic", "total"]
    assert table[4].split()[2:4] == ["1", "2"]


def test_evaluate_needs_something_to_compare_with(vectors):
    assert "--similarity" in fail("evaluate", vectors)


def test_convert_there_and_back(vectors, tmp_path):
    binary, odd = tmp_path / "things.bin", tmp_path / "things.odd"
    assert "15 words, 16 dimensions" in succeed("convert", vectors, binary)
    succeed("convert", binary, odd, "--to", "glove")
    succeed("convert", odd, tmp_path / "back.fvec", "--from", "glove")
    kept = fastvec.load(tmp_path / "back.fvec")
    assert kept["owl"] == pytest.approx(fastvec.load(vectors)["owl"], abs=1e-6)


def test_convert_postprocesses(vectors, tmp_path):
    path = tmp_path / "things.fvec"
    succeed("convert", vectors, path, "--center", "--remove-top", 2, "--unit-length")
    expected = fastvec.load(vectors).postprocess(remove_top=2, unit_length=True)
    assert fastvec.load(path).metadata == expected.metadata
    assert fastvec.load(path)["owl"] == pytest.approx(expected["owl"])
    assert "remove_top must be 0 unless center=True, got 2" in fail(
        "convert", vectors, path, "--remove-top", 2
    )


def test_info_of_the_machine():
    out = succeed("info")
    for shown in (fastvec.__version__, "processor", "reference ", "baseline ", ", in use", "FASTVEC_BACKEND"):
        assert shown in out
    assert "reference usable, in use" in succeed("info", env=os.environ | {"FASTVEC_BACKEND": "reference"})


def test_info_of_vectors(vectors):
    rows = dict(line.split(maxsplit=1) for line in succeed("info", vectors).splitlines())
    assert rows["words"] == "15"
    assert rows["dimensions"] == "16"
    assert rows["occurrences"] == "24,000"
    assert rows["epochs"] == "5"


def test_info_verifies_checksums(vectors, tmp_path):
    assert f"{vectors}: all 3 tensors and the header have" in succeed("info", "--verify", vectors)
    damaged = tmp_path / "damaged.fvec"
    content = bytearray(vectors.read_bytes())
    content[-400] ^= 1  # the words at the end are shorter
    damaged.write_bytes(content)
    assert "damaged (the tensor 'vectors' has another checksum" in fail("info", "--verify", damaged)


def test_version_and_help():
    assert succeed("--version") == f"fastvec {fastvec.__version__}\n"
    assert "demo" in succeed("--help")


def test_unknown_word_names_the_nearest(vectors):
    message = fail("neighbors", vectors, "appel")
    assert message.startswith("fastvec: error: 'appel' is not among the 15 words; nearest spellings: 'apple'")


def test_errors_of_files(text, tmp_path):
    missing = tmp_path / "missing.txt"
    assert fail("train", missing, "-o", tmp_path / "out.fvec").endswith(
        f"{missing}: No such file or directory"
    )
    assert str(missing) in fail("neighbors", missing, "apple")
    odd = tmp_path / "things.odd"
    odd.write_text("apple 1 2\n")
    assert "unknown extension" in fail("neighbors", odd, "apple")


def test_errors_of_options(text, tmp_path):
    out = tmp_path / "out.fvec"
    assert "window must be an int from 1 to 1000, got 0" in fail("train", text, "-o", out, "--window", 0)
    assert "invalid int value: 'few'" in fail("train", text, "-o", out, "--epochs", "few")
    assert "expected a number of bytes such as 500M or 4G, got 'much'" in fail(
        "train", text, "-o", out, "--memory-limit", "much"
    )
    assert "FASTVEC_BACKEND must be one of" in fail(
        "train", text, "-o", out, env=os.environ | {"FASTVEC_BACKEND": "gpu"}
    )
    assert "invalid choice: 'trian'" in fail("trian", text)
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing/out.fvec", "cannot write in this folder: No such file or directory"),
        ("out.odd", "unknown extension '.odd'"),
        ("folder.fvec", "Is a directory"),
    ],
)
def test_train_refuses_an_output_before_it_reads(tmp_path, name, message):
    (tmp_path / "folder.fvec").mkdir()
    # The text is missing too: the output is looked at first.
    assert message in fail("train", tmp_path / "missing.txt", "-o", tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_train_refuses_a_folder_it_may_not_write_in(text, tmp_path):
    tmp_path.chmod(0o500)
    assert "Permission denied" in fail("train", text, "-o", tmp_path / "out.fvec")


def test_debugging_shows_where_an_error_came_from(tmp_path):
    done = run("info", tmp_path / "missing.fvec", env=os.environ | {"FASTVEC_DEBUG": "1"})
    assert "Traceback" in done.stderr
    assert "FileNotFoundError" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to all processes of a console")
@pytest.mark.parametrize("number", [signal.SIGINT, *ENDING])
def test_a_signal_saves_what_was_learned(number, text, tmp_path):
    out = tmp_path / "out.fvec"
    # Forty times the text and slow settings: an epoch takes seconds, and the signal meets it in the middle.
    options = ["--epochs", "1000", "--vector-size", "300", "--subsample", "0", "--threads", "1"]
    with start("train", *[text] * 40, "-o", out, *options) as process:
        wait_for(b"loss", process.stderr)
        output, rest = interrupt(process, number)
    assert process.returncode == 128 + number
    assert b"Traceback" not in rest
    assert b"fastvec: warning: training was interrupted" in rest
    assert output.decode().endswith(f"saved in {out}\n")
    assert len(fastvec.load(out)) == 15


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to all processes of a console")
@pytest.mark.parametrize("number", [signal.SIGINT, *ENDING])
def test_a_signal_before_the_training_saves_nothing(number, tmp_path):
    out = tmp_path / "out.fvec"
    with start("train", "-", "-o", out, stdin=subprocess.PIPE) as process:
        # Much more than a pipe holds: when this has been written, it reads.
        process.stdin.write(b"a b c\n" * 2**18)
        process.stdin.flush()
        _, rest = interrupt(process, number)
    assert process.returncode == 128 + number
    assert rest.endswith(b"fastvec: interrupted\n")
    assert not out.exists()


def test_a_reader_that_leaves_is_no_error(vectors, tmp_path):
    words = ["apple"] * 20_000
    with start("neighbors", vectors, *words) as process:
        assert process.stdout.readline() == b"apple:\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_the_installed_command_is_the_module(vectors):
    command = Path(sys.executable).with_name("fastvec")
    if not command.exists():
        pytest.skip("fastvec is not installed beside this Python")
    done = subprocess.run([command, "info", vectors], capture_output=True, text=True)
    assert done.stdout == succeed("info", vectors)

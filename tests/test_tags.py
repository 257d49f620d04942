"""Temporal referencing: words with tags, whose contexts have none."""

import numpy as np
import pytest
from epochs import train_epoch

import fastvec
from fastvec import kernels

SENTENCES = [["to", "be"], ["or", "not", "to", "be"], ["to", "be"], ["not", "to"]]
TAGS = [1600, 1600, 1900, 1600]
SMALL = {"vector_size": 8, "min_count": 1, "epochs": 3, "threads": 1}


@pytest.fixture(scope="module")
def text(topics):
    return list(topics(60))


def tagged_in_turn(sentences, **given):
    return fastvec.Corpus(sentences, tag=[i % 2 for i in range(len(sentences))], **given)


# ---- The corpus --------------------------------------------------------------------------------------------


@pytest.mark.any_backend
def test_words_have_the_tag_of_their_sentence():
    corpus = fastvec.Corpus(SENTENCES, tag=TAGS)
    expected = [[f"{word}_{tag}" for word in words] for words, tag in zip(SENTENCES, TAGS, strict=True)]
    assert list(corpus) == expected
    counts = dict(zip(corpus.vocabulary.words, corpus.vocabulary.counts.tolist(), strict=True))
    assert counts == {"to_1600": 3, "be_1600": 2, "not_1600": 2, "or_1600": 1, "to_1900": 1, "be_1900": 1}
    contexts = {word: corpus.vocabulary.words[i] for word, i in zip(counts, corpus.context_ids, strict=True)}
    assert contexts == {word: f"{word.split('_')[0]}_1600" for word in counts}
    assert corpus.provenance["tags"] == ["1600", "1900"]
    plain = fastvec.Corpus(expected)
    assert plain.context_ids is None
    assert plain.provenance["sha256"] != corpus.provenance["sha256"]


@pytest.mark.any_backend
def test_some_words_have_tags():
    corpus = fastvec.Corpus(SENTENCES, tag=iter(TAGS), tag_words={"be", "missing"})
    assert list(corpus)[1:3] == [["or", "not", "to", "be_1600"], ["to", "be_1900"]]
    words = corpus.vocabulary.words
    assert words == ["to", "be_1600", "not", "or", "be_1900"]
    assert corpus.context_ids.tolist() == [0, 1, 2, 3, 1]
    ids = fastvec.Corpus([[1, 2], [2, 3]], tag=["a", "b"], tag_words=[2])
    assert list(ids) == [["1", "2_a"], ["2_b", "3"]]


@pytest.mark.any_backend
def test_files_have_tags_whether_cached_or_not(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("to be\n\nor not\n", encoding="utf-8")
    for _ in range(2):
        corpus = fastvec.Corpus(
            path, tag=["a", "b", "c"], keep_empty=True, cache=tmp_path / "ids", memory_limit=1
        )
        assert list(corpus) == [["to_a", "be_a"], [], ["or_c", "not_c"]]
    assert next(iter(fastvec.Corpus(path, keep_empty=True, cache=tmp_path / "ids"))) == ["to", "be"]


@pytest.mark.any_backend
@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (
            {"tag": TAGS[:3]},
            ValueError,
            "for each of the 4 sentences, got 3: keep_empty=True keeps sentences",
        ),
        ({"tag": "1600"}, TypeError, "tag must be a str or an int for each sentence, got '1600'"),
        ({"tag": [1.5] * 4}, TypeError, "tag must be a str or an int, got 1.5"),
        ({"tag_words": ["to"]}, ValueError, r"tag_words must be None unless tag is given, got \['to'\]"),
        ({"tag": TAGS, "tag_words": "to"}, TypeError, "tag_words must be a list of words, got 'to'"),
        ({"tag": TAGS, "tag_words": ["what"]}, ValueError, "tag_words must have words of the text, got none"),
    ],
)
def test_bad_tags(given, error, message):
    with pytest.raises(error, match=message):
        fastvec.Corpus(SENTENCES, **given)


@pytest.mark.any_backend
def test_tags_do_not_make_one_word_of_two():
    with pytest.raises(ValueError, match="words that are no others, got 'to_1' twice: use other tags"):
        fastvec.Corpus([["to", "to_1"]], tag=[1], tag_words=["to"])


# ---- Training ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", [True, False])
def test_centres_have_the_rows_that_they_share(compiled, toy_corpus, padded, shared):
    n_words = toy_corpus.n_words
    output_of = np.arange(n_words, dtype=np.int32) // 3 * 3
    noise = np.bincount(output_of, toy_corpus.noise_probabilities, n_words)
    offsets = np.append(toy_corpus.sentence_offsets[:7], 120)
    corpus = toy_corpus._replace(
        ids=toy_corpus.ids[:120], sentence_offsets=offsets, noise_probabilities=noise
    )
    settings = {"window": 3, "negatives": 5, "shared": shared, "loss": "negative_sampling"}

    def run(backend, output_of=output_of, **options):
        given = settings | {"output_of": output_of}
        return train_epoch(backend, "skipgram", given, corpus, padded, chunks=(0, 70), **options).matrices

    ours, theirs, apart, start = (
        run(compiled), run("reference"), run(compiled, None), run(compiled, learning_rate=0)
    )  # fmt: skip
    for name, matrix in theirs.items():
        np.testing.assert_allclose(ours[name], matrix, rtol=0, atol=1e-4)
        assert np.abs(apart[name] - matrix).max() > 0.01
    for run in (ours, theirs):
        moved = (run["output_vectors"] != start["output_vectors"]).any(axis=1)
        assert np.flatnonzero(moved).tolist() == list(range(0, n_words, 3))


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize("given", [{}, {"deterministic": True, "threads": 2}, {"loss": "bpr"}], ids=str)
def test_one_tag_for_all_changes_nothing(text, given):
    plain = fastvec.SkipGram(**SMALL | given).fit(text)
    tagged = fastvec.SkipGram(**SMALL | given).fit(fastvec.Corpus(text, tag=["x"] * len(text)))
    assert tagged.vectors_.words == [f"{word}_x" for word in plain.vectors_.words]
    np.testing.assert_array_equal(tagged.vectors_.vectors, plain.vectors_.vectors)
    np.testing.assert_array_equal(tagged.output_vectors_, plain.output_vectors_)


@pytest.mark.any_backend(trains=True)
@pytest.mark.parametrize("threads", [1, 2])
def test_words_that_changed_are_apart_without_alignment(topics, threads):
    text = list(topics(400))
    swapped = {"sea1": "war1", "war1": "sea1"}
    text[200:] = [[swapped.get(word, word) for word in words] for words in text[200:]]
    corpus = fastvec.Corpus(text, tag=["old"] * 200 + ["new"] * 200)
    vectors = fastvec.SkipGram(**SMALL | {"epochs": 20, "threads": threads}).fit(corpus).vectors_
    same = {
        word: vectors.similarity(f"{word}_old", f"{word}_new") for word in ("sea2", "war2", "sky3", "the")
    }
    assert min(same.values()) > 0.8
    assert max(vectors.similarity(f"{word}_old", f"{word}_new") for word in swapped) < 0.5
    assert vectors.similarity("sea1_old", "war1_new") > 0.8


def probabilities(noise):
    """Return the probabilities with which an alias table draws."""
    thresholds, alias = noise.astype(np.int64).T
    return (thresholds + np.bincount(alias, 2**32 - thresholds, len(noise))) / 2**32 / len(noise)


@pytest.mark.any_backend(trains=True)
def test_words_are_kept_and_drawn_as_without_tags(text, monkeypatch):
    kernel = kernels.get("skipgram")
    seen = []
    monkeypatch.setattr(kernel, "train", lambda **given: seen.append(given) or (0.0, 1, 1), raising=True)
    for corpus in (fastvec.Corpus(text), tagged_in_turn(text)):
        fastvec.SkipGram(**SMALL | {"subsample": 1e-2}).fit(corpus)
        vocabulary, given = corpus.vocabulary, seen.pop()
        names = [word.split("_")[0] for word in vocabulary.words]
        keep = dict(zip(names, given["keep"].tolist(), strict=True))
        drawn = dict.fromkeys(names, 0.0)
        for name, probability in zip(names, probabilities(given["noise"]), strict=True):
            drawn[name] += probability
        if corpus.context_ids is None:
            expected, expected_noise = keep, drawn
        else:
            assert keep == expected
            assert drawn == pytest.approx(expected_noise, rel=1e-6)
            assert given["output_of"].tolist() == corpus.context_ids.tolist()


@pytest.mark.any_backend(trains=True)
def test_shared_outputs_are_saved_and_runs_are_resumed(text, tmp_path):
    corpus = tagged_in_turn(text, tag_words=["sea1", "the"])
    whole = fastvec.SkipGram(**SMALL).fit(corpus)
    a, b = (whole.vocabulary_.index[f"the_{tag}"] for tag in (0, 1))
    np.testing.assert_array_equal(whole.output_vectors_[a], whole.output_vectors_[b])
    assert whole.output_vectors_[a].any()
    path = tmp_path / "run.fvec"
    fastvec.SkipGram(**SMALL, callbacks=[lambda model: model.stop()]).fit(corpus, checkpoint=path)
    resumed = fastvec.SkipGram(**SMALL).fit(corpus, checkpoint=path, resume=True)
    loaded = fastvec.load_model(path)
    for model in (resumed, loaded):
        np.testing.assert_array_equal(model.vectors_.vectors, whole.vectors_.vectors)
        np.testing.assert_array_equal(model.output_vectors_, whole.output_vectors_)


@pytest.mark.any_backend(trains=True)
def test_what_cannot_train_on_tags_says_so(text):
    corpus = tagged_in_turn(text)
    models = [
        fastvec.SkipGram(loss="softmax"), fastvec.SkipGram(loss="hierarchical_softmax"), fastvec.CBOW(),
        fastvec.FastText(), fastvec.GloVe(), fastvec.PPMI_SVD(), fastvec.DocVectors(), fastvec.Phrases(),
        fastvec.SkipGram(**SMALL).fit(text),
    ]  # fmt: skip
    message = (
        r"must be one without tag, got Corpus\(60 .*: words that share their contexts need SkipGram with"
    )
    for model in models:
        with pytest.raises(ValueError, match=message):
            model.fit(corpus)
    with pytest.raises(ValueError, match=message):
        fastvec.drift(corpus, corpus, model=fastvec.SkipGram())

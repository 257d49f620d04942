"""DocVectors: documents of a topic lie together, new ones beside them, and all of it survives a file."""

import numpy as np
import pytest

import fastvec

pytestmark = pytest.mark.any_backend(trains=True)

MODELS = [{"model": "dbow"}, {"model": "dbow", "dbow_words": True}, {"model": "dm"}]
every_model = pytest.mark.parametrize("own", MODELS, ids=str)


def documents_of(n, seed=0):
    """Documents of two topics in turn, ten words of each."""
    random = np.random.default_rng(seed)
    return [[f"{'ab'[i % 2]}{word}" for word in random.integers(0, 10, 12)] for i in range(n)]


def fitted(own, documents=None, **more):
    model = fastvec.DocVectors(vector_size=16, epochs=30, threads=1, learning_rate=0.1, **own)
    return model.fit(documents or documents_of(60), **more)


def check_topics(first, second):
    """Assert it by cosines, without the direction that all documents share."""
    first, second = (m - m.mean(axis=0) for m in (first, second))
    first, second = (m / np.linalg.norm(m, axis=1, keepdims=True) for m in (first, second))
    cosines = first @ second.T
    same = np.add.outer(np.arange(len(first)), np.arange(len(second))) % 2 == 0
    assert cosines[same].mean() > cosines[~same].mean() + 0.1


@pytest.mark.parametrize("own", MODELS[:2], ids=str)
def test_documents_of_a_topic_lie_together(own):
    model = fitted(own)
    check_topics(model.vectors_.vectors, model.vectors_.vectors)
    new = model.transform(documents_of(10, seed=1))
    check_topics(new, new)
    check_topics(model.vectors_.vectors, new)


@every_model
def test_a_trained_document_is_near_itself_as_a_new_one(own):
    """In PV-DM the words nearby tell the topic: the vector of the document says what these do not."""
    model = fitted(own)
    trained, new = model.vectors_.vectors, model.transform(documents_of(60))
    cosines = np.corrcoef(trained, new)[:60, 60:]
    assert np.diag(cosines).mean() > cosines.mean() + 0.1
    assert hasattr(model, "word_vectors_") == (own != {"model": "dbow"})
    assert model.history_[-1].loss < model.history_[0].loss


@every_model
def test_files(own, tmp_path):
    model = fitted(own, tags=[f"t{i}" for i in range(60)])
    model.save(tmp_path / "documents.fvec")
    loaded = fastvec.load_model(tmp_path / "documents.fvec")
    new = documents_of(4, seed=1)
    assert loaded.transform(new).tobytes() == model.transform(new).tobytes()
    assert loaded.vectors_.words == model.vectors_.words == [f"t{i}" for i in range(60)]
    assert fastvec.load(tmp_path / "documents.fvec")["t3"].tobytes() == model.vectors_["t3"].tobytes()
    assert loaded.vocabulary_.words == model.vocabulary_.words


@every_model
def test_new_documents_depend_on_themselves_alone(own):
    model = fitted(own)
    new = documents_of(9, seed=1)
    together = model.transform(new)
    assert model.transform(new[4:5])[0].tobytes() == together[4].tobytes()
    assert model.set_params(threads=3).transform(new).tobytes() == together.tobytes()


@pytest.mark.parametrize(("model", "most"), [("dbow", 0.5), ("dm", 3)])
def test_new_documents_do_not_move_farther_the_more_epochs_there_are(model, most):
    model, made = fitted({"model": model}), []
    for part in (0.5, 1, 2):
        model._state.given["learning_rate"] = part * most / 30
        made.append(model.transform(documents_of(9, seed=1)).tobytes())
    assert made[0] != made[1] == made[2]


def test_tags_that_are_ids_stay_int(tmp_path):
    documents = [[1, 2], [], [2, 3]]
    model = fastvec.DocVectors(vector_size=4, min_count=1, model="dm").fit(documents)
    assert model.vectors_.words == [0, 1, 2]
    model.fit(documents, tags=np.array([7, 5, 7])).save(tmp_path / "ids.fvec")
    loaded = fastvec.load_model(tmp_path / "ids.fvec")
    for each in (model, loaded):
        assert each.vectors_.words == [7, 5]
        assert each.word_vectors_.words == each.vocabulary_.words == [2, 1, 3]
        assert each.vectors_["5"].tobytes() == model.vectors_[5].tobytes()
    for tags, counts in (([7, "a", "7"], [2, 1]), ([[7, "7"], "a", 7], [2, 1])):
        assert model.fit(documents, tags=tags).vectors_.words == ["7", "a"]
        assert model.vectors_.counts.tolist() == counts


def test_tags_are_shared():
    model = fitted({}, tags=[i % 2 for i in range(60)])
    assert model.vectors_.words == [0, 1]
    assert model.vectors_.counts.tolist() == [30, 30]
    assert model.vectors_[1].tobytes() == model.vectors_["1"].tobytes()
    other = fastvec.DocVectors(**model.get_params())
    assert other.fit_transform(documents_of(60), tags=["a"] * 60).shape == (60, 16)
    assert other.vectors_.words == ["a"]


@every_model
def test_several_tags_of_a_document(own):
    """The tag of a topic lies among its documents."""
    topics = [[i, "ab"[i % 2]] for i in range(60)]
    model = fitted(own, tags=topics)
    assert model.vectors_.words == ["0", "a", "1", "b", *map(str, range(2, 60))]
    assert model.vectors_.counts.tolist()[:5] == [1, 30, 1, 30, 1]
    documents = np.stack([model.vectors_[i] for i in range(60)])
    check_topics(np.stack([model.vectors_["a"], model.vectors_["b"]]), documents)


def test_a_tag_may_stand_in_a_list():
    one, lists, twice = (
        fitted({}, tags=tags).vectors_.vectors.tobytes()
        for tags in (list("ab") * 30, [["a"], ("b",)] * 30, [["a", "a"], np.array(["b"])] * 30)
    )
    assert one == lists == twice


@every_model
def test_documents_start_from_the_same_vectors_in_every_model(own):
    """The random numbers of documents come first, and not in the order of a set of str."""
    start = {"vector_size": 16, "threads": 1, "epochs": 1, "learning_rate": 1e-20, "min_learning_rate": 0}
    plain = fastvec.DocVectors(**start).fit(documents_of(60))
    made = fastvec.DocVectors(**start, **own).fit(documents_of(60))
    assert made.vectors_.vectors.tobytes() == plain.vectors_.vectors.tobytes()


@every_model
def test_a_run_is_resumed(own, tmp_path):
    run = {"checkpoint": tmp_path / "run.fvec", "checkpoint_every": 1, "resume": True}
    documents, tags = documents_of(60), [f"t{i % 50}" for i in range(60)]

    def stop_in_the_third(model):
        if len(model.history_) == 3:
            model.stop()

    model = fastvec.DocVectors(vector_size=16, epochs=5, threads=1, **own).fit(documents, tags=tags)
    whole = model.vectors_.vectors.tobytes()
    # one that has learned something before, which does not matter
    model.set_params(callbacks=[stop_in_the_third]).fit(documents, tags=tags, **run)
    assert fastvec.load_model(tmp_path / "run.fvec").vectors_.words == model.vectors_.words
    for other in ({"tags": tags[::-1]}, {"tags": None}):
        with pytest.raises(ValueError, match="tags must be the same as in the run of the checkpoint"):
            model.fit(documents, **other, **run)
    with pytest.raises(ValueError, match="documents must be the same as in the run of the checkpoint"):
        model.fit(documents[::-1], tags=tags, **run)
    model.set_params(callbacks=[]).fit(documents, tags=tags, **run)
    assert len(model.history_) == 5
    assert model.vectors_.vectors.tobytes() == whole


def test_the_end_of_training():
    def second(model):
        return len(model.history_) == 2

    model = fitted({}).set_params(callbacks=[second]).fit(documents_of(60))
    assert (len(model.history_), model.interrupted_) == (2, False)
    model.set_params(callbacks=[fastvec.DocVectors.stop]).fit(documents_of(60))
    assert (len(model.history_), model.interrupted_) == (1, True)
    learned = model.vectors_.vectors.tobytes()
    with pytest.raises(FloatingPointError, match="learning_rate=1e\\+30 is probably too large"):
        model.set_params(learning_rate=1e30).fit(documents_of(60))
    assert model.vectors_.vectors.tobytes() == learned


def test_without_known_words():
    model = fitted({})
    with pytest.warns(UserWarning, match="2 of 3 documents have no known word"):
        vectors = model.transform([[], ["new"], ["a1", "a2"]])
    assert vectors.any(axis=1).tolist() == [False, False, True]
    assert model.transform([]).shape == (0, 16)


def test_without_words_that_are_kept():
    documents = [["often"] * 400, ["rare", "often"] * 5]
    model = fastvec.DocVectors(vector_size=4, epochs=1, subsample=1e-9, threads=1).fit(documents)
    with pytest.warns(UserWarning, match="of 40 documents have .* none that `subsample` keeps"):
        vectors = model.transform([["often"]] * 40)
    assert not vectors.any()


BAD = [
    ({"model": "sum"}, ValueError, "model must be one of 'dbow', 'dm', got 'sum'"),
    ({"model": "dm", "dbow_words": True}, ValueError, "dbow_words must be False unless model='dbow'"),
    ({"min_learning_rate": 1}, ValueError, "min_learning_rate must be a number >= 0 and <= 0.05, got 1"),
]


@pytest.mark.parametrize(("given", "error", "message"), BAD, ids=str)
def test_bad_parameters(given, error, message):
    with pytest.raises(error, match=message):
        fastvec.DocVectors(**given).fit(documents_of(2))


def test_bad_parameters_of_new_documents():
    with pytest.raises(ValueError, match="threads must be an int from 1 to 4096, got 0"):
        fitted({}).set_params(threads=0).transform(documents_of(2))


def test_bad_tags():
    for tags, error, message in (
        ("ab", TypeError, "tags must be a list of one str or int"),
        (b"ab", TypeError, "tags must be a list of one str or int"),
        (["a", ""], ValueError, "tags: an item is an empty str"),
        ([1.5, 2], TypeError, "every tag must be a str or an int, got 1.5"),
        ([["a", 1.5], "b"], TypeError, "every tag must be a str or an int, got 1.5"),
        ({"a", "b"}, TypeError, "tags must be a list of .*: its order differs from run to run"),
        ({"a": 1, "b": 2}, TypeError, "tags must be a list of .*: only its keys would be used"),
        (["a", {"b", "c"}], TypeError, "what tags has for document 1 must be a str, an int or a list"),
        (["a", []], ValueError, "tags must be at least one for each document, got none for document 1"),
        (["a"], ValueError, "tags must be as many as the documents, 2, got 1"),
    ):
        with pytest.raises(error, match=message):
            fastvec.DocVectors(min_count=1).fit(documents_of(2), tags=tags)


def test_names_of_gensim():
    with pytest.raises(AttributeError, match="transform"):
        fastvec.DocVectors().infer_vector(["a"])
    with pytest.raises(TypeError, match="model"):
        fastvec.DocVectors(dm=1)
    with pytest.raises(TypeError, match="no parameter `deterministic`: it is `threads=1`; `transform` is"):
        fastvec.DocVectors(deterministic=True)

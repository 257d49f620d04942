"""What other packages call things: errors that say ours; and estimators as notebooks show them."""

import copy
from html.parser import HTMLParser

import pytest
from sklearn.base import clone

import fastvec

pytestmark = pytest.mark.any_backend

MODELS = [
    fastvec.SkipGram,
    fastvec.CBOW,
    fastvec.FastText,
    fastvec.GloVe,
    fastvec.PPMI_SVD,
    fastvec.DocVectors,
]
every_model = pytest.mark.parametrize("model", MODELS)


def what_it_has_not(model, names, sentence_of):
    """Return the names of which sentences say that the model has nothing of the kind."""
    missing = set()
    for name, ours in names.items():
        sentence, kind = sentence_of(name)
        usual = f"{model.__name__} has no {kind} `{name}`: it is {ours}"
        assert sentence in (usual, f"{usual}, but not in {model.__name__}")
        missing |= {name} if sentence != usual else set()
    return missing


def parameters_without(model):
    def sentence_of(name):
        with pytest.raises(TypeError) as raised:
            model(**{name: 3})
        return str(raised.value), "parameter"

    names = {name: ours for name, ours in model.PEERS.parameters.items() if name not in model().get_params()}
    return what_it_has_not(model, names, sentence_of)


def attributes_without(model):
    def sentence_of(name):
        assert not hasattr(model(), name)
        with pytest.raises(AttributeError) as raised:
            getattr(model(), name)
        return str(raised.value), "attribute"

    return what_it_has_not(model, model.PEERS.attributes, sentence_of)


NOISE = {"negative", "neg", "ns_exponent", "sample", "t"}
EPOCHS = {"iter", "epoch", "max_iter"}
RATES = {"alpha", "lr", "eta", "min_alpha"}
OUTPUTS = {"get_output_matrix", "syn1neg", "syn1", "create_binary_tree", "predict_output_word"}


@pytest.mark.parametrize(
    ("model", "parameters", "attributes"),
    [
        (fastvec.SkipGram, {"cbow_mean"}, {"word_vectors"}),
        (fastvec.CBOW, set(), {"word_vectors"}),
        (fastvec.FastText, set(), {"word_vectors"}),
        (
            fastvec.GloVe,
            {"hs", "cbow_mean", "shrink_windows", "min_alpha", *NOISE},
            {"build_vocab", "build_vocab_from_freq", "reset_from", *OUTPUTS},
        ),
        (
            fastvec.PPMI_SVD,
            {
                "hs",
                "cbow_mean",
                "shrink_windows",
                "compute_loss",
                "pretrainedVectors",
                *NOISE,
                *EPOCHS,
                *RATES,
            },
            {
                *("build_vocab", "build_vocab_from_freq", "reset_from", "save_model"),
                *("intersect_word2vec_format", "set_matrices", "word_vectors", *OUTPUTS),
                *("get_latest_training_loss", "running_training_loss", "total_train_time"),
            },
        ),
        (
            fastvec.DocVectors,
            {"hs", "cbow_mean", "shrink_windows", "trim_rule", "pretrainedVectors"},
            {
                *("build_vocab_from_freq", "reset_from", "intersect_word2vec_format", "set_matrices"),
                *("syn1", "create_binary_tree", "predict_output_word"),
            },
        ),
    ],
)
def test_names_of_other_packages(model, parameters, attributes):
    assert parameters_without(model) == parameters
    assert attributes_without(model) == attributes


def test_some_of_them():
    with pytest.raises(
        TypeError, match=r"^GloVe has no parameter `negative`: it is `negatives`, but not in GloVe$"
    ):
        fastvec.GloVe(negative=5)
    with pytest.raises(
        AttributeError, match=r"^PPMI_SVD has no attribute `syn1neg`: .*, but not in PPMI_SVD$"
    ):
        _ = fastvec.PPMI_SVD().syn1neg
    for given, ours in (("workers", "`threads`"), ("size", "`vector_size`"), ("iter", "`epochs`")):
        with pytest.raises(TypeError, match=f"SkipGram has no parameter `{given}`: it is {ours}"):
            fastvec.SkipGram(**{given: 3})
    with pytest.raises(
        TypeError, match='CBOW has no parameter `cbow_mean`: it is `pooling="mean"`, or `pooling'
    ):
        fastvec.CBOW(cbow_mean=0)
    with pytest.raises(TypeError, match="it is the choice between SkipGram and CBOW"):
        fastvec.CBOW(sg=1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'vectorsize'"):
        fastvec.CBOW(vectorsize=1)
    assert fastvec.GloVe(alpha=0.5).alpha == 0.5


@pytest.mark.parametrize(
    "model", [fastvec.SkipGram, fastvec.CBOW, fastvec.FastText, fastvec.classify.TextClassifier]
)
def test_losses_of_fasttext(model):
    classifies = model is fastvec.classify.TextClassifier
    for given, ours in (
        ("hs", "'hierarchical_softmax'"),
        ("ns", "'negative_sampling'"),
        ("ova", "'one_vs_all'" if classifies else "'one_vs_all' of TextClassifier"),
    ):
        sentence = f"loss must be one of .*, got '{given}'; it is {ours} here$"
        with pytest.raises(ValueError, match=sentence):
            model(loss=given).check_params()
    with pytest.raises(ValueError, match=r"got 'hsm'$"):
        model(loss="hsm").check_params()
    with pytest.raises(TypeError, match=r"loss must be one of .*, got None"):
        model(loss=None).check_params()


@every_model
def test_other_attributes_and_copies_are_as_they_were(model):
    with pytest.raises(AttributeError, match=f"'{model.__name__}' object has no attribute 'vectors'"):
        _ = model().vectors
    with pytest.raises(AttributeError, match=f"{model.__name__} has no vectors_ before fit"):
        _ = model().vectors_
    made = model(vector_size=7)
    for same in (clone(made), copy.copy(made), copy.deepcopy(made)):
        assert same.get_params() == made.get_params()
        assert repr(same) == f"{model.__name__}(vector_size=7)"
    assert not set(model.PEERS.attributes) & set(dir(made))


class Balanced(HTMLParser):
    """Counts tags, of which all must be closed."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize(
    "estimator",
    [
        fastvec.SkipGram(vector_size=7, keep=["<b>", "&amp;", "</td>"]),
        fastvec.Cooccurrence(window=3),
        fastvec.Phrases(),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_what_notebooks_show(estimator):
    html = estimator._repr_html_()
    parser = Balanced()
    parser.feed(html)
    assert not parser.open
    assert repr(estimator) in parser.text
    for name in estimator.get_params():
        assert name in parser.text
    assert "<script" not in html
    if isinstance(estimator, fastvec.SkipGram):
        assert ">vector_size</th>" in html
        assert ">window</td>" in html
        assert "'</td>'" in parser.text

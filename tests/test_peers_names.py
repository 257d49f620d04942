"""What other packages call things: errors that say ours; and estimators as notebooks show them."""

import copy
from html.parser import HTMLParser

import pytest
from inside import ATTRIBUTES, PARAMETERS
from sklearn.base import clone

import fastvec

pytestmark = pytest.mark.any_backend

MODELS = [fastvec.SkipGram, fastvec.CBOW, fastvec.FastText, fastvec.GloVe, fastvec.PPMI_SVD]
every_model = pytest.mark.parametrize("model", MODELS)


@every_model
def test_parameters_of_other_packages(model):
    for name in PARAMETERS.keys() - model().get_params():
        with pytest.raises(TypeError) as raised:
            model(**{name: 3})
        assert str(raised.value) == f"{model.__name__} has no parameter `{name}`: it is {PARAMETERS[name]}"


def test_some_of_them():
    for given, ours in (("workers", "`threads`"), ("size", "`vector_size`"), ("iter", "`epochs`")):
        with pytest.raises(TypeError, match=f"SkipGram has no parameter `{given}`: it is {ours}"):
            fastvec.SkipGram(**{given: 3})
    with pytest.raises(TypeError, match="it is the choice between SkipGram and CBOW"):
        fastvec.CBOW(sg=1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'vectorsize'"):
        fastvec.CBOW(vectorsize=1)
    assert fastvec.GloVe(alpha=0.5).alpha == 0.5


@every_model
def test_attributes_of_other_packages(model):
    for name, ours in ATTRIBUTES.items():
        assert not hasattr(model(), name)
        with pytest.raises(AttributeError) as raised:
            getattr(model(), name)
        assert str(raised.value) == f"{model.__name__} has no attribute `{name}`: it is {ours}"


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
    assert not set(ATTRIBUTES) & set(dir(made))


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

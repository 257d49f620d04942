"""The networks are estimators as scikit-learn's own: its checks, its pipelines and its searches."""

from copy import deepcopy

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import make_blobs
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastvec.classify import NetworkClassifier, NetworkRegressor, SoftmaxClassifier

pytestmark = pytest.mark.any_backend(trains=True)

NETWORKS = [SoftmaxClassifier(), NetworkClassifier(), NetworkRegressor()]
X, CLUSTERS = make_blobs(120, n_features=4, centers=3, cluster_std=1.5, random_state=0)

every_network = pytest.mark.parametrize("network", NETWORKS, ids=repr)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(NETWORKS)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_what_they_are():
    assert [is_classifier(network) for network in NETWORKS] == [True, True, False]
    assert [is_regressor(network) for network in NETWORKS] == [False, False, True]
    assert [hasattr(network, "predict_proba") for network in NETWORKS] == [True, True, False]


@every_network
def test_clones_have_the_parameters_and_nothing_learned(network):
    network = clone(network).set_params(epochs=3, l2=0.1, seed=5, optimizer="sgd").fit(X, CLUSTERS)
    copy = clone(network)
    assert copy.get_params() == network.get_params()
    assert set(vars(copy)) == set(network.get_params())
    np.testing.assert_array_equal(copy.fit(X, CLUSTERS).predict(X), network.predict(X))
    assert repr(copy) == repr(network)


@every_network
def test_copies_go_on_as_the_original_does(network):
    network = clone(network).set_params(epochs=2).fit(X, CLUSTERS)
    copy = deepcopy(network)
    for each in (network, copy):
        each.partial_fit(X, CLUSTERS)
    np.testing.assert_array_equal(copy.predict(X), network.predict(X))
    assert len(copy.history_) == 3


@every_network
def test_folds_in_other_processes_are_those_of_this_one(network):
    network = clone(network).set_params(epochs=2)
    here, elsewhere = (cross_val_score(network, X, CLUSTERS, cv=2, n_jobs=n) for n in (1, 2))
    np.testing.assert_array_equal(here, elsewhere)


def test_a_pipeline_brings_features_to_one_scale():
    stretched = X * [1, 1e3, 1e-3, 1] + [0, 1e4, 0, 5]
    pipeline = make_pipeline(StandardScaler(), NetworkClassifier(hidden=10, learning_rate=0.02))
    assert pipeline.fit(stretched, CLUSTERS).score(stretched, CLUSTERS) > 0.9
    assert pipeline.predict_proba(stretched).shape == (120, 3)


def test_a_search_finds_the_better_parameters():
    pipeline = make_pipeline(StandardScaler(), SoftmaxClassifier())
    grid = {"softmaxclassifier__l2": [0.0, 1.0], "softmaxclassifier__optimizer": ["adam", "sgd"]}
    search = GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(X, CLUSTERS)
    assert search.best_params_["softmaxclassifier__l2"] == 0
    assert search.best_score_ > 0.85
    assert search.best_estimator_.predict(X).shape == (120,)


def test_a_search_over_sizes_of_hidden_layers():
    network = NetworkClassifier(epochs=10, learning_rate=0.02)
    search = GridSearchCV(network, {"hidden": [1, 8, (8, 4)]}, cv=2, error_score="raise").fit(X, CLUSTERS)
    assert search.best_params_["hidden"] in (8, (8, 4))


def test_numbers_are_cross_validated_by_the_coefficient_of_determination():
    network = NetworkRegressor(hidden=20, epochs=100, learning_rate=0.02)
    y = X @ [1, -2, 0.5, 0] / 10
    assert cross_val_score(network, X / 5, y, cv=3, error_score="raise").min() > 0.9
    several = MultiOutputRegressor(network).fit(X / 5, np.stack((y, -y), axis=1))
    assert several.score(X / 5, np.stack((y, -y), axis=1)) > 0.9

"""Measures against brute force, scikit-learn and numbers made by hand."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as peer

from vaegmm.metrics import (
    accuracy,
    adjusted_rand_index,
    clustering_accuracy,
    confusion_matrix,
    contingency,
    expected_calibration_error,
    latents_in_use,
    normalized_mutual_information,
)

LABELS = arrays(np.int64, 30, elements=st.integers(0, 3))


@settings(deadline=None, max_examples=50)
@given(LABELS, LABELS)
def test_clustering_accuracy_is_the_best_of_all_assignments(clusters, labels):
    best = max(
        np.mean(np.array(assignment)[clusters] == labels)
        for assignment in itertools.permutations(range(4))
    )
    assert clustering_accuracy(clusters, labels) == pytest.approx(best)


@settings(deadline=None, max_examples=50)
@given(LABELS, LABELS, st.permutations(range(4)))
def test_clustering_measures_do_not_know_the_clusters_numbers(clusters, labels, permutation):
    renamed = np.array(permutation)[clusters]
    for measure in (clustering_accuracy, normalized_mutual_information, adjusted_rand_index):
        assert measure(renamed, labels) == pytest.approx(measure(clusters, labels), abs=1e-12)


def test_one_to_one_assignment_uses_each_label_once():
    # Both clusters are mostly 0: only one of them may have it.
    clusters, labels = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 0, 0, 0, 1])
    assert clustering_accuracy(clusters, labels) == pytest.approx(4 / 6)


def test_more_clusters_than_labels_leave_some_without():
    clusters, labels = np.arange(6), np.array([0, 0, 0, 1, 1, 1])
    assert clustering_accuracy(clusters, labels) == pytest.approx(2 / 6)


@settings(deadline=None, max_examples=50)
@given(LABELS, LABELS)
def test_nmi_and_ari_are_symmetric_and_those_of_the_definition(clusters, labels):
    joint = contingency(clusters, labels) / len(labels)

    def entropy(p):
        return -sum(value * math.log(value) for value in p if value > 0)

    rows, columns = joint.sum(1), joint.sum(0)
    information = entropy(rows) + entropy(columns) - entropy(joint.ravel())
    mean_entropy = (entropy(rows) + entropy(columns)) / 2
    if mean_entropy > 0:
        assert normalized_mutual_information(clusters, labels) == pytest.approx(
            information / mean_entropy, abs=1e-9
        )
    assert adjusted_rand_index(clusters, labels) == pytest.approx(
        adjusted_rand_index(labels, clusters)
    )


def test_a_partition_agrees_with_itself():
    labels = np.array([0, 1, 1, 2])
    assert clustering_accuracy(labels, labels) == 1
    assert normalized_mutual_information(labels, labels) == pytest.approx(1)
    assert adjusted_rand_index(labels, labels) == 1


@settings(deadline=None, max_examples=50)
@given(LABELS, LABELS)
def test_confusion_matrix_and_accuracy_are_scikit_learns(predicted, labels):
    np.testing.assert_array_equal(
        confusion_matrix(predicted, labels, 4),
        peer.confusion_matrix(labels, predicted, labels=range(4)),
    )
    assert accuracy(predicted, labels) == pytest.approx(peer.accuracy_score(labels, predicted))


def test_calibration_error_of_a_case_made_by_hand():
    # Two bins in use: three at 0.9 of which two are right, one at 0.6 which is wrong.
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.6, 0.4]])
    labels = np.array([0, 1, 1, 1])
    expected = (3 * abs(0.9 - 2 / 3) + 1 * abs(0.6 - 0)) / 4
    assert expected_calibration_error(probabilities, labels) == pytest.approx(expected)


def test_calibration_error_of_certainty():
    certain = np.eye(3)
    assert expected_calibration_error(certain, np.array([0, 1, 2])) == 0
    assert expected_calibration_error(certain, np.array([1, 2, 0])) == 1


def test_an_honest_classifier_has_a_small_calibration_error():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(3), 20_000)
    labels = (rng.random(20_000)[:, None] > probabilities.cumsum(1)).sum(1)
    assert expected_calibration_error(probabilities, labels) < 0.015


def test_latents_in_use_counts_means_that_vary():
    means = np.random.default_rng(0).normal(size=(1000, 4)) * [1.0, 0.2, 0.05, 0.0]
    assert latents_in_use(means) == 2
    assert latents_in_use(means + 100) == 2

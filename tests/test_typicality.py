"""Typicality: a rank that keeps its word about shares."""

import numpy as np
import pytest

from vaegmm.typicality import TypicalityRanks


@pytest.fixture
def training():
    rng = np.random.default_rng(0)
    return rng.normal(-10, 3, 5000), rng.gamma(4, 10, 5000)


def test_a_threshold_turns_away_its_share_of_the_training_images(training):
    typicality = TypicalityRanks.fit(*training).rank(*training)
    for threshold in (0.01, 0.05, 0.1, 0.5, 0.9):
        assert (typicality < threshold).mean() == pytest.approx(threshold, abs=0.003)


def test_the_share_holds_for_new_images_of_the_same_kind(training):
    ranks = TypicalityRanks.fit(*training)
    rng = np.random.default_rng(1)
    typicality = ranks.rank(rng.normal(-10, 3, 20_000), rng.gamma(4, 10, 20_000))
    for threshold in (0.01, 0.1, 0.5):
        assert (typicality < threshold).mean() == pytest.approx(threshold, abs=0.015)


def test_either_way_to_be_strange_is_enough(training):
    ranks = TypicalityRanks.fit(*training)
    usual, strange = (-10.0, 40.0), (-60.0, 400.0)
    log_likelihood = np.array([usual[0], strange[0], usual[0], strange[0]])
    excess = np.array([usual[1], usual[1], strange[1], strange[1]])
    typicality = ranks.rank(log_likelihood, excess)
    assert typicality[0] > 0.3
    assert (typicality[1:] == 0).all()


def test_typicality_rises_with_density_and_falls_with_what_is_missed(training):
    ranks = TypicalityRanks.fit(*training)
    line = np.linspace(-30, 10, 200)
    assert (np.diff(ranks.rank(line, np.full(200, 20.0))) >= 0).all()
    assert (np.diff(ranks.rank(np.full(200, -5.0), np.linspace(0, 200, 200))) <= 0).all()


def test_typicality_lies_in_the_unit_interval(training):
    ranks = TypicalityRanks.fit(*training)
    extremes = np.array([-np.inf, -1e300, 0, 1e300, np.inf])
    for excess in (0.0, 40.0, 1e300):
        typicality = ranks.rank(extremes, np.full(5, excess))
        assert ((typicality >= 0) & (typicality <= 1)).all()


def test_few_or_equal_training_images_do_no_harm():
    for n in (1, 2, 5):
        ranks = TypicalityRanks.fit(np.zeros(n), np.ones(n))
        assert ranks.rank(np.array([0.0]), np.array([1.0]))[0] >= 0
        assert ranks.rank(np.array([-5.0]), np.array([1.0]))[0] == 0
        assert ranks.rank(np.array([0.0]), np.array([9.0]))[0] == 0

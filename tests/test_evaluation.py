"""The figures of a model: each against its own definition, under the protocol."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vaegmm import PRESETS, VAEGMM, metrics
from vaegmm.evaluation import evaluate, views_information
from vaegmm.model import load


@pytest.fixture(scope="module")
def figures(small_model, digits):
    return evaluate(small_model, digits.test.images, digits.test.labels)


def test_figures_survive_json(figures):
    assert json.loads(json.dumps(figures)) == figures


def test_reconstruction_is_measured_from_the_posterior_mean(figures, small_model, digits):
    pixels = digits.test.images / 255
    decoded = small_model.decode(small_model.encode(digits.test.images)).astype(np.float64)
    expected = -(pixels * np.log(decoded) + (1 - pixels) * np.log(1 - decoded)).sum((1, 2)).mean()
    assert figures["cross_entropy"] == pytest.approx(expected, rel=1e-3)


def test_divergence_is_that_of_torch(figures, small_model, digits):
    mean, std = (torch.from_numpy(part) for part in small_model.posterior(digits.test.images))
    expected = kl_divergence(Normal(mean, std), Normal(torch.zeros_like(mean), 1.0)).mean(0)
    assert figures["kl"] == pytest.approx(expected.sum().item(), rel=1e-5)
    assert figures["kl_per_latent"] == pytest.approx(expected.tolist(), abs=1e-4)


def test_counts_are_those_of_data_and_model(figures, small_model, digits):
    assert figures["n_images"] == len(digits.test)
    assert figures["n_components"] == 12
    assert figures["latent_dim"] == 8
    assert figures["n_labels"] == len(digits.validation)
    means = small_model.encode(digits.test.images)
    assert figures["latents_in_use"] == metrics.latents_in_use(means)
    assert 0 < figures["mean_typicality"] < 1


def test_classification_uses_the_models_own_names(figures, small_model, digits):
    images, labels = digits.test.images, digits.test.labels
    expected = (small_model.predict(images) == labels).mean()
    assert figures["classification_accuracy"] == pytest.approx(expected)
    assert figures["expected_calibration_error"] == pytest.approx(
        metrics.expected_calibration_error(small_model.predict_proba(images), labels), abs=1e-6
    )


def test_calibration_is_measured_before_and_after(figures, small_model, digits):
    names = small_model.names
    assert figures["temperature"] == names.temperature != 1
    table = names.label_given_component**names.temperature
    raw = small_model.responsibilities(digits.test.images) @ (table / table.sum(1, keepdims=True))
    assert figures["calibration_error_without_temperature"] == pytest.approx(
        metrics.expected_calibration_error(raw, digits.test.labels), abs=1e-6
    )


def test_clustering_is_that_of_one_component_a_label(figures, small_model, digits):
    other = small_model.refit(n_components=10, seed=0)
    clusters = other.mixture.predict(other.encode(digits.test.images))
    assert figures["n_clusters"] == 10
    assert figures["clustering_accuracy"] == pytest.approx(
        metrics.clustering_accuracy(clusters, digits.test.labels)
    )
    assert figures["nmi"] == pytest.approx(
        metrics.normalized_mutual_information(clusters, digits.test.labels)
    )
    assert figures["ari"] == pytest.approx(
        metrics.adjusted_rand_index(clusters, digits.test.labels)
    )


def test_a_model_of_one_component_a_label_is_scored_itself(small_model, digits, monkeypatch):
    ten = small_model.refit(n_components=10, seed=7, n_init=1)
    monkeypatch.setattr(VAEGMM, "refit", lambda *args, **kwargs: pytest.fail("was refitted"))
    figures = evaluate(ten, digits.test.images, digits.test.labels)
    clusters = ten.mixture.predict(ten.encode(digits.test.images))
    expected = metrics.clustering_accuracy(clusters, digits.test.labels)
    assert figures["clustering_accuracy"] == pytest.approx(expected)


def test_labels_do_not_choose_the_clustering(small_model, digits, monkeypatch):
    seen = []
    original = VAEGMM.refit

    def watch(self, *args, **kwargs):
        seen.append((args, kwargs))
        return original(self, *args, **kwargs)

    monkeypatch.setattr(VAEGMM, "refit", watch)
    evaluate(small_model, digits.test.images, digits.test.labels)
    assert seen == [((), {"n_components": 10, "seed": 0})]


def test_without_labels_only_what_needs_none_is_measured(small_model, digits, figures):
    without = evaluate(small_model, digits.test.images)
    assert without.keys() < figures.keys()
    assert "classification_accuracy" not in without
    assert "clustering_accuracy" not in without
    assert without["cross_entropy"] == figures["cross_entropy"]


def test_a_model_without_names_is_not_scored_for_classification(small_model, digits):
    unnamed = small_model.refit(n_components=10, n_init=1)
    unnamed.names, unnamed.label_names = None, ()
    figures = evaluate(unnamed, digits.test.images, digits.test.labels)
    assert "classification_accuracy" not in figures
    assert figures["clustering_accuracy"] > 0


def test_labels_that_do_not_match_are_refused(small_model, digits):
    with pytest.raises(ValueError, match=r"labels must have one entry an image; got shape=\(3,\)"):
        evaluate(small_model, digits.test.images, [1, 2, 3])


def test_views_tell_components_of_digits_from_components_of_writing(digits):
    shipped = Path(__file__).resolve().parent.parent / "checkpoints/mnist.safetensors"
    model = load(shipped)
    images = digits.test.images
    information = views_information(model, images)
    assert 1 < information < np.log(len(model.prior.weights))
    assert evaluate(model, images)["views_information"] == information
    # Components without a meaning: their means are drawn anew.
    means = torch.randn(model.prior.means.shape, generator=torch.Generator().manual_seed(0))
    model.prior = model.prior._replace(means=means)
    assert views_information(model, images) < information


def test_without_views_or_prior_they_have_no_information(small_model, digits):
    assert views_information(small_model, digits.test.images) is None
    alone = dataclasses.replace(small_model, config=PRESETS["default"])
    alone.prior = None
    assert views_information(alone, digits.test.images) is None

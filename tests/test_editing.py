"""A mixture changed by hand: what changes, what stays, and what is refused."""

import numpy as np
import pytest

import vaegmm
from vaegmm.editing import BY_HAND, merge, rename, split
from vaegmm.labelling import UNNAMED
from vaegmm.mixture import as_matrices


def moments(mixture):
    """Mean and covariance of the whole mixture."""
    weights, means = mixture.weights_, mixture.means_
    centred = means - weights @ means
    within = np.einsum("k,kij->ij", weights, as_matrices(mixture.covariances_, mixture))
    return weights @ means, within + (centred.T * weights) @ centred


def test_a_renamed_component_votes_for_its_new_label(small_model):
    before = small_model.mixture.predict_proba(small_model.latents)
    renamed = rename(small_model, 3, 8)
    assert renamed.names.names[3] == 8
    np.testing.assert_array_equal(renamed.names.label_given_component[3], np.eye(10)[8])
    np.testing.assert_array_equal(renamed.mixture.predict_proba(small_model.latents), before)
    nameless = rename(renamed, 3, UNNAMED)
    assert nameless.names.names[3] == UNNAMED
    assert nameless.names.label_given_component[3].sum() == pytest.approx(1)
    assert nameless.names.label_given_component[3].max() < 0.5
    assert nameless.provenance[BY_HAND] == ["cluster 3 called 8", "cluster 3 called nothing"]


def test_the_model_that_was_given_stays_as_it_was(small_model, tmp_path):
    fingerprint, steps = small_model.fingerprint, dict(small_model.provenance)
    others = [rename(small_model, 0, 1), merge(small_model, [0, 5]), split(small_model, 2)]
    assert small_model.fingerprint == fingerprint
    assert small_model.provenance == steps
    assert len({model.fingerprint for model in [small_model, *others]}) == 4
    assert all(model.metrics == {} for model in others)


def test_merging_keeps_mean_and_covariance_of_the_whole(small_model):
    merged = merge(small_model, [7, 2, 4])
    assert len(merged.mixture.weights_) == merged.config.mixture.n_components == 10
    for one, other in zip(moments(merged.mixture), moments(small_model.mixture), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)
    own = small_model.mixture.weights_
    assert merged.mixture.weights_[2] == pytest.approx(own[[2, 4, 7]].sum())
    np.testing.assert_allclose(merged.mixture.means_[3], small_model.mixture.means_[3])
    table = small_model.names.label_given_component
    expected = own[[2, 4, 7]] @ table[[2, 4, 7]] / own[[2, 4, 7]].sum()
    np.testing.assert_allclose(merged.names.label_given_component[2], expected)
    assert merged.names.names[2] == expected.argmax()


def test_splitting_makes_the_points_likelier_and_keeps_the_name(small_model):
    largest = int(small_model.mixture.weights_.argmax())
    halves = split(small_model, largest)
    assert len(halves.mixture.weights_) == 13
    weights = halves.mixture.weights_[[largest, 12]]
    assert weights.sum() == pytest.approx(small_model.mixture.weights_[largest])
    assert weights.min() > 0
    assert halves.mixture.lower_bound_ > small_model.mixture.score(small_model.latents)
    assert halves.names.names[12] == small_model.names.names[largest]


def test_what_was_done_by_hand_is_saved(small_model, tmp_path):
    changed = rename(split(merge(small_model, [1, 2]), 0), 4, 6)
    changed.save(tmp_path / "changed.safetensors")
    loaded = vaegmm.load(tmp_path / "changed.safetensors")
    assert loaded.provenance[BY_HAND] == [
        "clusters 1 and 2 merged",
        "cluster 0 split: its other half is cluster 11",
        "cluster 4 called 6",
    ]
    np.testing.assert_allclose(
        loaded.label_probabilities(small_model.latents[:50]),
        changed.label_probabilities(small_model.latents[:50]),
        atol=1e-6,
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda model: rename(model, 12, 0), "no such cluster"),
        (lambda model: rename(model, 0, 10), "no such label"),
        (lambda model: merge(model, [3, 3]), "one cluster to merge"),
        (lambda model: merge(model, [3, -1]), "no such cluster"),
        (lambda model: split(model, 99), "no such cluster"),
    ],
)
def test_what_cannot_be_done_is_refused(small_model, change, reason):
    with pytest.raises(ValueError) as refused:
        change(small_model)
    assert refused.value.reason == reason


def test_a_component_of_few_points_is_not_split(small_model):
    tiny = rename(small_model, 0, 0)
    tiny.latents = small_model.latents[:40]
    with pytest.raises(ValueError, match="must be responsible for 32 stored z"):
        split(tiny, int(small_model.mixture.weights_.argmin()))

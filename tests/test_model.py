"""VAEGMM as one estimator: each line of its interface, and what it refuses."""

import dataclasses
import re

import numpy as np
import pytest
import torch

import vaegmm
from vaegmm import VAEGMM, JointConfig, MixtureConfig, TrainConfig, VAEConfig
from vaegmm.mixture import GaussianMixture
from vaegmm.model import NotFittedError, best_device
from vaegmm.training import TrainState

TINY = TrainConfig(
    vae=VAEConfig(latent_dim=3, hidden_units=(16,)),
    mixture=MixtureConfig(n_components=4),
    epochs=2,
    batch_size=32,
)


@pytest.fixture(scope="module")
def images(digits):
    return digits.test.images[:20]


@pytest.fixture(scope="module")
def unnamed_model(digits):
    return VAEGMM(TINY, "cpu").fit(digits.train.images[:200])


FORMS = {
    "bytes": lambda images: images,
    "floats": lambda images: images / 255,
    "flat": lambda images: images.reshape(len(images), 784),
    "tensor": torch.from_numpy,
    "tensor of floats": lambda images: torch.from_numpy(images / 255).float(),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_images_gives_the_same_answers(small_model, images, form):
    given = FORMS[form](images)
    for method in ("predict_proba", "responsibilities", "encode", "reconstruct", "typicality"):
        expected = getattr(small_model, method)(images)
        np.testing.assert_allclose(getattr(small_model, method)(given), expected, atol=1e-4)
    np.testing.assert_array_equal(small_model.predict(given), small_model.predict(images))


def test_shapes_and_types_are_those_of_the_interface(small_model, images):
    n, k = len(images), small_model.config.mixture.n_components
    expected = {
        "predict": (n,),
        "predict_proba": (n, 10),
        "responsibilities": (n, k),
        "encode": (n, 8),
        "reconstruct": (n, 28, 28),
        "typicality": (n,),
        "cross_entropy": (n,),
    }
    for method, shape in expected.items():
        answer = getattr(small_model, method)(images)
        assert isinstance(answer, np.ndarray)
        assert answer.shape == shape, method
    assert small_model.decode(np.zeros((5, 8))).shape == (5, 28, 28)


def test_one_image_is_a_batch_of_one(small_model, images):
    np.testing.assert_allclose(
        small_model.predict_proba(images[0]), small_model.predict_proba(images[:1]), atol=1e-6
    )


def test_probabilities_sum_to_one_and_follow_from_responsibilities(small_model, images):
    responsibilities = small_model.responsibilities(images)
    probabilities = small_model.predict_proba(images)
    np.testing.assert_allclose(responsibilities.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    names = small_model.names
    expected = responsibilities @ names.label_given_component
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)
    np.testing.assert_array_equal(small_model.predict(images), probabilities.argmax(1))


def test_responsibilities_are_the_mean_over_an_image_and_its_neighbours(small_model, images):
    """The border of these images is empty, so that rolling them is moving them."""
    assert not images[:, [0, -1]].any() and not images[:, :, [0, -1]].any()
    views = [np.roll(images, shift, (1, 2)) for shift in ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))]
    expected = np.mean(
        [small_model.mixture.predict_proba(small_model.encode(view)) for view in views], 0
    )
    np.testing.assert_allclose(small_model.responsibilities(images), expected, atol=1e-6)


def test_the_model_learns_something(small_model, digits):
    correct = small_model.predict(digits.test.images) == digits.test.labels
    assert correct.mean() > 0.25  # after two epochs; one in ten by chance
    # It reconstructs its own kind better than the mean image does.
    images = digits.test.images / 255
    mean = digits.train.images.mean(0) / 255
    assert ((small_model.reconstruct(images) - images) ** 2).mean() < ((mean - images) ** 2).mean()


def test_encode_gives_posterior_means_or_samples(small_model, digits):
    images = digits.test.images
    mean, std = small_model.posterior(images)
    np.testing.assert_array_equal(small_model.encode(images), mean)
    samples = small_model.encode(images, sample=True, seed=3)
    standard = (samples - mean) / std
    assert standard.mean() == pytest.approx(0, abs=0.1)
    assert standard.std() == pytest.approx(1, abs=0.05)
    np.testing.assert_array_equal(small_model.encode(images, sample=True, seed=3), samples)
    assert not np.array_equal(small_model.encode(images, sample=True, seed=4), samples)


def test_the_stored_latents_are_samples_for_the_training_images(small_model, digits):
    seed = small_model.config.seed
    expected = small_model.encode(digits.train.images, sample=True, seed=seed)
    np.testing.assert_allclose(small_model.latents, expected, atol=1e-5)
    assert small_model.latents.dtype == np.float32


def test_the_mixture_is_fitted_to_the_stored_latents(small_model):
    config = small_model.config
    peer = GaussianMixture(**dataclasses.asdict(config.mixture), random_state=config.seed).fit(
        small_model.latents.astype(np.float64)
    )
    np.testing.assert_allclose(small_model.mixture.means_, peer.means_)


def test_reconstruct_decodes_the_posterior_mean(small_model, images):
    expected = small_model.decode(small_model.encode(images))
    np.testing.assert_array_equal(small_model.reconstruct(images), expected)
    assert expected.min() >= 0
    assert expected.max() <= 1


def test_cross_entropy_is_that_of_the_reconstruction(small_model, images):
    pixels, decoded = images / 255, small_model.reconstruct(images).astype(np.float64)
    expected = -(pixels * np.log(decoded) + (1 - pixels) * np.log(1 - decoded)).sum((1, 2))
    np.testing.assert_allclose(small_model.cross_entropy(images), expected, rtol=1e-3)


def test_many_images_are_answered_like_few(small_model, digits, monkeypatch):
    whole = small_model.predict_proba(digits.test.images)
    monkeypatch.setattr("vaegmm.inference._CHUNK", 7)
    np.testing.assert_allclose(small_model.predict_proba(digits.test.images), whole, atol=1e-5)


def test_answers_leave_no_trace_in_the_weights(small_model, images):
    small_model.reconstruct(images)
    assert not small_model.vae.training
    assert all(parameter.grad is None for parameter in small_model.vae.parameters())


# Typicality


def test_typicality_is_a_share_of_the_training_images(small_model, digits):
    typicality = small_model.typicality(digits.train.images)
    for threshold in (0.05, 0.25, 0.5, 0.9):
        assert (typicality < threshold).mean() == pytest.approx(threshold, abs=0.01)


def test_what_is_no_digit_is_not_typical(small_model, digits):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (50, 28, 28), dtype=np.uint8)
    inverted = 255 - digits.test.images[:50]
    usual = np.median(small_model.typicality(digits.test.images))
    assert usual > 0.3
    for strange in (noise, inverted):
        assert small_model.typicality(strange).max() < 0.01


def test_typicality_ranks_among_an_even_choice_of_many(digits, monkeypatch):
    monkeypatch.setattr("vaegmm.model._N_RANKED", 50)
    model = VAEGMM(TINY, "cpu").fit(digits.train.images[:200])
    assert model.ranked_means.shape == (50, 3)
    assert model.ranked_excess.shape == (50,)
    np.testing.assert_allclose(
        model.ranked_means[[0, -1]], model.encode(digits.train.images[[0, 199]]), atol=1e-5
    )


# Sampling


def test_sampling_is_seeded(small_model):
    images, labels = small_model.sample(6, seed=1)
    assert images.shape == (6, 28, 28)
    assert labels.shape == (6,)
    assert images.min() >= 0 and images.max() <= 1
    again = small_model.sample(6, seed=1)
    np.testing.assert_array_equal(images, again[0])
    np.testing.assert_array_equal(labels, again[1])
    assert not np.array_equal(images, small_model.sample(6, seed=2)[0])


def test_sampling_draws_from_the_mixture(small_model):
    _, labels = small_model.sample(4000, seed=0)
    latents, _ = small_model.mixture.sample(4000)
    expected = np.bincount(small_model.label_probabilities(latents).argmax(1), minlength=10)
    np.testing.assert_allclose(np.bincount(labels, minlength=10), expected, atol=250)


def test_sampling_does_not_come_in_the_order_of_components(unnamed_model):
    _, components = unnamed_model.sample(200)
    assert len(set(components)) > 1
    assert (np.diff(components) < 0).any()


def test_a_digit_is_drawn_from_the_components_that_bear_it(small_model):
    for digit in (0, 4):
        images, labels = small_model.sample(300, digit=digit)
        assert (labels == digit).all()
        others = small_model.sample(300)[0]
        share = small_model.predict_proba(images)[:, digit].mean()
        assert share > 1.3 * small_model.predict_proba(others)[:, digit].mean()


def test_a_digit_weighs_components_by_bayes(small_model, monkeypatch):
    drawn = {}
    original = GaussianMixture.from_parameters.__func__

    def keep(cls, weights, *args, **kwargs):
        drawn["weights"] = weights
        return original(cls, weights, *args, **kwargs)

    monkeypatch.setattr(GaussianMixture, "from_parameters", classmethod(keep))
    small_model.sample(1, digit=3)
    joint = small_model.mixture.weights_ * small_model.names.label_given_component[:, 3]
    np.testing.assert_allclose(drawn["weights"], joint / joint.sum())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n must be at least 1; got n=0."),
        ({"n": 1, "digit": 10}, "digit must be one of this model's 10 labels; got digit=10."),
        ({"n": 1, "digit": -1}, "digit must be one of this model's 10 labels; got digit=-1."),
    ],
)
def test_what_cannot_be_sampled_is_refused(small_model, arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        small_model.sample(**arguments)


def test_a_digit_that_was_never_shown_cannot_be_drawn(digits):
    few = digits.train.images[:200]
    labels = np.where(digits.train.labels[:200] == 3, 4, digits.train.labels[:200])
    model = VAEGMM(TINY, "cpu").fit(few, (few, labels), label_names=digits.label_names)
    with pytest.raises(ValueError, match="digit must be one that a component bears; got digit=3"):
        model.sample(1, digit=3)
    with pytest.raises(ValueError, match="digit must be one of this model's 0 labels"):
        VAEGMM(TINY, "cpu").fit(few).sample(1, digit=3)


# Refitting


def test_refit_keeps_the_autoencoder_and_changes_the_mixture(small_model, digits):
    other = small_model.refit(n_components=5, n_init=1)
    assert other.vae is small_model.vae
    assert other.latents is small_model.latents
    assert len(other.mixture.weights_) == 5
    assert other.config.mixture.n_components == 5
    assert len(small_model.mixture.weights_) == 12
    assert other.names.names.shape == (5,)
    assert other.label_names == small_model.label_names
    assert other.predict_proba(digits.test.images).shape == (len(digits.test), 10)
    # Its typicality is that of its own mixture.
    typicality = other.typicality(digits.train.images)
    assert (typicality < 0.25).mean() == pytest.approx(0.25, abs=0.01)


def test_refit_is_seeded(small_model):
    one, again = (small_model.refit(5, seed=2, n_init=1).mixture.means_ for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, small_model.refit(5, seed=3, n_init=1).mixture.means_)


def test_refit_keeps_the_most_likely_start(small_model):
    many = small_model.refit(6, seed=0, n_init=4).mixture.lower_bound_
    assert many >= small_model.refit(6, seed=0, n_init=1).mixture.lower_bound_


def test_refit_without_labels_learns_names_from_the_present_ones(small_model, digits):
    mixture = small_model.config.mixture
    other = small_model.refit(mixture.n_components, seed=small_model.config.seed, n_init=1)
    np.testing.assert_allclose(other.mixture.means_, small_model.mixture.means_)
    agree = other.predict(digits.test.images) == small_model.predict(digits.test.images)
    assert agree.mean() > 0.8
    assert other.names.n_labels == small_model.names.n_labels


def test_refit_with_labels_uses_these(small_model, digits):
    validation = (digits.validation.images[:100], digits.validation.labels[:100])
    assert small_model.refit(5, n_init=1, validation=validation).names.n_labels == 100


def test_refit_with_more_components_than_images_is_refused(small_model):
    with pytest.raises(ValueError, match="n_components must not exceed the number of training im"):
        small_model.refit(n_components=5000)


# Fitting


def test_fit_reports_progress_and_returns_itself(digits):
    reports = []
    model = VAEGMM(TINY, "cpu")
    images = digits.train.images[:100]
    assert model.fit(images, progress=reports.append) is model
    assert [r.epoch for r in reports if r.finished_epoch] == [1, 2]
    assert model.history == [
        dataclasses.asdict(r.finished_epoch) for r in reports if r.finished_epoch
    ]


def test_fit_is_reproducible(digits):
    images = digits.train.images[:100]
    one, other = (VAEGMM(TINY, "cpu").fit(images) for _ in range(2))
    np.testing.assert_array_equal(one.latents, other.latents)
    np.testing.assert_array_equal(one.mixture.means_, other.mixture.means_)


def test_validation_images_have_their_loss_measured(digits):
    validation = (digits.validation.images, digits.validation.labels)
    model = VAEGMM(TINY, "cpu").fit(digits.train.images[:100], validation)
    assert model.history[0]["validation_cross_entropy"] > 0
    assert model.label_names == tuple("0123456789")


def test_labels_have_no_say_in_the_autoencoder_and_the_mixture(digits, unnamed_model):
    images = digits.train.images[:200]
    validation = (digits.validation.images, digits.validation.labels)
    named = VAEGMM(TINY, "cpu").fit(images, validation)
    np.testing.assert_array_equal(named.latents, unnamed_model.latents)
    np.testing.assert_array_equal(named.mixture.means_, unnamed_model.mixture.means_)


def test_fitting_again_forgets_the_first_fit(digits):
    first, second = digits.train.images[:100], digits.train.images[100:200]
    model = VAEGMM(TINY, "cpu").fit(first, (first, digits.train.labels[:100]))
    model.typicality(first)
    model.metrics, model.provenance = {"accuracy": 1.0}, {"command": "of the first"}
    model.fit(second)
    fresh = VAEGMM(TINY, "cpu").fit(second)
    np.testing.assert_array_equal(model.typicality(first), fresh.typicality(first))
    assert model.names is None
    assert model.label_names == ()
    assert model.metrics == {}
    assert model.provenance == {}


def test_a_model_without_names_clusters_but_does_not_classify(unnamed_model, images):
    assert unnamed_model.responsibilities(images).shape == (20, 4)
    for method in ("predict", "predict_proba"):
        with pytest.raises(ValueError, match="components must have names to classify; this model"):
            getattr(unnamed_model, method)(images)
    drawn, components = unnamed_model.sample(5)
    assert drawn.shape == (5, 28, 28)
    assert ((components >= 0) & (components < 4)).all()


def test_what_was_never_fitted_says_so(images):
    model = VAEGMM()
    assert "VAEGMM(config=" in repr(model)
    for use in (
        lambda: model.predict(images),
        lambda: model.typicality(images),
        lambda: model.decode(np.zeros((1, 8))),
        lambda: model.sample(1),
        lambda: model.refit(),
        lambda: model.save("model.safetensors"),
        lambda: model.mixture,
        lambda: model.ranks,
    ):
        with pytest.raises(NotFittedError, match="VAEGMM must be fitted before it is used"):
            use()
    assert not hasattr(model, "vae")
    with pytest.raises(AttributeError, match="VAEGMM has no attribute 'colour'"):
        model.colour  # noqa: B018


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": np.zeros((0, 28, 28))}, "images must not be empty"),
        ({"images": np.zeros((9, 5, 5))}, "images must have shape (N, 28, 28) or (N, 784)"),
        ({"images": np.full((9, 784), np.nan)}, "images must be finite"),
        (
            {"images": np.zeros((3, 784))},
            "n_components must not exceed the number of training images; got n_components=4, "
            "images=3. Lower n_components.",
        ),
        (
            {"images": np.zeros((9, 784)), "validation": (np.zeros((9, 784)), np.zeros(8))},
            "validation labels must have one entry an image; got shape=(8,) for 9 images.",
        ),
        (
            {"images": np.zeros((9, 784)), "validation": (np.zeros((0, 784)), [])},
            "validation images must not be empty",
        ),
        (
            {
                "images": np.zeros((9, 784)),
                "validation": (np.zeros((2, 784)), [0, 2]),
                "label_names": ("cat", "dog"),
            },
            "validation labels must lie from 0 to 1, as label_names has 2 entries; got 2.",
        ),
    ],
)
def test_what_cannot_be_fitted_is_refused_before_training(arguments, message, monkeypatch):
    monkeypatch.setattr(TrainState, "start", lambda *args: pytest.fail("the training has begun"))
    with pytest.raises(ValueError, match=re.escape(message)):
        VAEGMM(TINY, "cpu").fit(**arguments)


@pytest.mark.parametrize(
    ("latents", "message"),
    [
        (np.zeros((2, 7)), "latents must have shape (N, 8); got shape=(2, 7)."),
        (np.zeros((2, 2, 8)), "latents must have shape (N, 8); got shape=(2, 2, 8)."),
        (np.full((2, 8), np.nan), "latents must be finite; got NaN or infinity among them."),
    ],
)
def test_what_is_no_latent_is_refused(small_model, latents, message):
    for method in (small_model.decode, small_model.label_probabilities):
        with pytest.raises(ValueError, match=re.escape(message)):
            method(latents)


def test_latents_may_be_tensors_and_single(small_model):
    one = torch.zeros(8, requires_grad=True)
    np.testing.assert_array_equal(small_model.decode(one), small_model.decode(np.zeros((1, 8))))
    assert small_model.label_probabilities(one).shape == (1, 10)


def test_models_are_told_apart_by_identity(small_model):
    assert small_model == small_model
    assert small_model != small_model.refit(3, n_init=1)
    assert len({small_model, small_model}) == 1


def test_the_best_device_is_one_that_works():
    assert torch.ones(2, device=best_device()).sum().item() == 2


def test_the_package_shows_its_public_names():
    for name in vaegmm.__all__:
        assert getattr(vaegmm, name) is not None
    assert vaegmm.VAEGMM is VAEGMM


def test_a_model_trained_with_a_mixture_starts_from_it(digits, monkeypatch):
    joint = JointConfig(share=0.5, n_components=4, n_init=2)
    model = VAEGMM(dataclasses.replace(TINY, joint=joint), "cpu").fit(digits.train.images[:200])
    assert model.prior.means.shape == (4, 3)
    starts = []
    original = GaussianMixture.fit
    monkeypatch.setattr(
        GaussianMixture,
        "fit",
        lambda self, z, **how: starts.append(self) or original(self, z, **how),
    )
    same, other = model.refit(4, seed=3), model.refit(5, seed=3)
    np.testing.assert_array_equal(starts[0].means_init, model.prior.means)
    assert (starts[0].n_init, starts[1].n_init, starts[1].means_init) == (1, 5, None)
    assert same.prior is other.prior is model.prior
    # Whatever the seed: it is the mixture that the network knows.
    np.testing.assert_array_equal(model.refit(4, seed=9).mixture.means_, same.mixture.means_)


def test_a_model_trained_alone_has_no_prior(unnamed_model):
    assert unnamed_model.prior is None

"""The model in the page says what the model in Python says."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from modules import Modules
from playwright.sync_api import Error

import vaegmm
from vaegmm import VAEGMM, MixtureConfig, TrainConfig, data
from vaegmm.blocks import BLOB_VERSION, MAGIC
from vaegmm.browser import blob as blob_module
from vaegmm.browser.blob import HALF_TOLERANCE, to_blob
from vaegmm.browser.bundle import bundle
from vaegmm.config import VAEConfig
from vaegmm.data import FASHION_NAMES, Dataset
from vaegmm.mixture import bhattacharyya
from vaegmm.reading import STRANGE, SURE, read_image, read_strokes
from vaegmm.training import TrainState

pytestmark = pytest.mark.browser

CHECKPOINTS = Path(vaegmm.__file__).parents[1] / "checkpoints"
TOLERANCE = {"float32": 1e-4, "float16": HALF_TOLERANCE}
NATS = {"float32": 1e-3, "float16": 1.0}  # of a sum over 784 pixels, mostly about 100
SEVEN = [[[0.2, 0.2], [0.8, 0.2], [0.6, 0.5], [0.45, 0.85]], [[0.4, 0.5], [0.7, 0.5]]]

EVALUATE = """
async ({ blob, images, pixels, latents }) => {
  const { Model } = await import("/model/model.js");
  const model = Model.from(blob);
  const { mean, std } = model.encode(pixels);
  return {
    ...model.look(images), mean, std,
    crossEntropy: model.crossEntropy(mean, pixels),
    decoded: model.decode(latents),
    latentResponsibilities: model.responsibilities(latents),
    latentLogLikelihood: model.logLikelihood(latents),
  };
}
"""


@pytest.fixture(scope="module")
def images(data_folder: Path, digits: Dataset) -> np.ndarray:
    """1,000 images: MNIST's test images where they are to be had, and some with ink at an edge."""
    with pytest.MonkeyPatch.context() as patch:
        if not data.is_available("mnist"):
            patch.setenv("VAEGMM_DATA", str(data_folder))
        has_mnist = data.is_available("mnist")
        source = data.load("mnist").test.images if has_mnist else digits.train.images
    chosen = source[:1000].copy()
    # Beyond MNIST's empty border, what a moved image shows at its edge makes a difference.
    chosen[::20] = np.roll(chosen[::20], 6, axis=2)
    return chosen


@pytest.fixture(scope="module", params=["mnist", "mnist-reference"])
def shipped(request: pytest.FixtureRequest) -> VAEGMM:
    return vaegmm.load(CHECKPOINTS / f"{request.param}.safetensors")


def untrained(
    digits: Dataset, config: TrainConfig, label_names: tuple[str, ...] | None = ()
) -> VAEGMM:
    """A model whose weights are as they were drawn; label_names=None leaves it without names."""
    state = TrainState.start(config, "cpu")
    with torch.no_grad():
        for name, parameter in state.vae.named_parameters():
            if name.endswith("bias"):  # drawn as zero, which would hide where it is added
                parameter.copy_(torch.linspace(-0.5, 0.5, len(parameter)))
    validation = (digits.test.images[:200], digits.test.labels[:200])
    return VAEGMM(config, "cpu").finish(
        state,
        digits.train.images[:400],
        None if label_names is None else validation,
        label_names or (),
    )


def assert_same(modules: Modules, model: VAEGMM, images: np.ndarray, weights: Any) -> None:
    """Everything that both compute of the same images and latents, to the weights' tolerance."""
    tolerance = TOLERANCE[weights]
    pixels = images.reshape(len(images), -1).astype(np.float32) / 255
    latents = model.latents[:1000]
    theirs = modules.run(
        EVALUATE, blob=to_blob(model, weights), images=images, pixels=pixels, latents=latents
    )
    mean, std = model.posterior(images)
    reconstruction = model.decode(mean)
    ours = {
        "z": mean,
        "mean": mean,
        "std": std,
        "responsibilities": model.responsibilities(images),
        "reconstruction": reconstruction,
        "decoded": model.decode(latents),
        "latentResponsibilities": model.mixture.predict_proba(latents),
    }
    if model.names is not None:
        ours["probabilities"] = model.predict_proba(images)
    for name, array in ours.items():
        difference = np.abs(
            theirs[name].reshape(array.shape[0], -1) - array.reshape(len(array), -1)
        )
        assert difference.max() <= tolerance, (name, difference.max())
    # A rank counts images, and Python's float32 may put one image on the other side.
    step = 1 / len(model.ranked_excess)
    difference = np.abs(theirs["typicality"] - model.typicality(images))
    assert difference.max() <= tolerance + 1.5 * step
    if model.names is None:
        assert theirs["probabilities"] is None
    else:
        labels = theirs["probabilities"].reshape(len(images), -1).argmax(1)
        np.testing.assert_array_equal(labels, model.predict(images))
    in_nats = {
        "crossEntropy": model.cross_entropy(images),
        "excess": model.cross_entropy(images) - entropies(pixels),
        "logLikelihood": model.mixture.score_samples(mean),
        "latentLogLikelihood": model.mixture.score_samples(latents),
    }
    for name, array in in_nats.items():
        np.testing.assert_allclose(theirs[name], array, atol=NATS[weights], rtol=1e-5, err_msg=name)


def entropies(pixels: np.ndarray) -> np.ndarray:
    """The entropy of each image's pixels, in nats."""
    inside = pixels.astype(np.float64).clip(1e-300, 1 - 1e-16)
    each = inside * np.log(inside) + (1 - inside) * np.log1p(-inside)
    return -each.sum(1)


@pytest.mark.parametrize("weights", ["float32", "float16"])
def test_the_shipped_models(
    modules: Modules, shipped: VAEGMM, images: np.ndarray, weights: str
) -> None:
    assert_same(modules, shipped, images, weights)


RELU = {"mean_activation": "relu", "std_activation": "relu", "output_activation": "relu"}
ODD = {
    "one latent": (
        VAEConfig(latent_dim=1, hidden_units=(20,)),
        MixtureConfig(n_components=3, covariance_type="diag"),
    ),
    "one component": (
        VAEConfig(latent_dim=2, hidden_units=()),
        MixtureConfig(n_components=1, covariance_type="tied"),
    ),
    "two latents": (
        VAEConfig(latent_dim=2, hidden_units=(64, 32, 16, 8), std_floor=0.3),
        MixtureConfig(n_components=2, covariance_type="full"),
    ),
    "five latents": (
        VAEConfig(latent_dim=5, hidden_units=(31, 17), **RELU, std_floor=0.2, pixel_margin=0.1),
        MixtureConfig(n_components=5, covariance_type="spherical"),
    ),
    "many components": (
        VAEConfig(latent_dim=3, hidden_units=(40,), mean_activation="relu"),
        MixtureConfig(n_components=260, covariance_type="spherical", max_iter=3),
    ),
}


@pytest.fixture(scope="module", params=ODD)
def odd(request: pytest.FixtureRequest, digits: Dataset) -> VAEGMM:
    vae, mixture = ODD[request.param]
    label_names = None if request.param == "two latents" else ()
    return untrained(digits, TrainConfig(vae=vae, mixture=mixture), label_names)


@pytest.mark.filterwarnings("ignore:EM did not converge")
def test_models_of_every_shape(modules: Modules, odd: VAEGMM, images: np.ndarray) -> None:
    assert_same(modules, odd, images[:200], "float32")


READ = """
async ({ blob, images, strokes }) => {
  const { Model } = await import("/model/model.js");
  const { readStrokes, readViews, STRANGE, SURE } = await import("/model/reading.js");
  const model = Model.from(blob);
  const said = strokes ? readStrokes(model, strokes) : readViews(model, images);
  return { ...said, bounds: [STRANGE, SURE] };
}
"""


def test_a_drawing_is_read_with_its_parts(modules: Modules, shipped: VAEGMM) -> None:
    blob = to_blob(shipped, "float32")
    noise = np.random.default_rng(0).integers(0, 255, (28, 28)).astype(np.uint8)
    for reading, asked in (
        (read_strokes(shipped, SEVEN), {"strokes": SEVEN}),
        (read_image(shipped, noise), {"images": noise}),
    ):
        theirs = modules.run(READ, blob=blob, **asked)
        assert theirs["bounds"] == [STRANGE, SURE]
        for name, part in {
            "label": "label",
            "isStrange": "is_strange",
            "verdict": "verdict",
        }.items():
            assert theirs[name] == getattr(reading, part), name
        assert_same_view(theirs, reading)
        assert len(theirs["views"]) == len(reading.views)
        for view, ours in zip(theirs["views"], reading.views, strict=True):
            assert_same_view(view, ours)
            assert view["label"] == ours.label
            assert view["weight"] == pytest.approx(ours.weight, abs=5e-4)
            np.testing.assert_allclose(view["responsibilities"], ours.responsibilities, atol=1e-4)


def assert_same_view(theirs: dict[str, Any], ours: Any) -> None:
    assert np.abs(theirs["image"].astype(int) - ours.image.ravel()).max() <= 1
    assert theirs["typicality"] == pytest.approx(ours.typicality, abs=3e-4)
    np.testing.assert_allclose(theirs["probabilities"], ours.probabilities, atol=5e-4)
    np.testing.assert_allclose(theirs["z"], ours.z, atol=1e-4)


STORED = """
async ({ blob, point, points }) => {
  const { Model } = await import("/model/model.js");
  const model = Model.from(blob);
  const { z, components, rows, total } = model.latents;
  const { low, high } = model.usualRange;
  return {
    z, components, rows, total, low, high,
    scores: model.scoreLatents(), some: model.scoreLatents(5, 8),
    nearest: model.nearest(point, 12),
    row: model.latents.row(model.nearest(point).indices[0]),
    plane: model.project(model.pca.components.subarray(0, 2 * model.dimension)),
    places: model.unproject(points, model.pca.components.subarray(0, 2 * model.dimension)),
    own: model.discriminantAxes,
    variance: model.pca.explainedVariance,
  };
}
"""


def test_the_stored_latents(modules: Modules, shipped: VAEGMM) -> None:
    n, d = shipped.latents.shape
    point, points = shipped.latents[7], np.array([[0.5, -1], [2, 3]], np.float32)
    theirs = modules.run(STORED, blob=to_blob(shipped, "float16"), point=point, points=points)
    z = theirs["z"].reshape(n, d)
    step = np.ptp(shipped.latents, axis=0) / 65535
    assert (np.abs(z - shipped.latents) <= 0.51 * step + 1e-6).all()
    np.testing.assert_array_equal(theirs["components"], shipped.mixture.predict(shipped.latents))
    assert theirs["rows"] is None
    assert theirs["total"] == n
    usual = np.quantile(shipped.latents, [0.05, 0.95], axis=0)
    np.testing.assert_allclose([theirs["low"], theirs["high"]], usual)

    likelihood = shipped.mixture.score_samples(z)
    np.testing.assert_allclose(theirs["scores"]["logLikelihood"], likelihood, atol=2e-3)
    probabilities = shipped.label_probabilities(z)
    close = np.sort(probabilities)[:, -1] - np.sort(probabilities)[:, -2] < 1e-4
    same = theirs["scores"]["label"] == probabilities.argmax(1)
    assert (same | close).all()
    entropy = -(probabilities * np.log(probabilities.clip(1e-300))).sum(1)
    np.testing.assert_allclose(theirs["scores"]["uncertainty"], entropy, atol=1e-3)
    ranked = np.sort(shipped.mixture.score_samples(shipped.ranked_means))
    rank = np.searchsorted(ranked, likelihood) / len(ranked)
    np.testing.assert_allclose(theirs["scores"]["rank"], rank, atol=1e-3)
    for name, part in theirs["some"].items():
        np.testing.assert_array_equal(part, theirs["scores"][name][5:8])

    distances = np.linalg.norm(z - point, axis=1)
    np.testing.assert_array_equal(
        theirs["nearest"]["indices"], np.argsort(distances, kind="stable")[:12]
    )
    np.testing.assert_allclose(theirs["nearest"]["distances"], np.sort(distances)[:12], atol=1e-6)
    assert theirs["row"] == 7
    plane = shipped.pca.transform(z)
    np.testing.assert_allclose(theirs["plane"].reshape(n, 2), plane, atol=1e-5)
    places = shipped.pca.inverse_transform(points)
    np.testing.assert_allclose(theirs["places"].reshape(2, d), places, atol=1e-5)
    own = theirs["own"].reshape(3, d)
    np.testing.assert_allclose(own @ own.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(theirs["variance"], shipped.pca.explained_variance)


def test_a_selection_of_many_latents_says_so(
    modules: Modules, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blob_module, "MOST_LATENTS", 100)
    monkeypatch.setattr(blob_module, "MOST_RANKS", 200)
    config = TrainConfig(vae=VAEConfig(hidden_units=(20,)), mixture=MixtureConfig(n_components=4))
    model = untrained(digits, config)
    n = len(model.latents)
    point, points = model.latents[-1], np.zeros((1, 2), np.float32)
    theirs = modules.run(STORED, blob=to_blob(model), point=point, points=points)
    assert theirs["total"] == n
    assert len(theirs["components"]) == 100
    assert theirs["rows"][[0, -1]].tolist() == [0, n - 1]
    assert theirs["row"] == n - 1
    z = theirs["z"].reshape(100, -1)
    np.testing.assert_allclose(z, model.latents[theirs["rows"]], atol=1e-3)
    images = digits.test.images
    looks = modules.run(
        """async ({ blob, images }) => {
          const { Model } = await import("/model/model.js");
          return Model.from(blob).look(images);
        }""",
        blob=to_blob(model, "float32"),
        images=images,
    )
    np.testing.assert_allclose(looks["typicality"], model.typicality(images), atol=1e-2)


OVERLAPS = """
async ({ blob }) => {
  const { Model } = await import("/model/model.js");
  const { bhattacharyya } = await import("/model/overlap.js");
  const model = Model.from(blob);
  return [0, 4, 9].map((k) => Array.from(bhattacharyya(model, k)));
}
"""


def test_the_overlaps_of_components(modules: Modules, shipped: VAEGMM) -> None:
    theirs = modules.run(OVERLAPS, blob=to_blob(shipped, "float16"))
    ours = [bhattacharyya(shipped.mixture, component) for component in (0, 4, 9)]
    np.testing.assert_allclose(theirs, ours, atol=1e-4)


ABOUT = """
async ({ blob }) => {
  const { Model } = await import("/model/model.js");
  const model = Model.from(blob);
  const { title, labelNames, componentNames, fingerprint, data } = model;
  return { title, labelNames, componentNames, fingerprint, data };
}
"""


@pytest.mark.parametrize(
    "label_names",
    [FASHION_NAMES, tuple(f"<script>window.taken = {i}</script>\ud800" for i in range(10))],
)
def test_names_are_text(modules: Modules, digits: Dataset, label_names: tuple[str, ...]) -> None:
    config = TrainConfig(vae=VAEConfig(hidden_units=(20,)), mixture=MixtureConfig(n_components=4))
    model = untrained(digits, config, label_names)
    blob = to_blob(model, title=label_names[0])
    about = modules.run(ABOUT, blob=blob)
    as_json = json.loads(json.dumps(label_names))
    assert about["labelNames"] == as_json
    assert about["title"] == as_json[0]
    np.testing.assert_array_equal(about["componentNames"], model.names.names)
    assert modules.page.evaluate("window.taken") is None


def test_a_model_without_names_has_none(modules: Modules, digits: Dataset) -> None:
    config = TrainConfig(vae=VAEConfig(hidden_units=(20,)), mixture=MixtureConfig(n_components=4))
    blob = to_blob(untrained(digits, config, None))
    about = modules.run(ABOUT, blob=blob)
    assert about["labelNames"] == []
    assert about["componentNames"].tolist() == [-1] * 4
    said = modules.run(READ, blob=blob, images=digits.test.images[:2], strokes=None)
    assert said["label"] is said["probabilities"] is said["views"][0]["label"] is None
    assert len(said["views"]) == 1
    classify = """async ({ blob, shares }) =>
      (await import("/model/model.js")).Model.from(blob).labelProbabilities(shares)"""
    with pytest.raises(Error, match="components must have names to classify"):
        modules.run(classify, blob=blob, shares=np.full(4, 0.25, np.float32))


def changed(blob: bytes, old: bytes, new: bytes) -> bytes:
    """The same blob with another header, written by somebody who gives it its checksum."""
    assert blob.count(old) == 1 and len(old) == len(new)
    content = blob[24:].replace(old, new)
    return blob[:12] + struct.pack("<I", zlib.adler32(content)) + blob[16:24] + content


OPEN = "async ({ blob }) => (await import('/model/model.js')).Model.from(blob).title"


def test_what_is_no_blob_of_this_version_is_refused_in_a_sentence(
    modules: Modules, digits: Dataset
) -> None:
    config = TrainConfig(vae=VAEConfig(hidden_units=(20,)), mixture=MixtureConfig(n_components=4))
    blob = to_blob(untrained(digits, config), title="mine")
    assert modules.run(OPEN, blob=blob) == "mine"
    other_version = [
        blob[: len(MAGIC)] + struct.pack("<I", version) + blob[len(MAGIC) + 4 :]
        for version in (BLOB_VERSION + 1, BLOB_VERSION - 1)
    ]
    flipped = bytearray(blob)
    flipped[-100] ^= 1
    refused = {
        b"": "another kind of data",
        b"PK\3\4" + bytes(100): "another kind of data",
        other_version[0]: "Update vaegmm",
        other_version[1]: "Export the model again",
        blob[:-8]: "damaged: it has",
        blob[:40]: "damaged: it has 40 bytes",
        bytes(flipped): "damaged: its checksum",
        blob.replace(b'"vae":', b'"vbe":', 1): "damaged: its checksum",
        changed(blob, b'{"arrays"', b'{"arrays!'): "damaged: its header cannot be read",
        changed(blob, b'"pca.mean"', b'"pca.mode"'): "damaged: pca.mean is missing",
        changed(blob, b'"latent_dim":8', b'"latent_dim":9'): "damaged: .* has shape",
    }
    for data_, sentence in refused.items():
        with pytest.raises(Error, match=sentence):
            modules.run(OPEN, blob=data_)
    # Wherever in a buffer it starts:
    moved = """async ({ blob }) => {
      const { Model } = await import("/model/model.js");
      return Model.from(new Uint8Array(blob, 3)).title;
    }"""
    assert modules.run(moved, blob=b"abc" + blob) == "mine"


def test_joined_into_one_module_it_computes_the_same(modules: Modules, digits: Dataset) -> None:
    modules.serve(
        "/joined.js", (bundle("model/model.js") + "export { Model };").encode(), "text/javascript"
    )
    config = TrainConfig(vae=VAEConfig(hidden_units=(20,)), mixture=MixtureConfig(n_components=4))
    blob, images = to_blob(untrained(digits, config)), digits.test.images[:3]
    look = "async ({ blob, images }) => (await import('/FILE')).Model.from(blob).look(images)"
    looks = [
        modules.run(look.replace("FILE", file), blob=blob, images=images)
        for file in ("model/model.js", "joined.js")
    ]
    assert looks[0].keys() == looks[1].keys()
    for name, array in looks[0].items():
        np.testing.assert_array_equal(looks[1][name], array)

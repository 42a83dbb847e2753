"""Every page, driven without a browser: what it shows of a model, and what bad input gets."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save
from streamlit.testing.v1 import AppTest

from vaegmm import VAEGMM, GaussianMixture, data, load
from vaegmm.adaptation import learn
from vaegmm.app import choice, clusters
from vaegmm.app.fitting import Refit
from vaegmm.app.start import Start
from vaegmm.app.words import sentence, share
from vaegmm.checkpoint import to_bytes
from vaegmm.metrics import clustering_accuracy
from vaegmm.preprocess import digit_from_strokes
from vaegmm.reading import read_strokes
from vaegmm.sizes import Size, append, path_beside

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "checkpoints" / "mnist.safetensors"
PAGES = {
    "overview": "app.py",
    "reconstruct": "pages/2_Reconstruct.py",
    "latent": "pages/3_Latent_space.py",
    "mixture": "pages/4_Mixture.py",
    "draw": "pages/5_Draw.py",
}
SEVEN = [[[0.25, 0.2], [0.75, 0.2], [0.6, 0.5], [0.45, 0.85]]]
ONE = [[[0.5, 0.1], [0.48, 0.5], [0.46, 0.9]]]


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No runs, and neither MNIST nor Fashion-MNIST on this machine."""
    monkeypatch.setenv("VAEGMM_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("VAEGMM_DATA", str(tmp_path / "no-data"))


@pytest.fixture
def no_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of the shipped checkpoints, empty."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    monkeypatch.setattr(choice, "CHECKPOINTS", folder)
    return folder


def _open(name: str, model: Path | None = None, **state: object) -> AppTest:
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    if name != "overview":
        page.switch_page(PAGES[name])
    if model is not None:
        page.session_state["checkpoint"] = str(model)
    for key, value in state.items():
        page.session_state[key] = value
    return _run(page)


def _open_mixture(model: Path, tab: str = "Clusters") -> AppTest:
    page = _open("mixture", model)
    page.query_params["mixture"] = tab
    return _run(page)


def _run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception, page.exception[0].value
    return page


def _draw(strokes: object, hand: object = ()) -> AppTest:
    """What Python makes of a drawing, and of what was taught, with all that it shows of it."""
    page = _open("draw", SHIPPED)
    page.session_state["draw"] = {"strokes": strokes}
    page.session_state["draw-hand"] = {"revision": "1", "drawings": hand}
    for part in ("nearest", "change", "mine"):
        page.query_params[part] = "true"
    return _run(page)


def _texts(page: AppTest) -> str:
    elements = [*page.markdown, *page.caption, *page.error, *page.info, *page.warning]
    return "\n".join(element.value for element in elements)


def _html(page: AppTest) -> str:
    return "\n".join(element.proto.body for element in page.get("html"))


def _metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


# All pages


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_on_the_shipped_model_and_the_bundled_digits(name: str) -> None:
    page = _open(name)
    assert page.title or name == "overview", "whose headline stands in its picture"
    assert page.selectbox(key="checkpoint_picker").value == str(SHIPPED)
    assert not page.error
    if name == "reconstruct":  # the others show the model alone, at first
        assert "digits (bundled with scikit-learn)" in _texts(page)
        assert "MNIST, is not on this machine" in _texts(page)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_a_model_says_how_to_come_by_one(name: str, no_checkpoints: Path) -> None:
    page = _open(name)
    assert "There is no model to show yet" in _texts(page)
    assert not page.metric


@pytest.mark.parametrize("name", PAGES)
def test_a_damaged_checkpoint_is_named(name: str, no_checkpoints: Path) -> None:
    (no_checkpoints / "half.safetensors").write_bytes(SHIPPED.read_bytes()[:100_000])
    page = _open(name)
    assert page.error[0].value == (
        "half.safetensors is damaged, or not a model of vaegmm's. Download it again, or save the "
        "model anew."
    )


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_any_model(name: str, small_checkpoint: Path) -> None:
    page = _open(name, small_checkpoint)
    assert page.selectbox(key="checkpoint_picker").value == str(small_checkpoint)
    assert not page.error


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_a_model_without_names(
    name: str, tmp_path: Path, small_model: VAEGMM, digits: data.Dataset
) -> None:
    unnamed = VAEGMM(small_model.config, "cpu").fit(digits.train.images[:300])
    unnamed.save(tmp_path / "unnamed.safetensors")
    page = _open(name, tmp_path / "unnamed.safetensors")
    assert not page.error
    if name == "draw":
        assert "trained without labels" in _texts(page)


def test_an_uploaded_checkpoint_is_chosen_on_every_page(small_checkpoint: Path) -> None:
    page = _open("overview")
    uploader = page.get("file_uploader")[0]
    uploader.set_value(("mine.safetensors", small_checkpoint.read_bytes(), "application/octet"))
    _run(page)
    _run(page)
    assert "mine.safetensors" in page.selectbox(key="checkpoint_picker").value
    page.switch_page("pages/4_Mixture.py")
    assert _run(page).number_input[0].value == 12


def _checkpoint(header: dict[str, object] | None) -> bytes:
    """A safetensors file with a header of ours, or with none."""
    metadata = None if header is None else {"vaegmm": json.dumps(header)}
    return save({"latents": torch.zeros(1, 2)}, metadata)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"junk" * 100, "mine.safetensors is damaged, or not a model of vaegmm's."),
        (SHIPPED.read_bytes()[:100_000], "mine.safetensors is damaged, or not a model"),
        (_checkpoint({"format": 1}), "mine.safetensors is damaged, or not a model"),
        (_checkpoint(None), "mine.safetensors was not written by vaegmm."),
        (_checkpoint({"format": 99}), "written by a newer vaegmm. Update this one to open it."),
        (bytes(51 * 2**20), "mine.safetensors has 51 MB; 50 is the most that can be uploaded."),
    ],
    ids=["junk", "half", "incomplete", "foreign", "newer", "large"],
)
def test_an_upload_that_is_no_checkpoint_is_refused(content: bytes, sentence: str) -> None:
    page = _open("overview")
    page.get("file_uploader")[0].set_value(("mine.safetensors", content, "application/octet"))
    _run(page)
    (error,) = page.error
    assert sentence in error.value
    assert not any(internal in error.value for internal in ("/tmp", "Error", "Traceback"))
    assert page.selectbox(key="checkpoint_picker").value == str(SHIPPED)


# Choices, and the address


def _go(page: AppTest, name: str) -> AppTest:
    page.switch_page(PAGES[name])
    return _run(page)


def test_choices_survive_a_change_of_page(small_checkpoint: Path) -> None:
    page = _open("reconstruct", small_checkpoint)
    page.button_group(key="pairs").set_value("by cluster")
    _run(page)
    page.selectbox(key="cluster").select(3)
    page.selectbox(key="sample").select(0)
    _run(page)
    _go(page, "mixture").number_input[0].set_value(5)
    _fitted(page)
    _go(page, "draw").button_group(key="source").set_value("photo")
    _run(page)
    _go(page, "reconstruct")
    assert page.button_group(key="pairs").value == "by cluster"
    assert page.selectbox(key="cluster").value == 3
    assert page.selectbox(key="sample").value == 0
    assert _go(page, "mixture").number_input[0].value == 5
    assert _go(page, "draw").button_group(key="source").value == "photo"


def test_what_another_model_lacks_is_chosen_anew(
    small_checkpoint: Path, small_model: VAEGMM, tmp_path: Path
) -> None:
    small_model.refit(4).save(tmp_path / "other.safetensors")
    page = _open("reconstruct", small_checkpoint)
    page.button_group(key="pairs").set_value("by cluster")
    _run(page)
    page.selectbox(key="cluster").select(11)
    _run(page)
    _go(page, "mixture").number_input[0].set_value(9)
    _fitted(page)
    page.session_state["checkpoint"] = str(tmp_path / "other.safetensors")
    assert _run(page).number_input[0].value == 4, "the 9 were another model's"
    assert _go(page, "reconstruct").selectbox(key="cluster").value in range(4)


@pytest.mark.parametrize(
    ("name", "address", "key", "chosen"),
    [
        ("reconstruct", {"pairs": "worst"}, "pairs", "worst"),
        ("reconstruct", {"pairs": "by digit", "digit": "8"}, "digit", 8),
        ("reconstruct", {"sample": "2"}, "sample", 2),
        ("reconstruct", {"pairs": "loveliest"}, "pairs", "at random"),
        ("reconstruct", {"pairs": "by digit", "digit": "13"}, "digit", 0),
        ("draw", {"source": "A photo"}, "source", "photo"),
        ("draw", {"source": "A ghost"}, "source", "digit"),
    ],
)
def test_an_address_opens_its_view(
    name: str, address: dict[str, str], key: str, chosen: object
) -> None:
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    page.switch_page(PAGES[name])
    for parameter, value in address.items():
        page.query_params[parameter] = value
    _run(page)
    widgets = [*page.button_group, *page.selectbox]
    assert [widget.value for widget in widgets if widget.key == key] == [chosen]


# Overview


def test_the_overview_shows_what_the_model_has_come_to() -> None:
    page = _open("overview")
    metrics = load(SHIPPED).metrics
    shown = _metrics(page)
    assert shown["Classification"] == f"{100 * metrics['classification_accuracy']:.1f} %"
    assert shown["Cross-entropy, test"] == f"{metrics['cross_entropy']:.1f} nats"
    assert shown["Trained on"] == "MNIST"


@pytest.mark.parametrize(("name", "part"), [("overview", "overview"), ("latent", "explorer")])
def test_what_answers_by_itself_is_given_the_model(name: str, part: str) -> None:
    (component,) = _open(name).get("bidi_component")
    told = json.loads(component.proto.json)
    assert told["part"] == part
    assert told["model"] == f"/vaegmm/model/{load(SHIPPED).fingerprint}"


# Reconstruct


def _cross_entropies(page: AppTest) -> list[int]:
    return [int(text) for text in re.findall(r"<figcaption>(\d+)</figcaption>", _html(page))]


def test_inputs_stand_above_outputs_with_their_cross_entropy() -> None:
    page = _open("reconstruct")
    pairs = re.findall(r"<figure[^>]*>(<img[^>]*>)(<img[^>]*>)<figcaption>", _html(page))
    assert len(pairs) == 40
    assert all(above != below for above, below in pairs)
    shown = _cross_entropies(page)
    page.button(key="others").click()
    _run(page)
    assert _cross_entropies(page) != shown


def test_the_best_and_the_worst_are_sorted() -> None:
    page = _open("reconstruct")
    page.button_group(key="pairs").set_value("best")
    best = _cross_entropies(_run(page))
    page.button_group(key="pairs").set_value("worst")
    worst = _cross_entropies(_run(page))
    assert best == sorted(best)
    assert worst == sorted(worst, reverse=True)
    assert best[-1] < worst[-1]


def test_images_are_chosen_by_digit_and_by_cluster(small_checkpoint: Path) -> None:
    page = _open("reconstruct", small_checkpoint)
    page.button_group(key="pairs").set_value("by digit")
    _run(page)
    page.selectbox(key="digit").select(1)
    ones = _cross_entropies(_run(page))
    page.selectbox(key="digit").select(8)
    assert np.mean(ones) < np.mean(_cross_entropies(_run(page)))
    page.button_group(key="pairs").set_value("by cluster")
    _run(page)
    model = load(small_checkpoint)
    images = data.load("digits").test.images
    counts = np.bincount(model.responsibilities(images).argmax(1), minlength=12)
    page.selectbox(key="cluster").select(int(counts.argmax()))
    assert len(_cross_entropies(_run(page))) == min(counts.max(), 40)


def test_samples_are_drawn_by_digit() -> None:
    page = _open("reconstruct")
    page.selectbox(key="sample").select(4)
    first = _html(_run(page))
    page.button(key="other_samples").click()
    assert _html(_run(page)) != first


# Latent space


def test_more_points_than_are_shown_are_said(
    small_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "All 1,199 training images" in _texts(_open("latent", small_checkpoint))
    monkeypatch.setattr("vaegmm.browser.blob.MOST_LATENTS", 1000)
    assert "1,000 of the 1,199 training images" in _texts(_open("latent", small_checkpoint))


# Mixture


def _fitted(page: AppTest) -> AppTest:
    """Run the page until the fit that was begun is there."""
    _run(page)
    end = time.monotonic() + 100
    while any(button.key == "stop" for button in page.button) and time.monotonic() < end:
        time.sleep(0.2)
        _run(page)
    return page


def test_another_number_of_clusters_is_fitted_and_shown_on_every_page(
    small_checkpoint: Path,
) -> None:
    page = _open_mixture(small_checkpoint)
    assert _metrics(page)["Clusters"] == "12"
    page.number_input[0].set_value(5)
    _fitted(page)
    assert _metrics(page)["Clusters"] == "5"
    assert "Shown on every page: 5 clusters. The model's own mixture has 12" in _texts(page)
    model = load(small_checkpoint).refit(5)
    assert _metrics(page)["Log-likelihood"] == f"{model.mixture.lower_bound_:.3f}"
    page.switch_page(PAGES["reconstruct"])
    assert "5 clusters" in _texts(_run(page))
    page.button(key="own_mixture").click()
    assert "12 clusters" in _texts(_run(page))
    page.switch_page(PAGES["mixture"])
    assert _run(page).number_input[0].value == 12
    assert _metrics(page)["Clusters"] == "12"


@pytest.mark.parametrize("wanted", [400, 0])
def test_what_cannot_be_fitted_is_said_and_nothing_is_called_fitted(
    small_checkpoint: Path, wanted: int
) -> None:
    page = _open_mixture(small_checkpoint)
    assert page.number_input[0].label == "Clusters (1 to 300)", "said before it is tried"
    page.number_input[0].set_value(wanted)
    texts = _texts(_run(page))
    assert f"From 1 to 300 clusters can be fitted here, not {wanted}. What was shown" in texts
    assert "fitted anew" not in texts and _metrics(page)["Clusters"] == "12"


def test_another_form_of_covariances_is_fitted(small_checkpoint: Path) -> None:
    page = _open_mixture(small_checkpoint)
    page.selectbox(key=f"form-{load(small_checkpoint).fingerprint[:6]}").set_value("spherical")
    _fitted(page)
    model = load(small_checkpoint).refit(12, covariance_type="spherical")
    assert _metrics(page)["Log-likelihood"] == f"{model.mixture.lower_bound_:.3f}"


def test_clusters_changed_by_hand_stay_and_can_be_undone(small_checkpoint: Path) -> None:
    page = _open_mixture(small_checkpoint)
    # AppTest runs no component's callback: what it would do is done here.
    chosen = page.session_state["mixture_chosen"]
    merged = clusters.edited(chosen.own, {"what": "merge", "components": [3, 5]})
    renamed = clusters.edited(merged, {"what": "rename", "component": 1, "label": 7})
    chosen.steps += [merged, renamed]
    texts = _texts(_run(page))
    assert "clusters 3 and 5 merged; cluster 1 called 7" in texts
    assert "validation images" in texts
    page.button(key="undo_edit").click()
    assert "cluster 1 called 7" not in _texts(_run(page))
    assert "1 change by hand" in _texts(page)
    page.button(key="own_mixture").click()
    assert "Changed by hand" not in _texts(_run(page))


def test_a_start_that_was_put_in_the_page_is_fitted_to_all_stored_z(
    small_checkpoint: Path,
) -> None:
    model = load(small_checkpoint)
    middle = model.latents.mean(0)
    shape = (*np.eye(8).ravel(),)
    start = Start("diag", 1e-3, (0.5, 0.5), (*middle, *(middle + 1)), shape + shape)
    page = _open_mixture(small_checkpoint)
    # AppTest runs no component's callback: what it would do is done here.
    page.session_state["refit"] = Refit(page.session_state["mixture_chosen"].own, start)
    assert _metrics(_fitted(page))["Clusters"] == "2"
    fitted = model.refit(2, **start.options())
    assert _metrics(page)["Log-likelihood"] == f"{fitted.mixture.lower_bound_:.3f}"
    assert page.number_input[0].value == 2


@pytest.mark.parametrize(
    "change",
    [
        None,
        "merge",
        {"what": "explode", "component": 1},
        {"what": "rename", "component": "1; drop", "label": None},
        {"what": "merge", "components": 3},
        {"what": "split", "component": float("inf")},
        {"what": "split", "component": 99},
        {"what": "rename", "component": 0, "label": -2},
    ],
)
def test_a_change_that_is_none_is_refused_with_a_sentence(
    change: object, small_model: VAEGMM
) -> None:
    with pytest.raises(ValueError) as refused:
        clusters.edited(small_model, change)
    assert "foreseen nowhere" not in sentence(refused.value)


def test_confusion_is_counted_for_named_clusters_and_for_one_a_label(
    small_checkpoint: Path,
) -> None:
    page = _open_mixture(small_checkpoint, "Confusion")
    model, images = load(small_checkpoint), data.load("digits").test
    accuracy = (model.predict(images.images) == images.labels).mean()
    assert _metrics(page)["Classification"] == share(accuracy)
    page.button_group(key="confusion_by").set_value("clusters")
    _run(page)
    clusters = model.refit(10).mixture.predict(model.encode(images.images))
    assert _metrics(page)["Clustering"] == share(clustering_accuracy(clusters, images.labels))


def test_sizes_that_were_measured_are_drawn_and_open(
    small_checkpoint: Path, small_model: VAEGMM
) -> None:
    known = [
        Size(5, "full", 3e3, 2e3, -9.0, {100: 0.7}),
        Size(7, "diag", 2e3, 1e3, None, {}),
    ]
    for size in known:
        append(path_beside(small_checkpoint), small_model, size)
    page = _open_mixture(small_checkpoint, "How many?")
    (chart,) = page.get("plotly_chart")
    assert "diag" in chart.proto.spec
    page.button_group(key="criterion").set_value("accuracy")
    (chart,) = _run(page).get("plotly_chart")
    assert "diag" not in chart.proto.spec


# Draw


def _read_as(page: AppTest) -> str | None:
    found = re.search(r"Read as (.+?)\. The nearest", _texts(page))
    return found[1] if found else None


def test_a_drawn_digit_is_read_and_explained() -> None:
    page = _open("draw", draw={"strokes": SEVEN})
    assert not _html(page).count("<figure"), "what is closed costs nothing"
    page = _draw(SEVEN)
    probabilities = read_strokes(load(SHIPPED), SEVEN).probabilities
    assert _read_as(page) == f"7 ({share(probabilities[7])})"
    assert "The runner-up is" in _texts(page)
    assert "As soon as it has learned something" in _texts(page)


def test_what_was_taught_counts_in_this_session_alone(tmp_path: Path) -> None:
    model = load(SHIPPED)
    hand = [{"strokes": SEVEN, "truth": "4"}, {"image": [0] * 392 + [255] * 392, "truth": "1"}]
    page = _draw(SEVEN, [*hand, {"strokes": ONE, "truth": "another model's label"}])
    told = read_strokes(learn(model, [SEVEN], [4]), SEVEN)
    assert _read_as(page) == f"4 ({share(told.probabilities[4])})"
    assert "adapted to 2 drawings of your hand" in _texts(page)
    assert str(_read_as(_draw(SEVEN))).startswith("7 ")
    file = tmp_path / "mine.safetensors"
    file.write_bytes(to_bytes(page.session_state["draw-mine"][1]))
    assert read_strokes(load(file), SEVEN).label == 4


@pytest.mark.parametrize(
    "hand",
    [7, None, [7], [{}], [{"truth": "7"}], [{"truth": "7", "strokes": "forged"}],
     [{"truth": "7", "strokes": [[[float("nan"), 0], [1, 1]]]}], [{"truth": "7", "image": [1, 2]}],
     [{"truth": "7", "image": [256] * 784}]],
)  # fmt: skip
def test_a_forged_hand_is_not_learned(hand: object) -> None:
    page = _draw(SEVEN, hand)
    assert str(_read_as(page)).startswith("7 ")
    assert "did not arrive as it was drawn" in page.info[0].value


@pytest.mark.parametrize(
    ("strokes", "hint"),
    [
        ([], "There is nothing on the pad yet"),
        ([[[0.5, 0.5]]], "This is only a dot"),
        ([[]], "There is nothing on the pad yet"),
        ([[[0.5, float("nan")], [0.1, 0.1]]], "did not arrive as it was drawn"),
        ([[[1e300, 0.5], [0.1, 0.1]]], "did not arrive as it was drawn"),
        ("forged", "did not arrive as it was drawn"),
        ([[{"x": 1}]], "did not arrive as it was drawn"),
        (7, "did not arrive as it was drawn"),
    ],
)
def test_what_is_no_drawing_gets_a_hint_and_no_answer(strokes: object, hint: str) -> None:
    page = _draw(strokes)
    assert _read_as(page) is None
    assert not page.error
    assert hint in _texts(page)


def test_strokes_outside_the_pad_and_thousands_of_points_are_read() -> None:
    beyond = [[[x * 3 - 1, y * 3 - 1] for x, y in SEVEN[0]]]
    assert str(_read_as(_draw(beyond))).startswith("7 ")
    long = np.linspace([0.5, 0.1], [0.45, 0.9], 5000).tolist()
    assert str(_read_as(_draw([long]))).startswith("1 ")


def _png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def _photo() -> bytes:
    return _png(255 - np.kron(digit_from_strokes(SEVEN), np.ones((8, 8), np.uint8)))


def _blank() -> bytes:
    return _png(np.full((100, 100), 255, np.uint8))


def _boxes(page: AppTest) -> list[dict[str, float]] | None:
    """The boxes of the photo that the page gets to show; None where it gets none."""
    shown = [json.loads(part.proto.json) for part in page.get("bidi_component")]
    photos = [data for data in shown if data and data.get("part") == "photo"]
    return photos[0]["boxes"] if photos else None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (_photo(), None),
        (b"no image", "The picture cannot be opened as a picture"),
        (_photo()[:300], "The picture cannot be opened as a picture"),
        (bytes(11_000_000), "The picture is too large: 10 MB is the most"),
        (_blank(), "There is no digit to be seen"),
    ],
    ids=["photo", "junk", "half", "large", "blank"],
)
def test_a_photo_is_read_or_refused(content: bytes, sentence: str | None) -> None:
    page = _open("draw", SHIPPED)
    page.button_group(key="source").set_value("photo")
    _run(page)
    page.file_uploader(key="photo").set_value(("photo.png", content, "image/png"))
    _run(page)
    if sentence is None:
        assert not page.error
        assert len(_boxes(page)) == 1
    else:
        assert sentence in page.error[0].value
        assert _boxes(page) is None


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("data:image/png;base64," + base64.b64encode(_photo()).decode(), None),
        ("data:image/png;base64,####", "What was pasted is no picture"),
        ("nothing", "What was pasted is no picture"),
        (
            "data:image/png;base64," + base64.b64encode(b"no image").decode(),
            "The picture cannot be opened as a picture",
        ),
    ],
    ids=["photo", "junk", "empty", "no image"],
)
def test_a_pasted_picture_is_read_or_refused(address: str, sentence: str | None) -> None:
    page = _open("draw", SHIPPED)
    page.button_group(key="source").set_value("photo")
    page.session_state["pasted"] = {"picture": address}
    _run(page)
    assert (_boxes(page) is None) == (sentence is not None)
    assert [error.value[: len(sentence or "")] for error in page.error] == [sentence][
        : bool(sentence)
    ]


def test_every_checkpoint_that_ships_loads() -> None:
    paths = sorted((ROOT / "checkpoints").glob("*.safetensors"))
    assert SHIPPED in paths
    for path in paths:
        model = load(path)
        assert isinstance(model.mixture, GaussianMixture)
        assert model.provenance["data"]["n_train"] == 55_000
        assert path.stat().st_size < 9_000_000


def test_a_copy_of_a_checkpoint_is_another_choice(no_checkpoints: Path) -> None:
    for name in ("one", "two"):
        shutil.copy(SHIPPED, no_checkpoints / f"{name}.safetensors")
    page = _open("overview")
    assert list(page.selectbox(key="checkpoint_picker").options) == ["one", "two"]

"""What the pages share: page set-up, the choice of a model, cached loading, session keys."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from vaegmm import checkpoint, data
from vaegmm.app import explore, figures, pictures
from vaegmm.checkpoint import CheckpointError
from vaegmm.data import DataError, Dataset
from vaegmm.model import VAEGMM
from vaegmm.runs import list_runs

PROJECT = Path(__file__).resolve().parents[2]
CHECKPOINTS = PROJECT / "checkpoints"
UPLOAD_MEGABYTES = 50
# A file: Streamlit's own icons would be fetched from the network.
_ICON = str(Path(__file__).with_name("icon.svg"))
TEXT_WIDTH = 680  # pixels: about 80 characters a line

# Session keys that no widget owns, so that they survive a change of page.
_CHOSEN = "checkpoint"
_UPLOADS = "uploads"  # file id -> path, or the sentence that says why it was refused
_PICKER = "checkpoint_picker"  # the widget's own


def page(title: str) -> VAEGMM | None:
    """Set a page up and draw the shared sidebar; the first call of every page.

    Args:
        title: of the browser's tab.

    Returns:
        The chosen model, or None where there is none that can be loaded. Why one cannot be loaded
        has then been shown.
    """
    st.set_page_config(page_title=f"{title} · vaegmm", page_icon=_ICON, layout="wide")
    with st.sidebar:
        path = _pick()
        details = st.container()
    if path is None:
        return None
    try:
        model = load_model(path)
    except CheckpointError as error:
        st.error(str(error), icon=":material/error:")
        return None
    details.caption(_summary(model))
    return model


def choose_checkpoint(path: str | Path) -> None:
    """Make a checkpoint the one that every page shows from the next run of the script on."""
    st.session_state[_CHOSEN] = str(Path(path).resolve())


def stop_without_model() -> NoReturn:
    """Say how to come by a model, and end the page here."""
    st.markdown(
        "There is no model to show yet. Train one on the **Train** page (the preset *quick* on "
        "the bundled digits takes under a minute), or upload a checkpoint in the sidebar.",
        width=TEXT_WIDTH,
    )
    st.page_link("pages/1_Train.py", label="Go to Train", icon=":material/model_training:")
    st.stop()


def load_model(path: str | Path) -> VAEGMM:
    """Load a checkpoint through the cache that all sessions share: do not change the result.

    Raises:
        CheckpointError: if it is missing or no checkpoint.
    """
    path = Path(path).resolve()
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        stamp = 0  # load() says what is wrong
    return _load_model(str(path), stamp)


def model_key(model: VAEGMM) -> str:
    """Return what tells one loaded model from another, to key a cache on."""
    digest = hashlib.sha256(model.latents.tobytes())
    digest.update(model.mixture.means_.tobytes())
    return digest.hexdigest()[:16]


def dataset(model: VAEGMM) -> tuple[Dataset, str]:
    """Return images to show with a model, and a caption that says which they are.

    The model's own data set where this machine has it, else the bundled digits. Nothing is
    downloaded.
    """
    name = trained_on(model)
    if _is_here(name):
        try:
            own = _load_dataset(name, str(data.data_folder()))
            return own, f"Images: {own.title}, {len(own.test):,} test images."
        except DataError as error:
            reason = str(error)
    else:
        reason = f"The model's own data set, {_title(model)}, is not on this machine."
    bundled = _load_dataset("digits", "")
    return bundled, f"Images: {bundled.title}, {len(bundled.test):,} test images. {reason}"


def trained_on(model: VAEGMM) -> str:
    """Return the name of the data set that a model was trained on, or an empty string."""
    return str(model.provenance.get("data", {}).get("name", ""))


def theme_type() -> Literal["light", "dark"]:
    """Return the appearance that the viewer has chosen."""
    return "dark" if st.context.theme.type == "dark" else "light"


def latent_map(model: VAEGMM) -> explore.LatentMap:
    """Return every stored z projected and scored, through the cache that all sessions share."""
    return _latent_map(model_key(model), model)


def scores(model: VAEGMM, images: Dataset) -> explore.Scores:
    """Return what a model makes of the test images, through the cache that all sessions share."""
    return _scores(model_key(model), images.fingerprint, model, images.test.images)


def refitted(model: VAEGMM, n_components: int) -> VAEGMM:
    """Return the model with another mixture, through the cache that all sessions share."""
    if n_components == len(model.mixture.weights_):
        return model
    return _refitted(model_key(model), n_components, model)


def count_presses(label: str, key: str) -> int:
    """Draw a button that asks for others of something; return how often it was pressed."""
    presses = f"{key}_presses"

    def press() -> None:
        st.session_state[presses] = st.session_state.get(presses, 0) + 1

    st.button(label, icon=":material/refresh:", key=key, on_click=press)
    return int(st.session_state.get(presses, 0))


def show_tiles(
    columns: Sequence[Sequence[np.ndarray]],
    captions: Sequence[str] = (),
    descriptions: Sequence[str] = (),
    size: int = 72,
    width: Literal["stretch", "content"] = "stretch",
) -> None:
    """Show small images, each column of them above its caption."""
    st.html(pictures.tiles(columns, captions, descriptions, size, theme_type()), width=width)


def show_sheet(images: np.ndarray, n_columns: int) -> None:
    """Show images edge to edge as one picture."""
    st.html(pictures.sheet(images, n_columns, theme_type()))


def show_chart(figure: figures.go.Figure, key: str, alt: str) -> None:
    """Show a figure that is looked at and not zoomed."""
    st.plotly_chart(figure, key=key, config={"displayModeBar": False}, alt=alt)


def show_metrics(metrics: dict[str, Any]) -> None:
    """Show what a model has come to on held-out images, as far as it was measured."""
    shown = {
        "Classification": (
            "classification_accuracy",
            "{:.1%}",
            "Test images read rightly, with clusters named by {n_labels:,} labelled images.",
        ),
        "Clustering": (
            "clustering_accuracy",
            "{:.1%}",
            "With {n_clusters} clusters and no labels at all: test images that agree with the best "
            "assignment of clusters to digits.",
        ),
        "Latents in use": (
            "latents_in_use",
            "{} of {latent_dim}",
            "Dimensions that tell images apart.",
        ),
        "Cross-entropy": (
            "cross_entropy",
            "{:.1f}",
            "Of the reconstruction of test images, in nats an image.",
        ),
    }
    for name, (key, form, text) in shown.items():
        if key in metrics:
            value = form.format(metrics[key], **metrics)
            st.metric(name, value, help=text.format(**metrics), width="content")


def show_latent(model: VAEGMM, z: np.ndarray) -> None:
    """Show the numbers of one z, shape (D,), on the range that they usually have."""
    st.html(pictures.latent_values(z, *_usual_range(model_key(model), model)))


def show_way(model: VAEGMM, image: np.ndarray, answer: str = "") -> None:
    """Show an image's way through a model: pixels, z, clusters, reconstruction.

    Args:
        model: that it goes through.
        image: shape (28, 28).
        answer: what the model says of it, in a sentence.
    """
    z = model.encode(image)[0]
    responsibilities = model.responsibilities(image)[0]
    output, cross_entropy = model.decode(z)[0], float(model.cross_entropy(image)[0])
    pixels, numbers, clusters, reconstruction = st.columns([3, 5, 5, 3], gap="medium")
    with pixels:
        st.markdown("**Pixels**")
        show_tiles([[image]], descriptions=["The input"], size=140)
        st.caption("28 × 28 = 784 numbers go in.")
    with numbers:
        st.markdown("**Latent z**")
        show_latent(model, z)
        st.caption(f"All that is kept: {len(z)} numbers. Grey: where nine of ten images lie.")
    with clusters:
        st.markdown("**Clusters**")
        top = np.argsort(-responsibilities)[:3]
        top = top[responsibilities[top] >= 0.005]
        show_tiles(
            [[mean] for mean in model.decode(model.mixture.means_[top])],
            [f"{explore.component_title(model, k)} {responsibilities[k]:.0%}" for k in top],
            size=70,
        )
        st.caption("The likeliest clusters: the decoded mean of each, and p(cluster | image).")
    with reconstruction:
        st.markdown("**Reconstruction**")
        show_tiles([[output]], descriptions=["The output"], size=140)
        st.caption(f"{answer} Cross-entropy {cross_entropy:.0f} nats.")


@st.cache_resource(max_entries=4, show_spinner="Projecting the latent space …")
def _latent_map(key: str, _model: VAEGMM) -> explore.LatentMap:
    return explore.LatentMap.of(_model)


@st.cache_resource(max_entries=4, show_spinner=False)
def _usual_range(key: str, _model: VAEGMM) -> tuple[np.ndarray, np.ndarray]:
    return explore.usual_range(_model)


@st.cache_resource(max_entries=4, show_spinner="Reconstructing the test images …")
def _scores(key: str, fingerprint: str, _model: VAEGMM, _images: np.ndarray) -> explore.Scores:
    return explore.Scores.of(_model, _images)


@st.cache_resource(max_entries=4, show_spinner="Fitting the mixture …")
def _refitted(key: str, n_components: int, _model: VAEGMM) -> VAEGMM:
    return _model.refit(n_components)


@st.cache_resource(max_entries=4, show_spinner="Loading the model …")
def _load_model(path: str, stamp: int) -> VAEGMM:
    return checkpoint.load(path)


@st.cache_resource(max_entries=3, show_spinner="Loading the images …")
def _load_dataset(name: str, folder: str) -> Dataset:
    return data.load(name)


@st.cache_resource(show_spinner=False)
def _upload_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="vaegmm-")  # removed when the server ends


def _is_here(name: str) -> bool:
    if name in ("mnist", "fashion", "digits"):
        return data.is_available(name)
    return bool(name) and Path(name).expanduser().exists()


def _title(model: VAEGMM) -> str:
    return str(model.provenance.get("data", {}).get("title", "which it does not name"))


def _summary(model: VAEGMM) -> str:
    parts = [_title(model), f"{len(model.mixture.weights_)} clusters"]
    accuracy = model.metrics.get("classification_accuracy")
    if accuracy is not None:
        parts.append(f"accuracy {accuracy:.1%}")
    return " · ".join(parts)


def _pick() -> str | None:
    """Draw the sidebar's choice of a checkpoint; return the path of the chosen one."""
    chooser = st.container()  # above the upload, which may add to what can be chosen
    with st.expander("Upload a checkpoint", icon=":material/upload:"):
        file = st.file_uploader(
            "A .safetensors file that vaegmm wrote",
            type="safetensors",
            max_upload_size=UPLOAD_MEGABYTES,
            key="checkpoint_upload",
        )
        if file is not None:
            _receive(file)
    sources = _sources()
    if not sources:
        chooser.caption("No model yet: train one, or upload one.")
        return None
    chosen = st.session_state.get(_CHOSEN)
    if chosen is not None and chosen not in sources:
        if Path(chosen).is_file():  # chosen by a page, from somewhere else
            sources[chosen] = Path(chosen).stem
        else:
            chosen = None
    st.session_state[_CHOSEN] = st.session_state[_PICKER] = chosen or _default(sources)
    chooser.selectbox(
        "Model",
        list(sources),
        format_func=lambda path: sources.get(path, Path(path).stem),
        key=_PICKER,
        on_change=lambda: choose_checkpoint(st.session_state[_PICKER]),
    )
    return str(st.session_state[_CHOSEN])


def _sources() -> dict[str, str]:
    """Return what can be chosen: path -> what it is called."""
    shipped = {path: path.stem for path in CHECKPOINTS.glob("*.safetensors")}
    shipped = dict(sorted(shipped.items(), key=lambda entry: entry[1]))
    runs = {run.model_path: f"run {run.name}" for run in list_runs() if run.model_path.is_file()}
    uploads = {
        Path(path): f"upload {Path(path).stem}"
        for path in st.session_state.get(_UPLOADS, {}).values()
        if Path(path).is_file()
    }
    return {str(path.resolve()): name for path, name in {**shipped, **runs, **uploads}.items()}


def _default(sources: dict[str, str]) -> str:
    """Return the first checkpoint whose header can be read, or just the first."""
    for path in sources:
        try:
            checkpoint.read_header(path)
            return path
        except CheckpointError:
            continue
    return next(iter(sources))


def _receive(file: UploadedFile) -> None:
    """Keep an uploaded checkpoint and choose it, once; show why not if it is none."""
    uploads: dict[str, str] = st.session_state.setdefault(_UPLOADS, {})
    if file.file_id not in uploads:
        try:
            uploads[file.file_id] = _keep(file)
            choose_checkpoint(uploads[file.file_id])
        except CheckpointError as error:
            uploads[file.file_id] = str(error)
    if not Path(uploads[file.file_id]).is_file():
        st.error(uploads[file.file_id], icon=":material/error:")


def _keep(file: UploadedFile) -> str:
    if file.size > UPLOAD_MEGABYTES * 2**20:
        raise CheckpointError(
            f"{file.name} must be at most {UPLOAD_MEGABYTES} MB; it has {file.size / 2**20:.0f}."
        )
    content = file.getvalue()
    folder = Path(_upload_folder().name) / hashlib.sha256(content).hexdigest()[:16]
    folder.mkdir(exist_ok=True)
    path = folder / Path(file.name).name
    path.write_bytes(content)
    try:
        checkpoint.load(path)
    except CheckpointError as error:
        path.unlink()
        raise CheckpointError(str(error).replace(str(path), file.name)) from error
    return str(path.resolve())

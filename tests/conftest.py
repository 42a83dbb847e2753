"""What several test modules share: a small trained model, and data that needs no network."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from vaegmm import VAEGMM, MixtureConfig, TrainConfig, data
from vaegmm.data import Dataset
from vaegmm.evaluation import evaluate

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """The digits that come with scikit-learn."""
    return data.load("digits")


@pytest.fixture(scope="session")
def small_model(digits: Dataset) -> VAEGMM:
    """A model trained for two seconds: good enough to be shown, named and saved."""
    config = TrainConfig(
        mixture=MixtureConfig(n_components=12), epochs=2, batch_size=64, learning_rate=2e-3
    )
    model = VAEGMM(config, "cpu").fit(
        digits.train.images,
        validation=(digits.validation.images, digits.validation.labels),
        label_names=digits.label_names,
    )
    model.provenance = {
        "data": {
            "name": digits.name,
            "title": digits.title,
            "fingerprint": digits.fingerprint,
            "n_train": len(digits.train),
            "n_validation": len(digits.validation),
            "n_test": len(digits.test),
        },
        "command": "pytest",
    }
    model.metrics = evaluate(model, digits.test.images, digits.test.labels)
    return model


@pytest.fixture(scope="session")
def small_checkpoint(small_model: VAEGMM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`small_model` as a file."""
    path = tmp_path_factory.mktemp("checkpoints") / "small.safetensors"
    small_model.save(path)
    return path


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for VAEGMM_DATA: with MNIST and Fashion-MNIST where their archives are beside the
    repository (in ../shared/data), otherwise empty.
    """
    folder = tmp_path_factory.mktemp("data")
    for name in ("MNIST", "FashionMNIST"):
        if (SHARED_DATA / name).is_dir():
            # torchvision unpacks beside the archives: not in the folder they were found in.
            shutil.copytree(SHARED_DATA / name, folder / name)
    return folder


@pytest.fixture
def mnist_data(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """MNIST where it is to be had without a network; a test that needs it is skipped elsewhere."""
    monkeypatch.setenv("VAEGMM_DATA", str(data_folder))
    if not data.is_available("mnist"):
        pytest.skip("needs MNIST's archives in ../shared/data; there are none")
    return data.load("mnist")


@pytest.fixture
def under_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the second of two processes."""
    for name, value in {
        "TORCHELASTIC_RUN_ID": "test",
        "WORLD_SIZE": "2",
        "RANK": "1",
        "LOCAL_RANK": "1",
    }.items():
        monkeypatch.setenv(name, value)

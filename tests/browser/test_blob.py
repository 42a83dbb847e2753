"""A model as one block of bytes."""

from __future__ import annotations

import copy
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

import vaegmm
from vaegmm import VAEGMM
from vaegmm.blocks import BLOB_VERSION, MAGIC
from vaegmm.browser.blob import halves_suffice, to_blob

CHECKPOINTS = Path(vaegmm.__file__).parents[1] / "checkpoints"


def read(blob: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    """The header and the arrays, read as docs/browser.md describes them."""
    assert blob[:8] == MAGIC
    version, checksum, length, size = struct.unpack_from("<IIII", blob, 8)
    assert version == BLOB_VERSION
    assert checksum == zlib.adler32(blob[24:])
    assert length % 8 == 0
    assert len(blob) == 24 + length + size
    header, block = json.loads(blob[24 : 24 + length]), blob[24 + length :]
    arrays = {}
    for name, entry in header["arrays"].items():
        assert entry["offset"] % 8 == 0
        array = np.frombuffer(block, entry["dtype"], int(np.prod(entry["shape"])), entry["offset"])
        arrays[name] = array.reshape(entry["shape"])
    return header, arrays


@pytest.mark.parametrize("name", ["mnist", "mnist-reference"])
def test_a_shipped_model_fits_four_megabytes(name: str) -> None:
    model = vaegmm.load(CHECKPOINTS / f"{name}.safetensors")
    blob = to_blob(model)
    assert len(blob) <= 4_000_000
    header, arrays = read(blob)
    assert arrays["encoder.0.weight"].dtype == np.float16
    header_length, block_length = struct.unpack_from("<II", blob, 16)
    waste = block_length - sum(array.nbytes for array in arrays.values())
    assert 0 <= waste <= 64
    assert header_length < 4096
    assert header["n_latents"] == len(arrays["latents.steps"]) == 55_000
    again = to_blob(vaegmm.load(CHECKPOINTS / f"{name}.safetensors"))
    assert again == blob


def test_arrays_are_the_models(small_model: VAEGMM) -> None:
    header, arrays = read(to_blob(small_model, "float32"))
    weights = small_model.vae.state_dict()
    np.testing.assert_array_equal(arrays["encoder.1.weight"], weights["encoder.2.weight"].T)
    np.testing.assert_array_equal(arrays["mean.bias"], weights["mean.bias"])
    np.testing.assert_array_equal(arrays["mixture.means"], small_model.mixture.means_)
    assert small_model.names is not None
    np.testing.assert_array_equal(arrays["names.names"], small_model.names.names)
    assert header["label_names"] == list(small_model.label_names)
    assert header["title"] == small_model.provenance["data"]["title"]
    latents = arrays["latents.low"] + arrays["latents.step"] * arrays["latents.steps"]
    np.testing.assert_allclose(latents, small_model.latents, atol=1e-3)


@pytest.mark.filterwarnings("ignore:EM did not converge")
def test_another_model_has_another_fingerprint(small_model: VAEGMM) -> None:
    blobs = [
        to_blob(small_model, "float32"),
        to_blob(small_model, "float16"),
        to_blob(small_model, "float32", title="mine"),
        to_blob(small_model.refit(4, n_init=1), "float32"),
    ]
    assert len({read(blob)[0]["fingerprint"] for blob in blobs}) == len(blobs)


def with_weights_times(model: VAEGMM, factor: float) -> VAEGMM:
    """The same model whose first layer is scaled up and whose second undoes it."""
    other = copy.copy(model)
    other.vae = copy.deepcopy(model.vae)
    with torch.no_grad():
        first, second = other.vae.encoder[0], other.vae.encoder[2]
        first.weight *= factor
        first.bias *= factor
        second.weight /= factor
    return other


def test_weights_that_float16_cannot_hold_stay_float32(small_model: VAEGMM) -> None:
    small_model = copy.copy(small_model)
    small_model.names = None  # which are so unsure that a rounding changes some
    small_model.label_names = ()
    assert halves_suffice(small_model)
    assert read(to_blob(small_model))[1]["encoder.0.weight"].dtype == np.float16
    too_large = with_weights_times(small_model, 1e7)
    assert not halves_suffice(too_large)
    with pytest.raises(ValueError, match="weights must be float32 where one is beyond"):
        to_blob(too_large, "float16")
    # Within its range, but so small that float16 has few digits left.
    too_coarse = with_weights_times(small_model, 1e-5)
    assert not halves_suffice(too_coarse)
    assert read(to_blob(too_coarse))[1]["encoder.0.weight"].dtype == np.float32

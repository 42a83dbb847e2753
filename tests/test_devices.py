"""Which device a training runs on, alone and under torchrun."""

from __future__ import annotations

import pytest
import torch

from vaegmm.devices import choose_device


def test_a_named_device_is_taken() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device() == choose_device(None)


@pytest.mark.parametrize("name", ["tpu", "cuda:99", "", "cpu:x"])
def test_a_device_that_is_not_there_is_refused_in_a_sentence(name: str) -> None:
    with pytest.raises(ValueError, match="device must be one this machine has") as caught:
        choose_device(name)
    assert len(str(caught.value)) < 250


@pytest.mark.usefixtures("under_torchrun")
def test_each_process_takes_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "empty", lambda *_, device: asked.append(device))
    assert choose_device() == torch.device("cuda", 1)
    assert choose_device("cuda") == torch.device("cuda", 1)
    assert choose_device("cpu") == torch.device("cpu")
    assert asked == ["cuda:1", "cuda:1", "cpu"]


@pytest.mark.usefixtures("under_torchrun")
@pytest.mark.parametrize("name", ["cuda:0", "mps"])
def test_one_device_for_all_processes_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="device must be cpu or cuda under torchrun"):
        choose_device(name)

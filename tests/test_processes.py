"""Who takes part in a training, as torchrun tells it."""

from __future__ import annotations

import pytest
import torch

from vaegmm import processes
from vaegmm.processes import ALONE, is_first_process, n_processes


def test_one_process_is_the_first_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    monkeypatch.setenv("WORLD_SIZE", "4")  # some schedulers set it for reasons of their own
    assert n_processes() == 1
    assert is_first_process()


@pytest.mark.usefixtures("under_torchrun")
def test_torchrun_says_which_of_how_many_this_is() -> None:
    assert n_processes() == 2
    assert not is_first_process()


def test_one_process_alone_adds_nothing_and_follows_nobody() -> None:
    assert processes.current() is ALONE
    values = torch.arange(3.0)
    ALONE.sum(values, values)
    ALONE.follow_first(values)
    assert values.tolist() == [0, 1, 2]
    assert ALONE.total(7, values.device) == 7

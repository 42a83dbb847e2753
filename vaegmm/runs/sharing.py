"""Under torchrun: what the processes that assist a training are told, and do."""

from __future__ import annotations

import platform
import signal
from dataclasses import dataclass

from torch import Tensor

from vaegmm import data
from vaegmm.config import TrainConfig
from vaegmm.data import DataError, Dataset
from vaegmm.devices import choose_device
from vaegmm.processes import from_first_process, join_processes
from vaegmm.runs.errors import RunError
from vaegmm.training import EpochLoss, TrainState, train

SIGNALS = (signal.SIGINT, signal.SIGTERM)  # that end a training


@dataclass(frozen=True)
class Share:
    """What the first process tells those that assist it: their machines may lack the directory."""

    config: TrainConfig
    data_name: str
    fingerprint: str
    tensors: dict[str, Tensor]
    history: list[EpochLoss]
    is_last: bool  # no other attempt comes after this one


def assist(device_name: str | None = None) -> None:
    """Take part in the training that torchrun's first process executes.

    Raises:
        DataError: if the data set is not here, or another one than the first process has.
    """
    device = choose_device(device_name)
    join_processes(device)
    # The first process alone decides when to stop; the others end when it has left them.
    for name in SIGNALS:
        signal.signal(name, signal.SIG_IGN)
    dataset, is_last = None, False
    try:
        while not is_last:
            share: Share | None = from_first_process()
            if share is None:
                return
            dataset = dataset or _same_data(share)
            state = TrainState.start(share.config, device)
            state.restore(share.tensors, share.history)
            for _ in train(state, dataset.train.images, share.config):
                pass
            is_last = share.is_last
    except RuntimeError as error:
        if type(error) is not RuntimeError:
            raise
        # What gloo raises in a process whose neighbour has gone; that one has said why.
        raise RunError("the other processes have left this training.") from error


def _same_data(share: Share) -> Dataset:
    dataset = data.load(share.data_name)
    if dataset.fingerprint != share.fingerprint:
        raise DataError(
            f"every process must have the same images; those of {share.data_name} on "
            f"{platform.node()} are others than the first process has."
        )
    return dataset

"""A training in this process: from the last finished epoch of a run to its result."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from vaegmm import data
from vaegmm.checkpoint import CheckpointError, read_tensors, write_tensors
from vaegmm.data import DataError, Dataset
from vaegmm.devices import choose_device
from vaegmm.evaluation import evaluate
from vaegmm.film import Recorder
from vaegmm.model import VAEGMM, require_enough_images
from vaegmm.processes import from_first_process, join_processes, n_processes
from vaegmm.runs.attempts import (
    Attempt,
    chosen,
    config_of,
    counted,
    forget_best,
    keep,
    kept_attempts,
)
from vaegmm.runs.directory import RunDirectory
from vaegmm.runs.provenance import provenance
from vaegmm.runs.sharing import SIGNALS, Share
from vaegmm.training import EpochLoss, Progress, TrainState, merit, train

_STATUS_SECONDS = 0.5


def carry_out(
    run: RunDirectory,
    on_progress: Callable[[Progress], object],
    on_fit: Callable[[], object],
    device_name: str | None,
) -> VAEGMM:
    """Train from the last finished epoch to the result, under the run's lock.

    Args:
        run: whose directory this process holds the lock of.
        on_progress: called with each Progress.
        on_fit: called after the last epoch, before the mixture is fitted.
        device_name: where to train, if elsewhere than the run was created for.

    Raises:
        What `Run.execute` does.
    """
    run.write_status("starting")
    device = choose_device(device_name or run.settings["device"])
    dataset = data.load(run.settings["data"])
    require_enough_images(len(dataset.train), run.config.mixture)
    if n_processes() > 1:
        join_processes(device)
    if run.attempts == 1:
        model, _ = _train_once(run, 1, dataset, device, on_progress, on_fit)
    else:
        n_finished = len(kept_attempts(run))
        if n_finished == run.attempts and n_processes() > 1:
            from_first_process(None)  # there is nothing to assist with
        for number in range(n_finished + 1, run.attempts + 1):
            model, attempt = _train_once(run, number, dataset, device, on_progress, on_fit)
            keep(run, attempt, model)
        model = chosen(run, device)
    model.save(run.model_path)
    run.write_status("finished")
    run.state_path.unlink()  # three times the model's size, and of no more use
    forget_best(run)
    return model


def _train_once(
    run: RunDirectory,
    number: int,
    dataset: Dataset,
    device: torch.device,
    on_progress: Callable[[Progress], object],
    on_fit: Callable[[], object],
) -> tuple[VAEGMM, Attempt]:
    """Make one attempt, from its last finished epoch on."""
    config, fingerprint = config_of(run.config, number), dataset.fingerprint
    state = TrainState.start(config, device)
    _restore(run, number, state, fingerprint)
    if n_processes() > 1:
        name, is_last = run.settings["data"], number == run.attempts
        from_first_process(Share(config, name, fingerprint, *_on_cpu(state), is_last))

    film = None
    if run.settings.get("film", True):
        film = Recorder(run.film_path, config, dataset, state)
    began, last_status = time.perf_counter(), 0.0
    reports = train(state, dataset.train.images, config, dataset.validation.images)
    for report in counted(reports, number, run.attempts):
        if film:
            # Before the state is kept: a frame that comes too early is cut off, one that is
            # missing would never be made up for.
            film.take(state, report)
        if report.finished_epoch:
            _save(run, number, state, fingerprint)
        if report.finished_epoch or report.seconds - last_status >= _STATUS_SECONDS:
            run.write_status("training", report, film_error=film.error if film else None)
            last_status = report.seconds
        on_progress(report)

    run.write_status("fitting")
    on_fit()
    validation = dataset.validation
    model = VAEGMM(config, device).finish(
        state,
        dataset.train.images,
        None if validation.labels is None else (validation.images, validation.labels),
        dataset.label_names,
    )
    seconds = round(time.perf_counter() - began, 1)
    model.provenance = provenance(run, dataset, device, seconds)
    model.provenance["restarts"] = state.restarts
    model.metrics = evaluate(model, dataset.test.images, dataset.test.labels)
    judged = merit(state, dataset.train.images, config)
    return model, Attempt.of(number, config, judged, model)


def _save(run: RunDirectory, number: int, state: TrainState, fingerprint: str) -> None:
    """Keep the weights and losses of the epoch that has just finished.

    Written whole, the losses of a long training would soon take longer than an epoch.
    """
    tensors, history = _on_cpu(state)
    header = {
        "epoch": state.epoch,
        "last_loss": asdict(history[-1]),  # which may not get into metrics.jsonl
        "fingerprint": fingerprint,
        "attempt": number,
    }
    write_tensors(run.state_path, tensors, header)
    run.append_loss(history[-1])


def _restore(run: RunDirectory, number: int, state: TrainState, fingerprint: str) -> None:
    """Go back to the last finished epoch of an attempt, if there is one."""
    if not run.state_path.exists():
        run.write_losses([])  # of a result that is no longer there
        return
    tensors, header = read_tensors(run.state_path)
    if header.get("attempt", 1) != number:
        return run.write_losses([])  # those are of the attempt before, which is finished
    try:
        if header["fingerprint"] != fingerprint:
            raise DataError(
                f"a resumed run must have the images it began with; "
                f"{run.settings['data']} holds others now. Start a new run.",
                reason="other images",
            )
        state.restore(tensors, _history(run, header))
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{run.state_path} is damaged: {error}", reason="damaged run"
        ) from error
    run.write_losses(state.history)  # an interrupted save may have left the last one behind


def _history(run: RunDirectory, header: dict[str, Any]) -> list[EpochLoss]:
    """Return the losses of the epochs that a state has behind it."""
    if "history" in header:  # as older versions kept it
        return [EpochLoss(**loss) for loss in header["history"]]
    last = EpochLoss(**header["last_loss"])
    before = {loss.epoch: loss for loss in run.losses}
    lost = [epoch for epoch in range(1, last.epoch) if epoch not in before]
    if header["epoch"] != last.epoch or lost:
        raise ValueError(f"metrics.jsonl has lost epoch {lost[0] if lost else last.epoch}")
    return [*(before[epoch] for epoch in range(1, last.epoch)), last]


def _on_cpu(state: TrainState) -> tuple[dict[str, Tensor], list[EpochLoss]]:
    tensors = {name: value.detach().cpu() for name, value in state.tensors().items()}
    return tensors, state.history


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Let no second Ctrl-C or SIGTERM (torchrun sends both) cut off what the first one began."""
    before = {name: signal.signal(name, signal.SIG_IGN) for name in SIGNALS}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)

"""Trainings compared on the page Train: films on one slider, curves, tables, files."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from vaegmm.config import MixtureConfig, TrainConfig, VAEConfig
from vaegmm.runs import Run

pytestmark = pytest.mark.browser

PATIENCE = 60_000  # milliseconds: the machine may be busy
EPOCHS = 4


@pytest.fixture
def seeds(runs_folder: Path, tmp_path: Path) -> Iterator[list[Run]]:
    """Two finished trainings that differ in nothing but their seed."""
    images = np.random.default_rng(0).integers(0, 255, (90, 28, 28)).astype(np.uint8)
    np.savez(tmp_path / "tiny.npz", images=images, labels=np.arange(90) % 3)
    runs = []
    for seed in range(2):
        config = TrainConfig(
            vae=VAEConfig(latent_dim=2, hidden_units=(16,)),
            mixture=MixtureConfig(n_components=3, tol=0.01),
            epochs=EPOCHS,
            batch_size=16,
            seed=seed,
        )
        path = runs_folder / f"seed{seed}"
        runs.append(Run.create(path, config, tmp_path / "tiny.npz", "cpu", title=f"Seed {seed}"))
        runs[-1].execute()
    yield runs
    for run in runs:
        run.delete()


def test_trainings_are_compared(
    seeds: list[Run], open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page("Train?tab=Compare&compare=seed0&compare=seed1")
    curves = page.locator(".curves")
    rows = curves.locator("tbody tr")
    expect(rows).to_have_count(1, timeout=PATIENCE)
    expect(rows).to_contain_text("custom on tiny, 2 seeds")
    expect(rows).to_contain_text("±")
    expect(curves.locator("path.band").first).to_be_attached()
    expect(page.locator(".trainings .stage")).to_have_count(2)

    # One slider for both films, and the mark in the curves.
    plot = curves.get_by_role("slider", name="Cross-entropy over")
    plot.focus()
    for key in ("Home", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_label("Moment of the training")).to_have_attribute(
        "aria-valuetext", f"epoch 2 of {EPOCHS}"
    )
    expect(plot.locator("line.mark")).to_have_count(1)

    curves.get_by_role("button", name="mean ± sd").click()
    expect(rows).to_have_count(2)
    curves.get_by_role("button", name="Seed 1").click()
    expect(plot.locator("path.training")).to_have_count(1)

    # The tables are drawn on canvases, which hold an HTML table for screen readers.
    expect(page.get_by_role("heading", name="Over seeds")).to_be_visible()
    expect(page.get_by_role("heading", name="What differs")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Curves as CSV").click()
    download.value.save_as(tmp_path / "losses.csv")
    losses = list(csv.DictReader((tmp_path / "losses.csv").read_text().splitlines()))
    assert [row["run"] for row in losses] == ["Seed 0"] * EPOCHS + ["Seed 1"] * EPOCHS
    assert float(losses[-1]["cross_entropy"]) == seeds[1].losses[-1].cross_entropy

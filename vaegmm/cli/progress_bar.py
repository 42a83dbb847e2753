"""A training's progress in a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaegmm.training import Progress


class ProgressBar:
    """Progress as a bar of steps, with the loss's parts; one line an epoch where no one watches."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._is_watched = sys.stderr.isatty()
        self._restarts: int | None = None  # of the last report
        self._attempt = 1  # likewise

    def show(self, report: Progress) -> None:
        """Draw one Progress."""
        if report.attempt > self._attempt:
            self.close()
            self._restarts = None
        self._attempt = report.attempt
        if self._restarts is not None and report.restarts > self._restarts:
            self.close()
            print(
                "the mixture has collapsed: the training begins again, with another seed",
                file=sys.stderr,
                flush=True,
            )
        self._restarts = report.restarts
        losses = (
            f"cross-entropy {report.cross_entropy:.1f}, KL {report.kl:.2f} "
            f"(weight {report.kl_weight:.2f})"
        )
        attempt = ""
        if report.attempts > 1:
            attempt = f"attempt {report.attempt}/{report.attempts}, "
        if not self._is_watched:
            if report.finished_epoch:
                print(
                    f"{attempt}epoch {report.epoch}/{report.epochs}: {losses}, "
                    f"{report.seconds:.0f} s, {report.seconds_left or 0:.0f} s left",
                    file=sys.stderr,
                    flush=True,
                )
            return
        from tqdm import tqdm

        done = (report.epoch - 1) * report.steps + report.step
        if self._bar is None:
            self._bar = tqdm(
                total=report.epochs * report.steps, initial=done, unit="step", dynamic_ncols=True
            )
        start = f", start {report.starts_tried}" if report.starts_tried else ""
        self._bar.set_description(
            f"{attempt}epoch {report.epoch}/{report.epochs}{start}", refresh=False
        )
        self._bar.set_postfix_str(losses, refresh=False)
        self._bar.update(done - self._bar.n)
        if start:
            self._bar.refresh()  # no step was done, which alone would draw it

    def show_fit(self) -> None:
        """Say that the epochs are over."""
        self.close()
        print("fitting the mixture …", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

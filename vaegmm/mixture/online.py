"""Online EM: a mixture from a stream, batch by batch, each of which is seen once.

What the E-step has added up is kept as a running average; a batch moves it a step towards its own
statistics, and the M-step follows.

s <- (1 - step) s + step s(batch)

Source: Cappé and Moulines, On-line expectation-maximization for latent data models, 2009.
"""

from __future__ import annotations

from typing import NamedTuple

from vaegmm.mixture.em import Moments, Parameters
from vaegmm.mixture.moments import combined


class Stream(NamedTuple):
    """What is left of the points so far.

    `average` are the moments of one point, as an average over those so far; `seen` is how many
    there were.
    """

    average: Moments
    seen: float

    @classmethod
    def after_fit(cls, parameters: Parameters, seen: float) -> Stream:
        """A stream that goes on where a fit to so many points ended."""
        average = Moments(
            parameters.weights.new_zeros(()),
            parameters.weights,
            parameters.means,
            parameters.spread(parameters.covariances),
        )
        return cls(average, seen)

    def after(self, batch: Moments, parameters: Parameters, forgetting_rate: float) -> Stream:
        """The stream after another batch.

        The step is (share of the batch among all points so far)^rate, which makes it t^-rate after
        t batches of one length, and the average over all points with a rate of 1.

        Args:
            batch: its moments under `parameters`.
            parameters: the mixture.
            forgetting_rate: above 0.5, up to 1; the lower, the sooner what was seen is forgotten.
        """
        n = float(batch.counts.sum())
        seen = self.seen + n
        step = (n / seen) ** forgetting_rate
        parts = [(1 - step, self.average), (step / n, batch)]
        return Stream(combined(parts, parameters.means), seen)

    def moments(self) -> Moments:
        """The moments of as many points as were seen."""
        average = self.average
        return average._replace(
            log_likelihood=self.seen * average.log_likelihood, counts=self.seen * average.counts
        )

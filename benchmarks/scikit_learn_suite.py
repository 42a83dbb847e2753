"""How many of scikit-learn's own tests of its mixture pass with ours in its place.

    python benchmarks/scikit_learn_suite.py

Runs the tests that come with the installed scikit-learn (sklearn/mixture/tests/
test_gaussian_mixture.py), with `sklearn.mixture.GaussianMixture` replaced. What fails is run again
with any wording of errors and warnings accepted, so that a test that fails only for its sentences
is told from one that fails. What then still fails must be a test of private names.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
# scikit-learn's conftest gives its tests as many threads as there are processors for each of these:
# small products wait for one another on busy ones.
os.environ["PYTEST_XDIST_WORKER_COUNT"] = str(os.cpu_count())

import pytest
import sklearn.mixture
import torch

from vaegmm.mixture import GaussianMixture

SUITE = "sklearn.mixture.tests.test_gaussian_mixture"

#: Tests that call or replace what scikit-learn keeps to itself: `_initialize`, and the function
#: that its M-step is made of.
PRIVATE = (
    "test_gaussian_mixture_precisions_init[",
    "test_gaussian_mixture_all_init_does_not_estimate_gaussian_parameters",
)


class Outcomes:
    """A pytest plugin: which tests passed and failed; only some of them, if so told."""

    def __init__(self, only: set[str] | None = None) -> None:
        self.only = only
        self.passed: set[str] = set()
        self.failed: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Keep those that are to be run."""
        if self.only is not None:
            items[:] = [item for item in items if item.nodeid in self.only]

    def pytest_runtest_setup(self) -> None:
        """One thread: these products are small."""
        torch.set_num_threads(1)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note the outcome of the test itself."""
        if report.failed:
            self.failed.add(report.nodeid)
        elif report.passed and report.when == "call":
            self.passed.add(report.nodeid)


def run(only: set[str] | None = None) -> Outcomes:
    """Run the suite, or some of its tests, in silence."""
    outcomes = Outcomes(only)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        options = ["-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", folder]
        pytest.main(["--pyargs", SUITE, *options], plugins=[outcomes])
    return outcomes


def any_wording(expect: Any) -> Any:
    """`pytest.raises` or `pytest.warns` without its pattern."""
    return lambda *args, match=None, **kwargs: expect(*args, **kwargs)


def main() -> None:
    """Count, print, and fail if a test fails that isn't one of wording or of private names."""
    setattr(sklearn.mixture, "GaussianMixture", GaussianMixture)  # noqa: B010
    warnings.simplefilter("ignore")
    first = run()
    raises, warns = pytest.raises, pytest.warns
    setattr(pytest, "raises", any_wording(raises))  # noqa: B010
    setattr(pytest, "warns", any_wording(warns))  # noqa: B010
    again = run(first.failed)
    private = {name for name in again.failed if any(part in name for part in PRIVATE)}
    failing = again.failed - private
    total = len(first.passed) + len(first.failed)
    print(f"scikit-learn {sklearn.__version__}: {total} tests that run here")
    for title, names in (
        ("pass", first.passed),
        ("pass but for the wording", again.passed),
        ("test private names", private),
        ("fail", failing),
    ):
        print(f"{len(names):3} {title}")
        if names is not first.passed:
            for name in sorted(names):
                print(f"      {name.rpartition('::')[2]}")
    sys.exit(bool(failing) or not total)


if __name__ == "__main__":
    main()

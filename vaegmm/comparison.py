"""Several runs beside each other: what differs, seeds as mean and spread, losses as CSV."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from vaegmm.settings import describe

if TYPE_CHECKING:
    from vaegmm.runs import Run

#: The figures that are compared, in this order: those of the result on test images, then the last
#: epoch's, then what it took.
FIGURES = (
    "classification_accuracy",
    "clustering_accuracy",
    "nmi",
    "ari",
    "cross_entropy",
    "kl",
    "views_information",
    "latents_in_use",
    "validation_cross_entropy",
    "validation_kl",
    "seconds",
    "epochs_done",
)
_OF_LOSSES = {"validation_cross_entropy", "validation_kl", "seconds"}


@dataclass(frozen=True)
class Row:
    """One setting or figure of all runs."""

    name: str  # of a setting as TrainConfig nests it: "joint.share"
    values: tuple[Any, ...]  # one a run; None where a run has none

    @property
    def differs(self) -> bool:
        """Whether any two runs have other values."""
        return any(value != self.values[0] for value in self.values)


class Spread(NamedTuple):
    """A figure over several seeds."""

    mean: float
    sd: float  # with n - 1 in its denominator
    n: int  # how many have it


@dataclass(frozen=True)
class Group:
    """Runs that are equal but for their seed."""

    name: str
    members: tuple[int, ...]  # which of the runs
    figures: dict[str, Spread]  # of those that have done all their epochs; at least two have each


@dataclass(frozen=True)
class Comparison:
    """What some runs differ in."""

    titles: tuple[str, ...]
    settings: tuple[Row, ...]
    figures: tuple[Row, ...]
    groups: tuple[Group, ...]

    def rows(self, with_equal: bool = False) -> list[Row]:
        """Return settings, then figures: those that differ, or all of them."""
        return [row for row in (*self.settings, *self.figures) if with_equal or row.differs]

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON-compatible values."""
        return {
            "runs": list(self.titles),
            "settings": {row.name: list(row.values) for row in self.settings},
            "figures": {row.name: list(row.values) for row in self.figures},
            "differs": [row.name for row in self.rows()],
            "groups": [
                {
                    "name": group.name,
                    "runs": [self.titles[i] for i in group.members],
                    "figures": {name: spread._asdict() for name, spread in group.figures.items()},
                }
                for group in self.groups
            ],
        }

    def to_csv(self, with_equal: bool = False) -> str:
        """Return the rows as CSV, with a column a run."""
        rows = ([row.name, *row.values] for row in self.rows(with_equal))
        return _csv(["name", *self.titles], rows)


def compare(runs: Sequence[Run]) -> Comparison:
    """Compare some runs, in their order.

    A figure that none of them has is left out.

    Raises:
        RunError: if what one trains cannot be read.
    """
    settings = [_settings(run) for run in runs]
    figures = [_figures(run) for run in runs]
    names = group_names(runs)
    groups = []
    for name in dict.fromkeys(filter(None, names)):
        members = tuple(i for i, other in enumerate(names) if other == name)
        done = [i for i in members if figures[i]["epochs_done"] >= settings[i]["epochs"]]
        groups.append(Group(name, members, _spreads([figures[i] for i in done])))
    return Comparison(
        titles=tuple(titles(runs)),
        settings=_rows(settings, dict.fromkeys(name for values in settings for name in values)),
        figures=_rows(figures, [name for name in FIGURES if any(name in f for f in figures)]),
        groups=tuple(groups),
    )


def titles(runs: Sequence[Run]) -> list[str]:
    """Return what each run is called, with its directory's name or path where others are too."""
    titles = [run.title for run in runs]
    for longer in (_with_name, _with_path):
        count = Counter(titles)
        titles = [
            title if count[title] == 1 else longer(run)
            for title, run in zip(titles, runs, strict=True)
        ]
    return titles


def group_names(runs: Sequence[Run]) -> list[str | None]:
    """Return for each run a name that it shares with those that differ in nothing but the seed.

    None where there is no other such run.
    """
    keys = [_all_but_seed(run) for run in runs]
    count, taken = Counter(keys), Counter[str]()
    names: dict[str, str] = {}
    for run, key in zip(runs, keys, strict=True):
        if count[key] > 1 and key not in names:
            name = _group_name(run)
            taken[name] += 1
            # Settings that have no words of their own may differ all the same.
            names[key] = name if taken[name] == 1 else f"{name} ({taken[name]})"
    return [names.get(key) for key in keys]


def losses_csv(*runs: Run) -> str:
    """Return the losses of all finished epochs as CSV: a row an epoch of each run, in nats.

    `run` is what it is called; `seconds` those of training, since its start.
    """
    rows, names = [], ["epoch"]
    for title, run in zip(titles(runs), runs, strict=True):
        for loss in run.losses:
            values = dataclasses.asdict(loss)
            names = list(values)
            rows.append([title, run.config.seed, *values.values()])
    return _csv(["run", "seed", *names], rows)


def _csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


def _settings(run: Run) -> dict[str, Any]:
    """Return all that a run trains by: its configuration, the data, and the attempts at it."""
    settings = run.settings
    values = {"data": settings["data"], **_flat(run.config.to_dict())}
    return {**values, "attempts": settings.get("attempts") or 1, "device": settings.get("device")}


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return nested values by dotted names."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{name}.")
        else:
            flat[before + name] = list(value) if isinstance(value, tuple) else value
    return flat


def _figures(run: Run) -> dict[str, Any]:
    losses, measured = run.losses, run.metrics
    figures: dict[str, Any] = {"epochs_done": len(losses)}
    for name in FIGURES:
        if name in _OF_LOSSES:
            figures[name] = getattr(losses[-1], name, None) if losses else None
        elif name in measured:
            figures[name] = measured[name]
    return {name: value for name, value in figures.items() if value is not None}


def _rows(values: Sequence[Mapping[str, Any]], names: Iterable[str]) -> tuple[Row, ...]:
    return tuple(Row(name, tuple(of.get(name) for of in values)) for name in names)


def _spreads(figures: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    spreads = {}
    for name in FIGURES:
        values = [of[name] for of in figures if name in of]
        if name != "epochs_done" and len(values) > 1:
            spreads[name] = Spread(statistics.fmean(values), statistics.stdev(values), len(values))
    return spreads


def _all_but_seed(run: Run) -> str:
    # Where it was trained is no part of what was.
    left_out = ("seed", "device")
    values = {name: value for name, value in _settings(run).items() if name not in left_out}
    return json.dumps(values, sort_keys=True)


def _with_name(run: Run) -> str:
    return f"{run.title} ({run.name})"


def _with_path(run: Run) -> str:
    return f"{run.title} ({run.path.resolve()})"


def _group_name(run: Run) -> str:
    from vaegmm.runs.about import data_title

    preset, *changes = describe(dataclasses.replace(run.config, seed=0)).split(", ")
    return ", ".join([f"{preset} on {data_title(run.settings['data'])}", *changes])

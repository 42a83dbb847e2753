"""The benchmark of quality: cells that are run once, and a table of what they gave."""

import json

import numpy as np
import pytest

from vaegmm import benchmark
from vaegmm.cli import main
from vaegmm.sizes import sweep


def constant(value, calls, **settings):
    def run(dataset, seed):
        calls.append((dataset.name, seed))
        return {"clustering_accuracy": value + seed / 10}

    return benchmark.Method(run, settings)


def test_a_finished_cell_is_not_run_again(digits, tmp_path):
    calls = []
    compared = {"a way": constant(0.5, calls)}
    first = list(benchmark.run([digits], 2, tmp_path, compared))
    assert calls == [("digits", 0), ("digits", 1)]
    again = list(benchmark.run([digits], 3, tmp_path, compared))
    assert calls == [("digits", 0), ("digits", 1), ("digits", 2)]
    assert again[:2] == first
    assert [cell[3]["clustering_accuracy"] for cell in again] == [0.5, 0.6, 0.7]


def test_a_cell_of_other_settings_is_run_again(digits, tmp_path):
    calls = []
    for epochs in (1, 2, 2):
        compared = {"a way": constant(0.5, calls, epochs=epochs)}
        list(benchmark.run([digits], 1, tmp_path, compared))
    assert len(calls) == 2


def test_an_interrupted_cell_leaves_nothing(digits, tmp_path):
    def interrupted(dataset, seed):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(benchmark.run([digits], 1, tmp_path, {"a way": benchmark.Method(interrupted, {})}))
    assert list(tmp_path.iterdir()) == []


def test_the_table_has_mean_deviation_and_minimum(tmp_path):
    cells = [
        ("mnist", "ours", seed, {"clustering_accuracy": value, "seconds": 60.0})
        for seed, value in enumerate((0.9, 0.94))
    ]
    cells.append(("mnist", "theirs", 0, {"clustering_accuracy": 0.5, "seconds": 1.0}))
    lines = benchmark.save_table(cells, tmp_path).read_text().splitlines()
    assert lines[2].startswith("| mnist | ours | 2 | 0.9200 ± 0.0283 (0.9000) |")
    assert lines[2].endswith("| 60.0 |")
    assert lines[3].startswith("| mnist | theirs | 1 | 0.5000 |")


def test_the_command_runs_every_method_and_prints_the_table(tmp_path, capsys):
    command = ["benchmark", "quality", "--data", "digits", "--seeds", "1", "--epochs", "1"]
    assert main([*command, "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert (tmp_path / "table.md").read_text() == printed
    names = list(benchmark.methods())
    assert [line.split(" | ")[1] for line in printed.splitlines()[2:]] == names
    cells = [json.loads(path.read_text())["figures"] for path in tmp_path.glob("*.json")]
    assert len(cells) == len(names) == 6
    assert all(0.1 < cell["clustering_accuracy"] <= 1 for cell in cells)


def test_each_ablation_leaves_one_thing_out():
    settings = {name: method.settings for name, method in benchmark.ablations().items()}
    default = settings.pop("default")
    assert default == benchmark.methods()["default"].settings
    for other in settings.values():
        assert sum(other[name] != default[name] for name in default) == 1


def test_methods_can_be_chosen(tmp_path, capsys):
    command = ["benchmark", "ablation", "--data", "digits", "--seeds", "1", "--epochs", "1"]
    chosen = ["--methods", "without views,default", "--out", str(tmp_path)]
    assert main([*command, *chosen]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[1] for row in rows] == ["without views", "default"]
    assert main([*command, "--methods", "magic"]) == 2
    assert "methods must be among default, without" in capsys.readouterr().err


def test_no_seeds_are_refused(capsys):
    assert main(["benchmark", "quality", "--seeds", "0"]) == 2
    assert "seeds must be at least 1" in capsys.readouterr().err


def test_the_sweep_measures_every_size_and_number_of_labels(small_model, digits, tmp_path):
    sizes = list(sweep(small_model, digits, components=(5, 20), labels=(10, 100, 10**6)))
    assert [size.n_components for size in sizes] == [5, 20]
    assert [list(size.accuracies) for size in sizes] == [[10, 100]] * 2
    assert sizes[1].accuracies[100] > sizes[0].accuracies[100] > 0.1
    figure = benchmark.save_sweep(sizes, tmp_path / "new")
    lines = (figure.parent / "components.md").read_text().splitlines()
    assert lines[0] == (
        "| components | BIC | held-out log-likelihood, nats | 10 labels | 100 labels |"
    )
    assert lines[3].startswith("| 20 | ")
    assert "100 labels" in figure.read_text()


def test_a_sweep_marks_the_best_size_and_has_a_curve_for_each_number_of_labels():
    figure = benchmark._sweep_figure(
        [5, 10, 20], [3e3, 1e3, 2e3], [-3.0, -2.0, -1.0], {10: [0.1, 0.2, 0.3], 1000: [0.4] * 3}
    )
    bic, likelihood, *accuracies = figure.data
    assert list(bic.y) == [3, 1, 2]
    assert [int(np.argmax(trace.marker.size)) for trace in (bic, likelihood)] == [1, 2]
    assert [trace.name for trace in accuracies] == ["10 labels", "1,000 labels"]


def test_the_sweep_needs_a_model(capsys):
    assert main(["benchmark", "components"]) == 2
    assert "needs a model; add --checkpoint" in capsys.readouterr().err

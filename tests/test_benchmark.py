"""The benchmark of quality: cells that are run once, and a table of what they gave."""

import json

import pytest

from vaegmm import benchmark
from vaegmm.cli import main


def constant(value, calls):
    def method(dataset, seed):
        calls.append((dataset.name, seed))
        return {"clustering_accuracy": value + seed / 10}

    return method


def test_a_finished_cell_is_not_run_again(digits, tmp_path):
    calls = []
    compared = {"a way": constant(0.5, calls)}
    first = list(benchmark.run([digits], 2, tmp_path, compared))
    assert calls == [("digits", 0), ("digits", 1)]
    again = list(benchmark.run([digits], 3, tmp_path, compared))
    assert calls == [("digits", 0), ("digits", 1), ("digits", 2)]
    assert again[:2] == first
    assert [cell[3]["clustering_accuracy"] for cell in again] == [0.5, 0.6, 0.7]


def test_an_interrupted_cell_leaves_nothing(digits, tmp_path):
    def interrupted(dataset, seed):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(benchmark.run([digits], 1, tmp_path, {"a way": interrupted}))
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
    figures = [json.loads(path.read_text()) for path in tmp_path.glob("*.json")]
    assert len(figures) == len(names) == 6
    assert all(0.1 < cell["clustering_accuracy"] <= 1 for cell in figures)


def test_no_seeds_are_refused(capsys):
    assert main(["benchmark", "quality", "--seeds", "0"]) == 2
    assert "seeds must be at least 1" in capsys.readouterr().err


def test_the_sweep_measures_every_size_and_number_of_labels(small_model, digits):
    rows = list(benchmark.sweep(small_model, digits, components=(5, 20), labels=(10, 100, 10**6)))
    assert [row["components"] for row in rows] == [5, 20]
    assert rows[0].keys() == {
        "components",
        "bic",
        "held_out_log_likelihood",
        "accuracy_with_10_labels",
        "accuracy_with_100_labels",
    }
    assert rows[1]["accuracy_with_100_labels"] > rows[0]["accuracy_with_100_labels"] > 0.1
    lines = benchmark.sweep_table(rows).splitlines()
    assert lines[0].startswith("| components | bic | held out log likelihood | accuracy with 10")
    assert lines[3].startswith("| 20 | ")


def test_the_sweep_needs_a_model(capsys):
    assert main(["benchmark", "components"]) == 2
    assert "needs a model; add --checkpoint" in capsys.readouterr().err

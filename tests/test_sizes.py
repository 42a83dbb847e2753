"""Mixtures of several sizes: what is measured, kept, and found again."""

import json

from vaegmm.cli import main
from vaegmm.sizes import append, path_beside, read, sweep


def test_what_is_known_is_not_measured_again(small_model, digits, tmp_path):
    path = tmp_path / "sizes.jsonl"
    first = list(sweep(small_model, None, (3, 4), ("diag",)))
    assert [(size.n_components, size.log_likelihood) for size in first] == [(3, None), (4, None)]
    assert first[0].aic < first[0].bic
    append(path, small_model, first[0])
    again = list(sweep(small_model, None, (3, 4), ("diag",), known=read(path, small_model)))
    assert again == first[1:]
    refitted = small_model.refit(4, n_init=1, covariance_type="diag")
    assert again[0].bic == refitted.mixture.bic(small_model.latents.astype(float))


def test_damaged_lines_and_other_models_are_passed_over(small_model, tmp_path):
    path = tmp_path / "sizes.jsonl"
    (size,) = sweep(small_model, None, (2,))
    append(path, small_model, size)
    whole = json.loads(path.read_text())
    lines = ["", "{", "[]", "null", json.dumps({**whole, "model": "another"})]
    lines += [json.dumps({**whole, "accuracies": 3}), json.dumps({"model": whole["model"]})]
    path.write_text("\n".join([*lines, path.read_text(), json.dumps(whole)[:20]]))
    assert read(path, small_model) == [size]
    assert read(tmp_path / "nothing", small_model) == []


def test_the_command_keeps_sizes_beside_the_checkpoint(small_checkpoint, tmp_path, capsys):
    out = str(tmp_path / "sizes.jsonl")
    command = ["sizes", str(small_checkpoint), "--components", "2,3", "--data", "digits"]
    assert main([*command, "--out", out, "--json"]) == 0
    sizes = json.loads(capsys.readouterr().out)
    assert [size["n_components"] for size in sizes] == [2, 3]
    assert all(0 < size["accuracies"]["100"] < 1 for size in sizes)
    assert path_beside("a/mnist.safetensors").name == "mnist.sizes.jsonl"
    assert main([*command[:2], "--components", "two"]) == 2
    assert "components must be whole numbers" in capsys.readouterr().err

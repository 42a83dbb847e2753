"""Numbers and errors are said alike on every page."""

import ast
from pathlib import Path

import pytest

import vaegmm
from vaegmm import data
from vaegmm.app.words import SENTENCES, distinct, plain, sentence, share, shortened
from vaegmm.config import PRESETS
from vaegmm.settings import change


@pytest.mark.parametrize(
    ("value", "digits", "said"),
    [
        (0.7815, 1, "78.2 %"),
        (0.9795, 1, "98.0 %"),
        (0.97949, 1, "97.9 %"),
        (0, 1, "0.0 %"),
        (1, 0, "100 %"),
        (0.125, 0, "13 %"),
        (1e-12, 1, "0.0 %"),
    ],
)
def test_shares_are_rounded_half_up(value, digits, said):
    assert share(value, digits) == said


def test_a_long_name_keeps_both_ends():
    assert shortened("seed 1 of the wide encoder", 26) == "seed 1 of the wide encoder"
    assert shortened("a seed of the wide encoder, number 17", 20) == "a seed of…number 17"


def test_names_that_look_the_same_are_told_apart():
    titles = {"c": "quick", "b": "quick", "long": "x" * 30 + "1" * 30, "a": "quick"}
    titles["longer"] = "x" * 30 + "2" * 10 + "1" * 30
    labels = distinct(titles, 20)
    assert list(labels) == list(titles)
    assert (labels["a"], labels["b"], labels["c"]) == ("quick", "quick (2)", "quick (3)")
    assert labels["long"] != labels["longer"]
    assert all(len(label) <= 20 for label in labels.values())


def test_a_name_is_no_markdown():
    assert plain("*a* [b](c) $d$ e") == "\\*a\\* \\[b\\]\\(c\\) \\$d\\$ e"


def reasons() -> set[str]:
    """Every reason that the package's errors are given."""
    found = set()
    for path in Path(vaegmm.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "reason":
                values = [node.value]
                if isinstance(node.value, ast.IfExp):
                    values = [node.value.body, node.value.orelse]
                found |= {value.value for value in values if isinstance(value, ast.Constant)}
    return found


def test_each_reason_has_its_sentence_and_each_sentence_its_reason():
    # `too_large` makes its keywords as a dictionary.
    assert reasons() | {"large upload"} == set(SENTENCES)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"learning_rate": -1.0}, "Learning rate must lie between 0 and 1."),
        ({"epochs": 0}, "Epochs must be at least 1."),
        ({"epochs": 1.5}, "Epochs must be a whole number."),
        ({"batch_size": 0}, "Batch size must be at least 1."),
        ({"components": 0}, "Clusters must be at least 1."),
        ({"kl_weight": -1}, "KL weight must not be negative."),
        ({"seed": -1}, "Seed must lie from 0 to 4294967295."),
    ],
)
def test_a_setting_is_called_as_on_the_page(values, said):
    with pytest.raises(ValueError) as raised:
        change(PRESETS["default"], **values)
    assert sentence(raised.value) == said


def test_every_sentence_ends_and_names_what_it_is_about():
    class Facts(dict):
        def __missing__(self, key):
            return "5" if key != "remedy" else "Do this."

    for reason, text in SENTENCES.items():
        said = text.format_map(Facts(n_images=5))
        assert said.endswith("."), reason
        assert said.count("{") == 0, reason


def test_an_error_without_words_is_logged_and_leaks_nothing(caplog):
    said = sentence(RuntimeError("/srv/secret broke"))
    assert "secret" not in said and "The log says more" in said
    assert "/srv/secret broke" in caplog.text


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "The folder pictures holds no image (.png"),
        ({"a.png": b"junk"}, "a.png cannot be opened as a picture"),
        ({"a.png": b"junk", "7/b.png": b"junk"}, "holds images beside folders"),
    ],
)
def test_a_folder_that_is_no_data_set_gets_a_sentence(tmp_path, files, said):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    with pytest.raises(data.DataError) as raised:
        data.load(folder)
    assert said in sentence(raised.value)
    assert str(tmp_path) not in sentence(raised.value)

"""The page in which the other tests run our modules."""

from __future__ import annotations

import numpy as np
import pytest
from modules import Modules
from playwright.sync_api import Error

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "uint16", "int32"])
def test_arrays_come_back_as_they_went(modules: Modules, dtype: str) -> None:
    array = np.random.default_rng(0).uniform(0, 200, 100_000).astype(dtype)
    result = modules.run(
        "({ array, others }) => ({ array, others: [others.b] })",
        array=array,
        others={"b": "<script>"},
    )
    np.testing.assert_array_equal(result["array"], array)
    assert result["array"].dtype == dtype
    assert result["others"] == ["<script>"]


def test_modules_import_each_other_and_errors_are_raised(modules: Modules) -> None:
    modules.serve("/one.js", b"export const one = 1;", "text/javascript")
    modules.serve(
        "/two.js", b'import { one } from "./one.js"; export const two = 2 * one;', "text/javascript"
    )
    assert modules.run("async () => (await import('/two.js')).two") == 2
    size = modules.run("({ file }) => file.byteLength", file=b"abc")
    assert size == 3
    with pytest.raises(Error, match="what went wrong"):
        modules.run("() => { throw new Error('what went wrong'); }")

"""Our JavaScript modules as one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vaegmm.browser.bundle import FOLDER, bundle


def write(folder: Path, **modules: str) -> Path:
    for name, source in modules.items():
        (folder / f"{name}.js").write_text(source)
    return folder


def test_modules_come_after_what_they_import_and_once(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        a='import { b } from "./b.js";\nimport {\n  c,\n} from "./c.js";\n\n'
        "export const a = b + c;\n",
        b='import { c } from "./c.js";\nexport function b() {\n  return c;\n}\n',
        c="const hidden = 1;\nexport const c = hidden;\nexport class C {}\n",
    )
    assert bundle("a.js", "c.js", folder=folder) == (
        "// c.js\nconst $c = (() => {\nconst hidden = 1;\nconst c = hidden;\nclass C {}\n"
        "return { c, C };\n})();\n\n"
        "// b.js\nconst $b = (() => {\nconst { c } = $c;\nfunction b() {\n  return c;\n}\n"
        "return { b };\n})();\n\n"
        "// a.js\nconst $a = (() => {\nconst { b } = $b;\nconst { c } = $c;\nconst a = b + c;\n"
        "return { a };\n})();\n\n"
        "const { a } = $a;\nconst { c } = $c;\nconst { C } = $c;\n"
    )


def test_only_names_that_entries_export_can_clash(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        a='import { b } from "./b.js";\nfunction helper() {}\nexport const shared = b;\n',
        b="export const b = 1;\nasync function helper() {}\nexport const shared = 2;\n",
    )
    assert bundle("a.js", folder=folder).count("helper() {}") == 2
    with pytest.raises(ValueError, match=r"a\.js and b\.js both export shared\. Rename one"):
        bundle("a.js", "b.js", folder=folder)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ('import { c } from "./b.js";', "must import what b.js exports; got 'c'"),
        ('import { b as c } from "./b.js";', "must import what b.js exports; got 'b as c'"),
        ('import * as b from "./b.js";', "must import by"),
        ('import { b } from "elsewhere";', "must import by"),
        ("export default function f() {}", "export declarations"),
        ("const a = 1;\nexport { a };", "export declarations"),
        ('export * from "./b.js";', "export declarations"),
        ("export const { a } = {};", "export declarations"),
        ("export let a = 1;", "export declarations"),
        ('import { circle } from "./circle.js";', "a.js → circle.js → a.js"),
        ('const a = "</SCRIPT>";', "must not contain </script"),
    ],
)
def test_what_cannot_be_joined_is_refused(tmp_path: Path, source: str, sentence: str) -> None:
    folder = write(
        tmp_path,
        a=source,
        b="export const b = 1;",
        circle='import { a } from "./a.js";\nexport const circle = 1;',
    )
    with pytest.raises(ValueError, match=re.escape(sentence)):
        bundle("a.js", folder=folder)


@pytest.mark.parametrize(
    "name", sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.js"))
)
def test_all_our_modules_can_be_joined(name: str) -> None:
    joined = bundle(name)
    assert not re.search(r"^(import|export)\b", joined, re.MULTILINE)
    assert joined.count(f"// {name}\n") == 1

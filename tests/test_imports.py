"""Imports point one way, and what is heavy is imported by whom it concerns."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "vaegmm"
#: The modules of the core by name, a subpackage as one, and their files.
MODULES = {
    path.stem: sorted(path.rglob("*.py")) if path.is_dir() else [path]
    for path in sorted(PACKAGE.iterdir())
    if (path.suffix == ".py" or (path / "__init__.py").exists()) and path.name[:2] != "__"
}

# Import one module of the package without its __init__, which imports nearly all of them.
IMPORT_ALONE = """
import importlib, json, sys, types
root, package, module = sys.argv[1:]
sys.path.insert(0, root)
parent = types.ModuleType(package)
parent.__path__ = [f"{root}/{package}"]
sys.modules[package] = parent
importlib.import_module(f"{package}.{module}")
print(json.dumps(sorted(sys.modules)))
"""


def run(code: str, *arguments: str) -> list[str]:
    """Run code that prints the names of the modules it imported."""
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return json.loads(result.stdout.splitlines()[-1])


def imported_with(module: str, root: Path = ROOT, package: str = "vaegmm") -> set[str]:
    """The modules of the package that importing one of them imports, in a fresh process."""
    names = run(IMPORT_ALONE, str(root), package, module)
    return {name.removeprefix(f"{package}.") for name in names if name.startswith(f"{package}.")}


@pytest.mark.parametrize(
    ("module", "others"),
    [
        ("mixture", {"vae", "training", "model", "labelling"}),
        ("vae", {"training", "mixture", "model"}),
        ("checkpoint", {"model", "training", "runs", "data", "cli"}),
        ("inference", {"checkpoint", "model", "training"}),
        ("model", {"training", "runs", "data", "cli"}),
    ],
)
def test_imports_point_one_way(module, others):
    imported = imported_with(module)
    assert module in imported
    assert not imported & others


def test_a_wrong_import_is_seen(tmp_path):
    """The check above can fail: it sees an import of an import."""
    package = tmp_path / "house"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('must not run')")
    (package / "gaussian.py").write_text("import house.mixture")
    (package / "mixture.py").write_text("from house import training")
    (package / "training.py").write_text("")
    assert imported_with("gaussian", tmp_path, "house") == {"gaussian", "mixture", "training"}
    assert imported_with("training", tmp_path, "house") == {"training"}


def imports_of(path: Path) -> set[str]:
    """What a file imports anywhere in it, in functions too, as dotted names."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            # `from vaegmm import data` imports the module as `from vaegmm.data import load` does.
            names |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("a relative import, which this check does not follow")
    return names


def own_imports(module: str) -> set[str]:
    """The modules of the package that one of them imports itself, anywhere in it."""
    imported = set().union(*map(imports_of, MODULES[module]))
    return {other for other in MODULES if other != module and f"vaegmm.{other}" in imported}


# What each module of the core may import of the package, in functions too.
ALLOWED = {
    "blocks": set(),
    "config": set(),
    "colours": set(),
    "errors": set(),  # which every other may import
    "gaussian": set(),
    "processes": set(),
    "mixture": {"gaussian", "processes"},
    "prior": {"gaussian"},
    "metrics": set(),
    "typicality": set(),
    "projection": set(),
    "labelling": set(),
    "devices": {"processes"},
    "vae": {"config", "gaussian"},
    "stored": {"vae"},
    "images": {"stored", "vae"},
    "training": {
        *("config", "gaussian", "images", "mixture", "prior", "processes", "stored", "vae"),
    },
    "film": {
        *(
            "blocks",
            "colours",
            "config",
            "data",
            "gaussian",
            "metrics",
            "prior",
            "projection",
            "training",
        ),
        "vae",
    },
    "mnist_form": set(),
    "photo": {"mnist_form"},
    "preprocess": {"mnist_form", "photo"},
    "data": {"images", "mnist_form", "photo", "preprocess", "stored", "vae"},
    "examples": {"mixture"},
    "parts": {
        *("config", "examples", "prior", "labelling", "mixture", "projection", "typicality"),
        "vae",
    },
    "checkpoint": {
        *("config", "examples", "labelling", "mixture", "parts", "prior", "projection", "vae"),
    },
    "inference": {"examples", "images", "parts", "stored", "vae"},
    "evaluation": {
        *("examples", "gaussian", "images", "metrics", "model", "preprocess", "prior", "reading"),
        "training",
    },
    "adaptation": {"model", "preprocess", "reading"},
    "comparison": {"runs", "settings"},
    "reading": {"model", "preprocess", "typicality"},
    "photo_reading": {"model", "photo", "reading"},
    "replay": {"mixture", "model"},
    "browser": {"blocks", "mixture", "model", "projection", "typicality", "vae"},
    "tensorboard": {"config", "data", "film", "images", "runs", "training", "vae"},
    "estimation": {"checkpoint", "config", "devices", "images", "mixture", "training", "vae"},
    "questions": {"config", "estimation"},
    # Training only inside `fit`: see the subprocess test.
    "model": {
        *("checkpoint", "config", "devices", "examples", "images", "inference", "labelling"),
        *("mixture", "parts", "prior", "projection", "stored", "training"),
    },
}


@pytest.mark.parametrize("module", ALLOWED)
def test_a_module_imports_what_its_place_allows(module):
    assert own_imports(module) - {"errors"} <= ALLOWED[module]


def test_no_two_modules_import_each_other():
    imports = {module: own_imports(module) for module in MODULES}
    pairs = {(one, other) for one in MODULES for other in imports[one] if one in imports[other]}
    assert not pairs


@pytest.mark.parametrize("module", ["photo", "preprocess", "app.figures", "app.pictures"])
def test_preprocessing_and_figures_know_arrays_only(module):
    paths = MODULES.get(module) or [PACKAGE / f"{module.replace('.', '/')}.py"]
    in_functions_too = {name.partition(".")[0] for path in paths for name in imports_of(path)}
    at_once = {name.partition(".")[0] for name in run(IMPORT_ALONE, str(ROOT), "vaegmm", module)}
    assert not (in_functions_too | at_once) & {"torch", "torchvision", "streamlit"}


def test_only_the_app_imports_streamlit():
    may = {ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(PACKAGE / "app").rglob("*.py")}
    files = {*ROOT.glob("*.py"), *PACKAGE.rglob("*.py"), *(ROOT / "pages").glob("*.py")}
    importing = {
        path for path in files if "streamlit" in {n.split(".")[0] for n in imports_of(path)}
    }
    assert ROOT / "app.py" in importing
    assert importing <= may


def test_the_command_line_stands_beside_the_app():
    for module in MODULES:
        assert module in ("cli", "__main__") or "cli" not in own_imports(module)
        assert module == "app" or "app" not in own_imports(module)


LISTED = "import json, sys, {}; print(json.dumps(sorted(sys.modules)))"


def test_importing_the_package_stays_light():
    imported = {name.partition(".")[0] for name in run(LISTED.format("vaegmm"))}
    assert {"vaegmm", "torch", "numpy"} <= imported
    assert not imported & {"streamlit", "torchvision", "plotly", "pandas", "PIL"}


def test_comparing_needs_no_torch():
    imported = imported_with("comparison")
    assert "comparison" in imported and not imported & {"runs", "training"}


def test_help_does_not_wait_for_torch():
    imported = {name.partition(".")[0] for name in run(IMPORT_ALONE, str(ROOT), "vaegmm", "cli")}
    assert "torch" not in imported

"""The rules that keep the house in order, read from the source."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(path for part in ("dlcore", "ui", "pages") for path in (ROOT / part).rglob("*.py"))
HEAVY = {"torch", "torchvision", "sklearn", "torchmetrics", "captum", "optuna", "numba", "safetensors"}
LONGEST_PAGE = 80


@cache
def imports(path: Path, *, top_only: bool = False) -> set[str]:
    """Full names of what a module imports; with ``top_only`` what is imported as it is imported itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in top_level(tree) if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative imports hide where a module comes from"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def top_level(tree: ast.Module):
    """Statements that run on import: not in functions, not under ``if TYPE_CHECKING``."""
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop()
        checking = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) or checking:
            continue
        yield node
        todo.extend(ast.iter_child_nodes(node))


def roots(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def of(folder: str) -> list[Path]:
    return [path for path in SOURCES if path.is_relative_to(ROOT / folder)]


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", of("dlcore"), ids=ids)
def test_dlcore_stands_alone(path):
    assert not roots(imports(path)) & {"streamlit", "ui", "pages", "app"}


@pytest.mark.parametrize("path", of("ui"), ids=ids)
def test_ui_does_not_know_the_pages(path):
    assert not roots(imports(path)) & {"pages", "app"}


@pytest.mark.parametrize("path", of("pages"), ids=ids)
def test_pages_import_the_kit_and_nothing_of_each_other(path):
    assert "pages" not in roots(imports(path))
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_PAGE


@pytest.mark.parametrize("path", of("dlcore/figures"), ids=ids)
def test_figures_are_pure(path):
    names = imports(path)
    allowed = {"plotly", "numpy", "dlcore"} | set(sys.stdlib_module_names)
    assert roots(names) <= allowed
    ours = {name for name in names if name.startswith("dlcore.")}
    assert all(name.startswith(("dlcore.figures", "dlcore.texts")) for name in ours), ours


@pytest.mark.parametrize("path", [p for p in SOURCES if "jobs" not in p.parts], ids=ids)
def test_only_jobs_knows_the_cluster(path):
    assert not roots(imports(path)) & {"distributed", "dask"}


@pytest.mark.parametrize("path", [*of("ui"), *of("pages"), *of("dlcore/jobs"), ROOT / "app.py"], ids=ids)
def test_what_the_web_process_runs_imports_nothing_heavy(path):
    used = imports(path, top_only=path.is_relative_to(ROOT / "dlcore"))
    assert not roots(used) & HEAVY


def test_configs_and_figures_import_without_torch_streamlit_and_dask():
    """In a fresh process, as the web process and a notebook without them would."""
    code = (
        "import sys, importlib, pkgutil\n"
        "from dlcore.experiments import NAMES, experiment\n"
        "import dlcore.figures\n"
        "[experiment(name).Config() for name in NAMES]\n"
        "[importlib.import_module(m.name) for m in pkgutil.iter_modules(dlcore.figures.__path__, 'dlcore.figures.')]\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & (HEAVY | {"streamlit", "distributed", "dask"})


def test_app_is_small():
    assert len((ROOT / "app.py").read_text().splitlines()) < 40


def test_streamlit_is_held_where_its_hidden_option_is_known():
    """``runner.postScriptGC`` is not documented: look again before another minor version is allowed."""
    from streamlit import config

    assert "runner.postScriptGC" in config._config_options_template
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert settings["runner"]["postScriptGC"] is False
    pin = re.search(r"^streamlit>=(\d+)\.(\d+)(?:\.\d+)?,<(\d+)\.(\d+)$", (ROOT / "requirements.txt").read_text(), re.M)
    assert pin, "requirements.txt holds streamlit to one minor version"
    low_major, low_minor, high_major, high_minor = map(int, pin.groups())
    assert (high_major, high_minor) == (low_major, low_minor + 1)


def test_nothing_is_loaded_from_elsewhere():
    """No page asks another server for a script, a style or a font."""
    for path in [*(ROOT / "assets" / "components").rglob("*.*"), *of("ui"), ROOT / ".streamlit" / "config.toml"]:
        text = path.read_text(encoding="utf-8")
        loads = re.findall(r"""(?:src=|import\s*\(?|from|url\()\s*["']?(https?://[^"')\s]+)""", text)
        assert loads == [], f"{ids(path)} loads {loads}"

"""What CI makes of a report on known vulnerabilities."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parent.parent / ".ci" / "audit.py"
REPORT = {
    "dependencies": [
        {"name": "left", "version": "1", "vulns": [{"id": "GHSA-1", "fix_versions": ["2"], "aliases": ["CVE-1"]}]},
        {"name": "right", "version": "1", "vulns": [{"id": "GHSA-2", "fix_versions": [], "aliases": []}]},
        {"name": "ours", "skip_reason": "not on the index"},
    ]
}


@pytest.fixture(scope="module")
def audit():
    spec = importlib.util.spec_from_file_location("audit", PATH)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_has_a_fix_must_be_mended(audit):
    assert audit.to_mend(REPORT, []) == ["left 1: GHSA-1, fixed in ['2']"]
    assert audit.to_mend(REPORT, ["CVE-1"]) == [], "an exception may name an alias"
    assert audit.to_mend(REPORT, ["GHSA-2"]) != []


def test_an_exception_needs_a_reason(audit):
    assert audit.ignored(["# a comment", "", "GHSA-1 we do not call it  # since May"]) == {
        "GHSA-1": "we do not call it"
    }
    with pytest.raises(ValueError, match="GHSA-2"):
        audit.ignored(["GHSA-2"])
    audit.ignored(audit.IGNORED.read_text(encoding="utf-8").splitlines())


UNKNOWN = '{"dependencies": [{"name": "left", "skip_reason": "not found on PyPI"}]}'


@pytest.mark.parametrize("says", ["echo cannot reach the service >&2; exit 1", "exit 0", f"echo '{UNKNOWN}'"])
def test_without_its_service_nothing_fails(audit, says, tmp_path, monkeypatch, capsys):
    program = tmp_path / "bin" / "pip-audit"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{says}\n")
    program.chmod(0o755)
    monkeypatch.setattr(audit.sys, "argv", ["audit", str(tmp_path)])
    assert audit.main() == 0
    assert "skipped" in capsys.readouterr().out


def test_a_vulnerability_with_a_fix_fails(audit, monkeypatch, capsys):
    monkeypatch.setattr(audit.sys, "argv", ["audit", "."])
    monkeypatch.setattr(audit, "audit", lambda folder: REPORT)
    assert audit.main() == 1
    assert "left 1" in capsys.readouterr().out

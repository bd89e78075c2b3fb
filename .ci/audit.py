"""Known vulnerabilities of the installed packages, by pip-audit: fails on one that has a fix and is not excepted.

Usage: ``python .ci/audit.py FOLDER``: the folder keeps pip-audit's own environment. Where pip-audit cannot be had, or
its service cannot be reached, that is said and nothing fails: a CI machine without network must go on.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

IGNORED = Path(__file__).with_name("audit-ignore.txt")
SECONDS = 180


def ignored(lines: Iterable[str]) -> dict[str, str]:
    """Exceptions by id: ``GHSA-… why``. Raises ``ValueError`` for one without a reason."""
    found = {}
    for line in lines:
        name, _, reason = line.partition("#")[0].strip().partition(" ")
        if name and not reason.strip():
            raise ValueError(f"{name} is to be ignored, but nobody says why")
        if name:
            found[name] = reason.strip()
    return found


def to_mend(report: Mapping[str, Any], except_for: Iterable[str]) -> list[str]:
    """What must be mended, a line each: vulnerabilities with a fix, less those that are excepted (by id or alias)."""
    lines, left_out = [], set(except_for)
    for package in report["dependencies"]:
        for one in package.get("vulns", ()):
            if one["fix_versions"] and not left_out & {one["id"], *one.get("aliases", ())}:
                lines.append(f"{package['name']} {package['version']}: {one['id']}, fixed in {one['fix_versions']}")
    return lines


def audit(folder: Path) -> Mapping[str, Any]:
    """pip-audit's report on this interpreter's packages. Raises ``OSError`` or ``ValueError`` where there is none."""
    program = folder / "bin" / "pip-audit"
    if not program.exists():
        venv.create(folder, with_pip=True, clear=True)
        _run([str(folder / "bin" / "pip"), "install", "-q", "pip-audit"])
    where = sysconfig.get_path("purelib")
    report = json.loads(_run([str(program), "--path", where, "--format", "json", "--progress-spinner", "off"]))
    if not known(report):
        raise ValueError("the service knows none of them: it is not the real one")
    return report


def known(report: Mapping[str, Any]) -> int:
    """How many packages the service could say something of."""
    return sum("skip_reason" not in package for package in report["dependencies"])


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as late:
        raise OSError(f"{Path(command[0]).name} took more than {SECONDS} s") from late
    if done.returncode and not done.stdout.lstrip().startswith("{"):  # 1 with a report: something was found
        words = re.sub(r"\s+", " ", done.stderr).strip()
        raise OSError(f"{Path(command[0]).name}: {words[-200:] or done.returncode}")
    return done.stdout


def main() -> int:
    """Audit, and tell."""
    try:
        report = audit(Path(sys.argv[1]))
    except (OSError, ValueError, KeyError) as error:
        print(f"skipped: packages are not audited here ({error})")
        return 0
    mend = to_mend(report, ignored(IGNORED.read_text(encoding="utf-8").splitlines()))
    count = f"{known(report)} of {len(report['dependencies'])} packages audited"
    print("\n".join(mend) or f"{count}, none with a known vulnerability that has a fix")
    return 1 if mend else 0


if __name__ == "__main__":
    sys.exit(main())

"""What a type checker sees: the stub says what the module has, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conftest import ROOT

HERE = Path(__file__).resolve().parent


def check(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy_finds_nothing_in_the_package_its_tests_and_examples() -> None:
    check("mypy", "--strict", "tests", ROOT / "examples" / "python", "python/jwtauth/_errors.py")


def test_the_stub_is_the_module() -> None:
    check("mypy.stubtest", "jwtauth", "--allowlist", HERE / "stubtest_allowlist.txt")

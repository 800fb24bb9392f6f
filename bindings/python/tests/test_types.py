"""The type stub: it declares exactly what the module has."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
import textwrap
from pathlib import Path

from conftest import PATIENCE, ROOT

from jwtauth import _jwtauth

HERE = Path(__file__).resolve().parent
STUB = HERE.parent / "python" / "jwtauth" / "_jwtauth.pyi"


def check(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy_finds_nothing_in_the_package_its_tests_and_examples() -> None:
    sources = sorted((HERE.parent / "python" / "jwtauth").rglob("*.py"))
    check("mypy", "--strict", "tests", ROOT / "examples" / "python", *sources)


def test_the_stub_is_the_module() -> None:
    check("mypy.stubtest", "jwtauth", "--allowlist", HERE / "stubtest_allowlist.txt")


def test_the_stub_has_the_documentation_of_the_module() -> None:
    """Editors read only the stub. UPDATE_GENERATED=1 writes it instead of comparing it."""
    text = STUB.read_text(encoding="utf-8")
    expected = documented(text)
    if os.environ.get("UPDATE_GENERATED"):
        STUB.write_text(expected, encoding="utf-8")
    else:
        assert text == expected, f"{STUB} is out of date: UPDATE_GENERATED=1 make test-python"


def documented(stub: str) -> str:
    """The stub with exactly the docstrings of the module."""
    lines = stub.splitlines(keepends=True)
    places: list[tuple[ast.ClassDef | ast.FunctionDef, object]] = []
    for part in ast.parse(stub).body:
        if isinstance(part, ast.ClassDef) and hasattr(_jwtauth, part.name):
            kind = getattr(_jwtauth, part.name)
            places.append((part, kind))
            # The docstring of a class also documents its constructor; operators need none.
            members = (member for member in part.body if isinstance(member, ast.FunctionDef))
            places.extend((member, getattr(kind, member.name)) for member in members if member.name[0] != "_")
    for node, thing in reversed(places):
        first = node.body[0]
        documentation = inspect.getdoc(thing)
        assert documentation, node.name
        indent = " " * (node.col_offset + 4)
        closing = "\n" if "\n" in documentation else ""
        words = textwrap.indent(f'"""{documentation}{closing}"""', indent, lambda line: bool(line.strip())) + "\n"
        assert first.end_lineno is not None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            # `...` after the colon, or an older docstring below.
            if first.lineno == first.end_lineno and lines[first.lineno - 1].rstrip().endswith(": ..."):
                words = lines[first.lineno - 1].rstrip().removesuffix(" ...") + "\n" + words
            lines[first.lineno - 1 : first.end_lineno] = [words]
        else:
            lines.insert(node.body[0].lineno - 1 - len(getattr(first, "decorator_list", [])), words + "\n")
    return "".join(lines)

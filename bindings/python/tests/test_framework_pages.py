"""The programs on the pages about frameworks do what the pages say, on real servers."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
from conftest import CONFIG, PATIENCE, ROOT, token

PAGES = ROOT / "docs" / "frameworks"

# A page's program is served with the command that the page shows. The pages about Django show none.
WSGI = "gunicorn django.core.wsgi:get_wsgi_application()"
ASGI = "uvicorn --factory django.core.asgi:get_asgi_application"
CASES = [
    *((page, None) for page in ("asgi", "fastapi", "starlette", "wsgi", "flask")),
    ("django", WSGI),
    ("django", ASGI),
    ("rest-framework", WSGI),
]


def get(address: tuple[str, int], path: str, bearer: str | None) -> tuple[int, object]:
    connection = http.client.HTTPConnection(*address, timeout=PATIENCE)
    connection.request("GET", path, headers={} if bearer is None else {"Authorization": f"Bearer {bearer}"})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text) if response.status == 200 else None


def reported_port(log: IO[str]) -> int:
    """The port that a server has chosen, from its log."""
    lines = []
    for line in log:
        lines.append(line)
        if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
            return int(found[1])
    raise AssertionError("".join(lines))


@pytest.mark.parametrize(("page", "command"), CASES, ids=[f"{page} {command}" for page, command in CASES])
def test_the_program_of_a_page_runs(page: str, command: str | None, tmp_path: Path) -> None:
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    files = re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert files
    for name, content in files:
        (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "verifier.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    shown = re.findall(r"^```sh\n(.*)\n```$", text, re.MULTILINE)
    assert len(shown) == (command is None)
    server, *arguments = (command or shown[0]).split()
    with subprocess.Popen(
        [Path(sys.executable).parent / server, *arguments],
        cwd=tmp_path,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "settings",
            "PYTHONPATH": str(tmp_path),
            "UVICORN_PORT": "0",
            "GUNICORN_CMD_ARGS": "--bind 127.0.0.1:0 --no-control-socket",
        },
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        log = process.stderr
        assert log is not None
        try:
            address = ("127.0.0.1", reported_port(log))
            asked = {
                (path, who): get(address, path, bearer)
                for path in ("/", "/reports")
                for who, bearer in (("alice", token()), ("a guest", token(groups=[])), ("an old token", token(exp=1)), ("no token", None))
            }
            health = get(address, "/health", None) if "/health" in text or '"health"' in text else None
        finally:
            process.terminate()
            logged = log.read()
    assert asked == {
        ("/", "alice"): (200, "alice"),
        ("/", "a guest"): (200, "alice"),
        ("/", "an old token"): (401, None),
        ("/", "no token"): (401, None),
        ("/reports", "alice"): (200, ["first", "second"]),
        ("/reports", "a guest"): (403, None),
        ("/reports", "an old token"): (401, None),
        ("/reports", "no token"): (401, None),
    }, logged
    assert health in (None, (200, "up"))


def test_every_page_about_python_is_tested() -> None:
    with_programs = {page.stem for page in PAGES.glob("*.md") if "```python\n# " in page.read_text(encoding="utf-8")}
    assert with_programs == {page for page, _ in CASES}

"""The programs on the pages about frameworks do what the pages say, on real servers."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CONFIG, PATIENCE, ROOT, token

PAGES = ROOT / "docs" / "frameworks"
SERVE = Path(__file__).parent / "frameworks" / "serve.py"

# How each page's program is served.
UVICORN = [str(SERVE), "app:app"]
GUNICORN = ["-m", "gunicorn", "--no-control-socket", "app:app"]
DJANGO = ["-m", "gunicorn", "--no-control-socket", "django.core.wsgi:get_wsgi_application()"]
DJANGO_ASGI = [str(SERVE), "django.core.asgi:get_asgi_application()"]
SERVERS = {
    "asgi": UVICORN,
    "fastapi": UVICORN,
    "starlette": UVICORN,
    "wsgi": GUNICORN,
    "flask": GUNICORN,
    "django": DJANGO,
    "rest-framework": DJANGO,
}
CASES = [*SERVERS.items(), ("django", DJANGO_ASGI)]


def get(address: tuple[str, int], path: str, bearer: str | None) -> tuple[int, object]:
    connection = http.client.HTTPConnection(*address, timeout=PATIENCE)
    connection.request("GET", path, headers={} if bearer is None else {"Authorization": f"Bearer {bearer}"})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text) if response.status == 200 else None


@pytest.mark.parametrize(("page", "server"), CASES, ids=[f"{page} {server[-1]}" for page, server in CASES])
def test_the_program_of_a_page_runs(page: str, server: list[str], tmp_path: Path) -> None:
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    files = re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert files
    for name, content in files:
        (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "verifier.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as listener, (tmp_path / "log").open("w+") as log:
        bind = [str(listener.fileno())] if "serve.py" in server[0] else ["--bind", f"fd://{listener.fileno()}"]
        process = subprocess.Popen(
            [sys.executable, *server, *bind],
            cwd=tmp_path,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(tmp_path)},
            pass_fds=[listener.fileno()],
            stdout=log,
            stderr=log,
        )
        address: tuple[str, int] = listener.getsockname()[:2]
    try:
        asked = {
            (path, who): get(address, path, bearer)
            for path in ("/", "/reports")
            for who, bearer in (("alice", token()), ("a guest", token(groups=[])), ("an old token", token(exp=1)), ("no token", None))
        }
        health = get(address, "/health", None) if "/health" in text or '"health"' in text else None
    finally:
        process.terminate()
        process.wait(PATIENCE)
    assert asked == {
        ("/", "alice"): (200, "alice"),
        ("/", "a guest"): (200, "alice"),
        ("/", "an old token"): (401, None),
        ("/", "no token"): (401, None),
        ("/reports", "alice"): (200, ["first", "second"]),
        ("/reports", "a guest"): (403, None),
        ("/reports", "an old token"): (401, None),
        ("/reports", "no token"): (401, None),
    }, (tmp_path / "log").read_text()
    assert health in (None, (200, "up"))


def test_every_page_about_python_is_tested() -> None:
    with_programs = {page.stem for page in PAGES.glob("*.md") if "```python\n# " in page.read_text(encoding="utf-8")}
    assert with_programs == set(SERVERS)

"""The configuration on the page about nginx works, and the page names every directive and variable."""

from __future__ import annotations

import re
from pathlib import Path

from conftest import MODULE, ROOT, Site, Upstream, token

PAGE = (ROOT / "docs" / "frameworks" / "nginx.md").read_text(encoding="utf-8")
SOURCES = ROOT / "bindings" / "nginx" / "src"


def blocks() -> list[str]:
    return re.findall(r"^```nginx\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_configuration_of_the_page_works(site: Site, upstream: Upstream) -> None:
    text = blocks()[0]
    assert "load_module modules/ngx_http_jwtauth_module.so;" in text
    http, server = re.fullmatch(r".*?http \{\n(.*?)    server \{\n.*?;\n(.*)    \}\n\}\n", text, re.DOTALL).groups()  # type: ignore[union-attr]
    nginx = site.start(server.replace("http://127.0.0.1:3000", upstream.url), http)
    assert nginx.ask("/").challenge == ['Bearer realm="reports"']
    received = nginx.ask("/", token(), headers=[("X-User", "mallory"), ("X-Roles", "admin")]).text
    assert "X-User: alice" in received and "X-Roles: editor" in received and "mallory" not in received
    assert nginx.ask("/admin/", token()).status == 403
    assert nginx.ask("/public/").status == 200
    assert Path(MODULE).exists()


def test_the_error_page_of_the_page_works(site: Site) -> None:
    nginx = site.start(f"jwtauth_config verifier.json; jwtauth on; {blocks()[1]}")
    answer = nginx.ask("/")
    assert (answer.status, answer.text) == (401, '{"code":"token_missing"}')
    assert len(answer.challenge) == 1


def test_the_page_names_every_directive_and_variable() -> None:
    directives = re.findall(r'\{ngx_string\("(jwtauth\w*)"\), (?:ANYWHERE|NGX)', (SOURCES / "ngx_http_jwtauth_module.c").read_text())
    variables = re.findall(r'\{ngx_string\("(jwtauth\w*)"\), NULL', (SOURCES / "ngx_http_jwtauth_variables.c").read_text())
    assert len(directives) == 6 and len(variables) == 13
    for name in directives:
        assert re.search(rf"^\| `{name} ", PAGE, re.MULTILINE), name
    for name in variables:
        assert f"`${name}{'NAME' if name.endswith('_') else ''}`" in PAGE, name

"""How the check goes together with nginx's other checks, subrequests and internal redirects."""

from __future__ import annotations

import json

from conftest import NOW, PUBLIC_TOKEN, KeyServer, Site, Upstream, changed, remote, token

DONE = "location @done { return 204; }"


def test_satisfy_any_lets_in_whom_one_check_lets_in(site: Site) -> None:
    site.write("users", "alice:{PLAIN}secret\n")
    nginx = site.start(f"""
        {DONE}
        jwtauth_config verifier.json;
        location /address {{ satisfy any; allow 127.0.0.1; deny all; jwtauth on; try_files /none @done; }}
        location /token {{ satisfy any; deny all; jwtauth on; jwtauth_require role=editor; try_files /none @done; }}
        location /basic {{ satisfy any; auth_basic b; auth_basic_user_file users; jwtauth on; try_files /none @done; }}
        location /all {{ deny all; jwtauth on; try_files /none @done; }}
        location /both {{ allow 127.0.0.1; deny all; jwtauth on; try_files /none @done; }}
    """)
    good, poor = token(), token(groups=[])
    assert nginx.ask("/address").status == 204
    assert nginx.ask("/address", "x").challenge == []
    assert [nginx.ask("/token", one).status for one in (good, poor, "x", None)] == [204, 403, 401, 401]
    answer = nginx.ask("/basic", good)
    assert (answer.status, answer.challenge) == (204, [])
    answer = nginx.ask("/basic", headers=[("Authorization", "Basic YWxpY2U6c2VjcmV0")])
    assert (answer.status, answer.challenge) == (204, [])
    answer = nginx.ask("/basic")
    assert answer.status == 401
    assert sorted(one.split()[0] for one in answer.challenge) == ["Basic", "Bearer"]
    assert nginx.ask("/all", good).status == 403
    assert [nginx.ask("/both", one).status for one in (good, "x", None)] == [204, 401, 401]


def test_an_address_that_is_denied_costs_no_decision(site: Site) -> None:
    nginx = site.start("jwtauth_config verifier.json; location / { deny all; jwtauth on; }")
    assert nginx.ask("/", "x").status == 403
    # nginx has written all lines when it has ended.
    site.stack.close()
    assert not [line for line in nginx.lines if "jwtauth: " in line]


def test_an_internal_redirect_is_decided_by_the_next_location(site: Site, upstream: Upstream) -> None:
    (site.directory / "html").mkdir()
    (site.directory / "html" / "index.html").write_text("index", encoding="utf-8")
    site.write("other.json", changed(issuer="https://other.example"))
    nginx = site.start(f"""
        {DONE}
        jwtauth_config verifier.json;
        location / {{ jwtauth on; index index.html; }}
        location /to-admin {{ jwtauth on; try_files /none /admin; }}
        location /open-to-admin {{ try_files /none /admin; }}
        location /to-other {{ jwtauth on; try_files /none /other; }}
        location /admin {{ jwtauth_require role=admin; try_files /none @done; }}
        location /other {{ jwtauth_config other.json; jwtauth on; try_files /none @done; }}
        location /rewritten {{ rewrite ^ /admin last; }}
        location /accel {{ proxy_pass {upstream.url}; jwtauth on; error_page 404 = /admin; try_files /none =404; }}
        location /login {{ jwtauth on; error_page 401 /login; }}
    """)
    assert nginx.ask("/").status == 401
    assert nginx.ask("/", token()).text == "index"
    for path in ("/to-admin", "/open-to-admin", "/rewritten", "/accel"):
        assert nginx.ask(path, token()).status == 403, path
        assert nginx.ask(path).status == 401, path
    answer = nginx.ask("/to-other", token())
    assert answer.status == 401
    # One challenge, also if two locations have refused the request.
    assert len(nginx.ask("/login").challenge) == 1


SSI = """
    location /page { ssi on; ssi_types *; jwtauth on; }
    location /part { jwtauth on; }
    location /secret { jwtauth_require role=admin; }
    location /open { }
"""


def page(site: Site, *parts: str) -> None:
    folder = site.directory / "html"
    folder.mkdir()
    includes = "".join(f'<!--# include virtual="{part}" -->|' for part in parts)
    (folder / "page").write_text(includes, encoding="utf-8")
    for name in ("part", "secret", "open"):
        (folder / name).write_text(name, encoding="utf-8")


def test_subrequests_are_decided_by_their_location(site: Site) -> None:
    page(site, "/part", "/secret", "/open")
    nginx = site.start("jwtauth_config verifier.json;" + SSI)
    assert nginx.ask("/page").status == 401
    text = nginx.ask("/page", token()).text
    assert text.startswith("part|") and text.endswith("open|")
    assert "secret|" not in text and "403 Forbidden" in text


def test_a_subrequest_shares_the_decision_of_its_request(site: Site, key_server: KeyServer) -> None:
    page(site, "/part", "/part", "/open")
    site.write("remote.json", remote(key_server.url, cache_ttl="0s"))
    nginx = site.start("jwtauth_config remote.json;" + SSI)
    nginx.wait_for("jwtauth: the keys of .* were renewed")
    # Every decision fetches.
    for number in (2, 3):
        assert nginx.ask("/page", PUBLIC_TOKEN).text == "part|part|open|"
        assert key_server.requests == number


def test_a_subrequest_of_a_request_without_a_check_is_decided(site: Site) -> None:
    page(site, "/part", "/part", "/open")
    nginx = site.start("jwtauth_config verifier.json;" + SSI.replace("ssi_types *; jwtauth on;", "ssi_types *;"))
    text = nginx.ask("/page", "x").text
    assert text.count("<h1>401 Authorization Required</h1>") == 2 and text.endswith("open|")
    assert nginx.ask("/page", token()).text == "part|part|open|"


def test_a_subrequest_is_decided_though_an_address_let_its_request_in(site: Site) -> None:
    """The location of the subrequest may accept other addresses, and nginx compares none of them."""
    page(site, "/part", "/secret", "/strict", "/open")
    (site.directory / "html" / "strict").write_text("strict", encoding="utf-8")
    nginx = site.start("""
        satisfy any;
        jwtauth_config verifier.json;
        jwtauth on;
        location /page { allow 127.0.0.1; deny all; ssi on; ssi_types *; }
        location /part { allow 127.0.0.1; deny all; }
        location /secret { deny all; }
        location /strict { deny all; jwtauth_require role=admin; }
        location /open { allow 127.0.0.1; deny all; jwtauth off; }
    """)
    assert [nginx.ask(path).status for path in ("/page", "/part", "/secret", "/strict")] == [200, 200, 401, 401]
    for bearer in (None, "x"):
        text = nginx.ask("/page", bearer).text
        assert text.count("<h1>401 Authorization Required</h1>") == 3 and text.endswith("|open|"), bearer
    text = nginx.ask("/page", token()).text
    assert text.startswith("part|secret|") and "<h1>403 Forbidden</h1>" in text and text.endswith("|open|")


def test_a_subrequest_is_decided_though_a_password_let_its_request_in(site: Site) -> None:
    page(site, "/part", "/secret")
    site.write("users", "alice:{PLAIN}secret\n")
    site.write("others", "bob:{PLAIN}secret\n")
    nginx = site.start("""
        satisfy any;
        jwtauth_config verifier.json;
        jwtauth on;
        auth_basic b;
        auth_basic_user_file users;
        location /page { ssi on; ssi_types *; }
        location /secret { auth_basic_user_file others; }
    """)
    password = [("Authorization", "Basic YWxpY2U6c2VjcmV0")]
    assert [nginx.ask(path, headers=password).status for path in ("/page", "/part", "/secret")] == [200, 200, 401]
    assert nginx.ask("/page", headers=password).text.count("<h1>401 Authorization Required</h1>") == 2
    assert nginx.ask("/page", token()).text == "part|secret|"


def test_auth_request_with_satisfy_any_lets_in_nobody_without_a_grant(site: Site, upstream: Upstream) -> None:
    """Its subrequest runs before the request is let in."""
    nginx = site.start(f"""
        {DONE}
        satisfy any;
        deny all;
        jwtauth_config verifier.json;
        jwtauth on;
        location /app {{ auth_request /ask; try_files /none @done; }}
        location /strict {{ jwtauth_require role=admin; auth_request /ask; try_files /none @done; }}
        location /same {{ jwtauth_require role=admin; auth_request /ask-admin; try_files /none @done; }}
        location /moved {{ auth_request /ask-moved; try_files /none @done; }}
        location = /ask {{ internal; proxy_pass {upstream.url}; }}
        location = /ask-admin {{ internal; jwtauth_require role=admin; proxy_pass {upstream.url}; }}
        location = /ask-moved {{ internal; jwtauth off; try_files /none /ask; }}
    """)
    good = token()
    for path in ("/app", "/moved"):
        assert [nginx.ask(path, one).status for one in (None, "x", token(exp=NOW - 600), good)] == [401, 401, 401, 204], path
    # What its own location asks for is enough: this is `satisfy any`.
    assert [nginx.ask("/strict", one).status for one in (None, "x", good)] == [401, 401, 204]
    assert [nginx.ask("/same", one).status for one in (None, "x", good)] == [401, 401, 403]


def test_no_redirect_of_an_upstream_leads_around_the_check(site: Site) -> None:
    page(site, "/to-secret", "/to-named", "/to-error-page")
    nginx = site.start("""
        jwtauth_config verifier.json;
        location /page { ssi on; ssi_types *; }
        location /to-secret { proxy_pass http://127.0.0.1:$server_port/redirects; }
        location /to-named { proxy_pass http://127.0.0.1:$server_port/redirects-to-named; }
        location /to-error-page { error_page 404 = /secret; root none; }
        location = /redirects { add_header X-Accel-Redirect /secret; return 204; }
        location = /redirects-to-named { add_header X-Accel-Redirect @secret; return 204; }
        location /added { addition_types *; add_before_body /secret; try_files /open =404; }
        location /secret { internal; jwtauth on; }
        location @secret { jwtauth on; try_files /secret =404; }
    """)
    for path in ("/to-secret", "/to-named", "/to-error-page"):
        assert [nginx.ask(path, one).status for one in (None, "x", token())] == [401, 401, 200], path
    for path, text in (("/page", "secret|" * 3), ("/added", "secretopen")):
        for bearer in (None, "x"):
            answer = nginx.ask(path, bearer)
            assert (answer.status, "secret" in answer.text) == (200, False), path
        assert nginx.ask(path, token()).text == text


def test_webdav_copies_to_where_the_check_of_its_own_location_lets_it(site: Site) -> None:
    """nginx maps the destination to a file, and asks no location about it."""
    page(site)
    (site.directory / "html" / "strict").mkdir()
    nginx = site.start("""
        jwtauth_config verifier.json;
        jwtauth on;
        dav_methods COPY;
        location / { jwtauth off; }
        location /strict { jwtauth_require role=admin; }
    """)
    (site.directory / "html" / "strict" / "file").write_text("file", encoding="utf-8")
    assert nginx.ask("/strict/file", token(), method="COPY", headers=[("Destination", "/taken")]).status == 403
    assert nginx.ask("/open", method="COPY", headers=[("Destination", "/strict/new")]).status == 204


def test_auth_request_and_the_check_are_independent(site: Site, upstream: Upstream) -> None:
    nginx = site.start(f"""
        {DONE}
        jwtauth_config verifier.json;
        location = /ask {{ internal; jwtauth inner; proxy_pass {upstream.url}; }}
        location /outer {{ auth_request /ask; try_files /none @done; }}
        location /both {{ auth_request /ask; jwtauth on; try_files /none @done; }}
        location /strict {{ auth_request /ask; jwtauth_require role=admin; try_files /none @done; }}
        location /open {{ auth_request /free; jwtauth on; try_files /none @done; }}
        location = /free {{ internal; proxy_pass {upstream.url}; }}
    """)
    for path in ("/outer", "/both", "/open"):
        assert [nginx.ask(path, one).status for one in (token(), token(exp=NOW - 600), None)] == [204, 401, 401], path
    assert nginx.ask("/outer").challenge == ['Bearer realm="inner"']
    assert nginx.ask("/strict", token()).status == 403


def test_a_mirror_gets_the_variables_only_with_a_check(site: Site, upstream: Upstream) -> None:
    nginx = site.start(f"""
        jwtauth_config verifier.json;
        location / {{ mirror /copy; mirror_request_body off; jwtauth on; proxy_set_header X-Name $jwtauth_name; proxy_pass {upstream.url}; }}
        location = /copy {{ internal; jwtauth on; proxy_set_header X-Name $jwtauth_name; proxy_pass {upstream.url}; }}
    """)
    assert any("X-Name: alice" in line for line in json.loads(nginx.ask("/", token()).text))


def test_a_body_arrives_after_the_check(site: Site, upstream: Upstream) -> None:
    nginx = site.start(f"jwtauth_config verifier.json; jwtauth on; proxy_pass {upstream.url};".replace("proxy_pass", "location / { proxy_pass") + "}")
    connection = nginx.connection()
    for bearer, status in ((token(), 200), ("x", 401)):
        connection.request("POST", "/", body=b"x" * 100_000, headers={"Authorization": f"Bearer {bearer}"})
        response = connection.getresponse()
        assert response.status == status
        response.read()
    connection.close()

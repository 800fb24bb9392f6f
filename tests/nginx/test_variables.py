"""Variables: they come from a grant only, and no claim can add a header or an element of a list."""

from __future__ import annotations

import json

from conftest import NOW, Site, Upstream, changed, token

NAMES = [
    "name",
    "subject",
    "email",
    "display_name",
    "profile",
    "group",
    "role",
    "policy",
    "metadata_team",
    "list_teams",
    "claim_sub",
    "claim_groups",
    "claim_admin",
    "claim_level",
    "claim_realm",
    "claim_missing",
    "claim_departmentid",
    "claim_empty",
    "class",
    "code",
]


def forwarding(upstream: Upstream) -> str:
    headers = "".join(f"proxy_set_header X-{name.replace('_', '-')} $jwtauth_{name};\n" for name in NAMES)
    return f"{headers} proxy_set_header X-set-department $department; proxy_set_header X-set-team $team; proxy_pass {upstream.url};"


SET = "jwtauth_set $department /claims/departmentId; jwtauth_set $team /claims/realm/team;"


def received(text: str) -> dict[str, str]:
    """The headers with X- that the upstream got; each of them once."""
    pairs = [line.rstrip("\r\n").split(": ", 1) for line in json.loads(text)[1:]]
    found = [(name.lower(), value) for name, value in pairs if name.lower().startswith("x-")]
    assert len(found) == len(dict(found))
    return dict(found)


def test_a_grant_sets_the_variables(site: Site, upstream: Upstream) -> None:
    nginx = site.start(f"jwtauth_config verifier.json; jwtauth on; location / {{ {forwarding(upstream)} }}", SET)
    # A client cannot set what the grant does not have.
    forged = [("X-Display-Name", "forged"), ("X-Claim-Missing", "forged"), ("x-name", "forged"), ("X-Code", "forged")]
    assert received(nginx.ask("/", token(empty=""), headers=forged).text) == {
        "x-name": "alice",
        "x-subject": "alice",
        "x-email": "alice@example.com",
        "x-group": "staff,ops",
        "x-role": "editor",
        "x-policy": "web-read",
        "x-metadata-team": "blue",
        "x-list-teams": "staff,ops",
        "x-claim-sub": "alice",
        "x-claim-groups": "staff,ops",
        "x-claim-admin": "true",
        "x-claim-level": "3",
        "x-claim-realm": '{"team":"blue"}',
        "x-set-department": "d-7",
        "x-set-team": "blue",
        "x-class": "granted",
    }


def test_no_claim_can_add_a_header_or_an_element(site: Site, upstream: Upstream) -> None:
    nginx = site.start(f"jwtauth_config verifier.json; jwtauth on; location / {{ {forwarding(upstream)} }}", SET)
    for claim, name, items in [
        ("a\r\nX-Admin: 1", "a%0D%0AX-Admin: 1", "a%0D%0AX-Admin: 1"),
        ("a\nX-Admin: 1\n\n", "a%0AX-Admin: 1%0A%0A", "a%0AX-Admin: 1%0A%0A"),
        ("a\t\x01\x7f\u0085", "a%09%01%7F%C2%85", "a%09%01%7F%C2%85"),
        ("50%", "50%25", "50%25"),
        ("J\u00f6rg \u4e2d\u2028\U0001f600", "J%C3%B6rg %E4%B8%AD%E2%80%A8%F0%9F%98%80", "J%C3%B6rg %E4%B8%AD%E2%80%A8%F0%9F%98%80"),
        ("a,admin", "a,admin", "a%2Cadmin"),
        (" a b ", "%20a%20b%20", "%20a%20b%20"),
        ('"\\', '"\\', '"\\'),
        ("[1,2]", "[1,2]", "[1%2C2]"),
    ]:
        got = received(nginx.ask("/", token(sub=claim, groups=[claim, "ops"], realm={"team": claim})).text)
        assert got["x-name"] == name
        assert got["x-claim-sub"] == items
        assert got["x-group"] == f"{items},ops"
        assert got["x-list-teams"] == f"{items},ops"
        assert got["x-metadata-team"] == items
        assert got["x-set-team"] == items
        assert set(got) <= {f"x-{one.replace('_', '-')}" for one in NAMES} | {"x-set-team", "x-set-department"}


def test_a_text_with_u0000_counts_as_absent(site: Site, upstream: Upstream) -> None:
    nginx = site.start(f"jwtauth_config verifier.json; jwtauth on; location / {{ {forwarding(upstream)} }}", SET)
    got = received(nginx.ask("/", token(sub="ali\0ce", groups=["a\0b", "ops"])).text)
    assert "x-name" not in got and "x-claim-sub" not in got
    assert got["x-group"] == "ops"


def test_lists_in_lists_keep_their_notation(site: Site, upstream: Upstream) -> None:
    nginx = site.start(f"jwtauth_config verifier.json; jwtauth on; location / {{ {forwarding(upstream)} }}", SET)
    got = received(nginx.ask("/", token(empty=[], missing=[1, [2, 3], {"a": "]\\\""}, None, "x"])).text)
    assert got["x-claim-missing"] == '1,[2%2C3],{"a":"]\\\\\\""},x'
    assert "x-claim-empty" not in got


def test_without_a_grant_there_are_no_variables(site: Site, upstream: Upstream) -> None:
    """In a location without a check, a valid token is an unverified one."""
    nginx = site.start(f"""
        jwtauth_config verifier.json;
        location / {{ {forwarding(upstream)} }}
        location /any {{ satisfy any; allow all; jwtauth on; {forwarding(upstream)} }}
        location /early {{ jwtauth on; if ($jwtauth_name) {{ return 500; }} set $early "$jwtauth_name"; {forwarding(upstream)} }}
        location /moved {{ jwtauth on; try_files /none @open; }}
        location @open {{ {forwarding(upstream)} }}
    """, SET)
    for bearer in (token(), token(exp=NOW - 600), "x"):
        assert received(nginx.ask("/", bearer).text) == {}
    # Another check has let the request in, so its token is not decided.
    assert received(nginx.ask("/any", token()).text) == {}
    assert received(nginx.ask("/early", token()).text)["x-name"] == "alice"
    # The location that answers has no check, so it has no grant; what happened before is for logs only.
    assert received(nginx.ask("/moved", token()).text) == {"x-class": "granted"}


def test_limits_run_before_the_check(site: Site) -> None:
    """So a key with a variable is empty, and nginx limits nothing. A server behind the check can limit each user."""
    nginx = site.start("""
        jwtauth_config verifier.json;
        location @done { return 200 "[$limit_req_status] [$limit_conn_status]"; }
        location /before { jwtauth on; limit_req zone=one; limit_conn two 1; try_files /none @done; }
        location /outer { jwtauth on; proxy_set_header X-User $jwtauth_name; proxy_pass http://127.0.0.1:$server_port/behind; }
        location /behind { limit_req zone=three; limit_conn four 1; try_files /none @done; }
    """, """
        limit_req_zone $jwtauth_name zone=one:1m rate=1r/s;
        limit_conn_zone $jwtauth_name zone=two:1m;
        limit_req_zone $http_x_user zone=three:1m rate=1r/s;
        limit_conn_zone $http_x_user zone=four:1m;
    """)
    assert nginx.ask("/before", token()).text == "[] []"
    assert nginx.ask("/outer", token()).text == "[PASSED] [PASSED]"


def test_what_the_cache_fetches_later_has_the_variables_of_its_request(site: Site) -> None:
    """nginx clones the request for a slice, and for an update in the background. Without them, users would share a key."""
    (site.directory / "html").mkdir()
    (site.directory / "html" / "file").write_text("0123456789" * 300, encoding="utf-8")
    nginx = site.start("""
        jwtauth_config verifier.json;
        proxy_cache stored;
        proxy_cache_key "$jwtauth_name $uri $slice_range";
        proxy_cache_valid 200 206 1h;
        location /sliced {
            jwtauth on;
            slice 1k;
            proxy_set_header Range $slice_range;
            proxy_set_header X-Name "$jwtauth_name $jwtauth_class";
            proxy_pass http://127.0.0.1:$server_port/file;
        }
        location /stale {
            jwtauth on;
            proxy_cache_use_stale updating;
            proxy_cache_background_update on;
            proxy_set_header X-Name "$jwtauth_name $jwtauth_class";
            proxy_pass http://127.0.0.1:$server_port/old;
        }
        location /file { access_log fetched.log fetched; }
        location /old { alias html/file; add_header X-Accel-Expires @1; access_log fetched.log fetched; }
    """, """
        log_format fetched "$uri $http_range $http_x_name";
        proxy_cache_path cache keys_zone=stored:1m;
    """)
    for name in ("alice", "bob"):
        assert len(nginx.ask("/sliced", token(sub=name)).text) == 3_000
    # The answer is stored as one that is stale already.
    for _ in range(2):
        assert len(nginx.ask("/stale", token()).text) == 3_000
    site.stack.close()
    slices = ("0-1023", "1024-2047", "2048-3071")
    assert (site.directory / "fetched.log").read_text(encoding="utf-8").splitlines() == [
        *(f"/file bytes={one} {name} granted" for name in ("alice", "bob") for one in slices),
        *(["/old - alice granted"] * 2),
    ]


def test_a_failure_sets_class_and_code_for_logs_and_error_pages(site: Site) -> None:
    nginx = site.start("""
        access_log access.log short;
        jwtauth_config verifier.json;
        location / { jwtauth on; error_page 401 403 = @refused; jwtauth_require role=editor; try_files /none @done; }
        location @refused { default_type application/json; return 401 '{"code":"$jwtauth_code"}'; }
        location @done { return 204; }
        location /open { return 204; }
    """, 'log_format short "$uri $status [$jwtauth_class] [$jwtauth_code] [$jwtauth_name]";')
    answer = nginx.ask("/", token(exp=NOW - 600))
    assert (answer.status, json.loads(answer.text)) == (401, {"code": "token_expired"})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.challenge == ['Bearer error="invalid_token", error_description="the token has expired"']
    assert json.loads(nginx.ask("/", token(groups=[])).text) == {"code": "insufficient_scope"}
    nginx.ask("/", token())
    nginx.ask("/open", token())
    # nginx writes a line after the response, and all lines before it ends.
    site.stack.close()
    log = (site.directory / "access.log").read_text(encoding="utf-8").splitlines()
    assert log == [
        "/ 401 [denied] [token_expired] [-]",
        "/ 401 [denied] [insufficient_scope] [-]",
        "/ 204 [granted] [-] [-]",
        "/open 204 [-] [-] [-]",
    ]


def test_roles_in_organisations_have_their_scope(site: Site, upstream: Upstream) -> None:
    site.write("scoped.json", changed(policies=["a,b", "c"], org_roles={"default_org": 1, "default_role": "Editor", "directory": [1]}))
    nginx = site.start(f"""
        jwtauth_config scoped.json;
        location / {{ jwtauth on; {forwarding(upstream)} }}
        location /one {{ jwtauth_require entitlement=org_role/1:Editor; {forwarding(upstream)} }}
        location /two {{ jwtauth_require entitlement=org_role/2:Editor entitlement=org_role:Editor; {forwarding(upstream)} }}
    """, SET)
    got = received(nginx.ask("/", token()).text)
    assert (got["x-policy"], got["x-role"]) == ("a%2Cb,c", "editor,1:Editor")
    assert nginx.ask("/one", token()).status == 200
    assert nginx.ask("/two", token()).status == 403

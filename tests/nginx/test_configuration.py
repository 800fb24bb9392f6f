"""Directives: where they apply, how they are inherited, and which mistakes nginx reports."""

from __future__ import annotations

import pytest
from conftest import CONFIG, Site, changed, token

DONE = "location @done { jwtauth off; return 204; }"


def let_in(status: int) -> bool:
    assert status in (204, 401, 403)
    return status == 204


def test_a_location_inherits_and_switches_off(site: Site) -> None:
    site.write("other.json", changed(issuer="https://other.example"))
    nginx = site.start(f"""
        {DONE}
        location / {{ try_files /none @done; }}
        location /open {{ jwtauth off; try_files /none @done;
            location /open/closed {{ jwtauth on; try_files /none @done; }} }}
        location /other {{ jwtauth_config other.json; try_files /none @done; }}
        location /realm {{ jwtauth inner; }}
    """, "jwtauth_config verifier.json; jwtauth outer;")
    assert not let_in(nginx.ask("/").status)
    assert let_in(nginx.ask("/", token()).status)
    assert let_in(nginx.ask("/open").status)
    assert not let_in(nginx.ask("/open/closed").status)
    assert not let_in(nginx.ask("/other", token()).status)
    assert let_in(nginx.ask("/other", token(iss="https://other.example")).status)
    assert nginx.ask("/").challenge == ['Bearer realm="outer"']
    assert nginx.ask("/realm").challenge == ['Bearer realm="inner"']
    assert nginx.ask("/open/closed").challenge == ["Bearer"]


def test_without_the_directive_nothing_is_checked(site: Site) -> None:
    nginx = site.start(f"{DONE} location / {{ jwtauth_config verifier.json; try_files /none @done; }}")
    assert let_in(nginx.ask("/").status)


def test_limit_except_can_require_a_token(site: Site) -> None:
    nginx = site.start(f"{DONE} location / {{ limit_except GET {{ jwtauth_config verifier.json; jwtauth on; }} try_files /none @done; }}")
    assert let_in(nginx.ask("/").status)
    assert nginx.ask("/", method="DELETE").status == 401
    assert nginx.ask("/", token(), method="DELETE").status == 405


REQUIREMENTS = [
    ("role=editor", True),
    ("role=viewer", False),
    ("role=Editor", False),
    ("role=viewer role=editor", True),
    ("policy=web-read", True),
    ("policy=web-write", False),
    ("group=ops", True),
    ("group=op", False),
    ("role=editor group=staff policy=web-read", True),
    ("role=editor group=other", False),
    ("role=editor group=other group=staff", True),
    ("entitlement=role:editor", True),
    ("entitlement=role/1:editor", False),
    ("entitlement=policy:web-read entitlement=role:nobody", True),
    ("entitlement=service:editor", False),
    ("claim:sub=alice", True),
    ("claim:sub=bob", False),
    ("claim:groups=ops", True),
    ("claim:groups=o", False),
    ("claim:admin=true", True),
    ("claim:admin=false", False),
    ("claim:level=3", True),
    ("claim:level=3.0", False),
    ("claim:departmentId=d-7", True),
    ("claim:departmentid=d-7", False),
    ("claim:realm=blue", False),
    ("claim:missing=x", False),
    ("claim:level=4 claim:level=3", True),
    ("claim:level=3 claim:admin=false", False),
    ("claim:https://example.com/a~b=x=y", True),
    ('"claim:quoted=a \\"b\\", c"', True),
    ("claim:quoted=a", False),
    ("claim:umlaut=ä", True),
    ("claim:mixed=null", False),
    ("claim:mixed=7", True),
    ("claim:mixed=in", False),
    ("claim:mixed=a,b", True),
    ("claim:nul=x", False),
]


def test_a_requirement_reads_the_grant(site: Site) -> None:
    places = "\n".join(
        f"location = /{number} {{ jwtauth_require {text}; try_files /none @done; }}" for number, (text, _) in enumerate(REQUIREMENTS)
    )
    nginx = site.start(f"{DONE} jwtauth_config verifier.json; jwtauth on; {places}")
    claims = {
        "https://example.com/a~b": "x=y",
        "quoted": ['a "b", c', "d\\"],
        "umlaut": ["\u00e4"],
        "mixed": [None, 7, ["in"], {"in": "in"}, "a,b"],
        "nul": ["x\0y"],
    }
    one = token(**claims)
    for number, (text, is_met) in enumerate(REQUIREMENTS):
        answer = nginx.ask(f"/{number}", one)
        assert answer.status == (204 if is_met else 403), text
        if not is_met:
            message = "the grant does not have what this request requires"
            assert answer.challenge == [f'Bearer error="insufficient_scope", error_description="{message}"']
        assert nginx.ask(f"/{number}").status == 401


def test_every_requirement_of_a_block_must_hold_and_those_of_outer_blocks_are_replaced(site: Site) -> None:
    nginx = site.start(f"""
        {DONE}
        jwtauth_config verifier.json;
        jwtauth_require role=viewer;
        location /both {{ jwtauth_require role=editor; jwtauth_require group=other; try_files /none @done; }}
        location /one {{ jwtauth_require role=editor; try_files /none @done; }}
        location /none {{ jwtauth_require off; try_files /none @done; }}
        location /off {{ jwtauth off; try_files /none @done;
            location /off/on {{ jwtauth on; try_files /none @done; }} }}
        location /outer {{ try_files /none @done; }}
    """)
    expected = {"/both": 403, "/one": 204, "/none": 204, "/off": 204, "/off/on": 403, "/outer": 403}
    assert {path: nginx.ask(path, token()).status for path in expected} == expected
    assert nginx.ask("/none").status == 401


def test_a_requirement_switches_the_check_on(site: Site) -> None:
    nginx = site.start(f"""
        {DONE}
        jwtauth off;
        location / {{ jwtauth_require role=editor; try_files /none @done; }}
    """, "jwtauth_config verifier.json;")
    assert nginx.ask("/").status == 401
    assert nginx.ask("/", token()).status == 204


def test_a_requirement_outside_of_servers_switches_the_check_on(site: Site) -> None:
    nginx = site.start(f"{DONE} location /a {{ try_files /none @done; }}", "jwtauth_config verifier.json; jwtauth_require role=viewer;")
    assert nginx.ask("/a", token()).status == 403


MISTAKES = [
    ("jwtauth on;", '"jwtauth" is on, but "jwtauth_config" is missing'),
    ("location /here { jwtauth on; }", '"jwtauth" is on in the location /here, but "jwtauth_config" is missing'),
    ("jwtauth_config none.json;", "config_invalid: the configuration is invalid: cannot read `DIRECTORY/none.json`"),
    ("jwtauth_config bad.json;", "config_invalid: the configuration is invalid: DIRECTORY/bad.json: `audience` is not known; did"),
    ('jwtauth_config "";', '"jwtauth_config" directive needs the name of a file'),
    ("jwtauth_config verifier.json; jwtauth_config verifier.json;", '"jwtauth_config" directive is duplicate'),
    ("jwtauth on; jwtauth off;", '"jwtauth" directive is duplicate'),
    ('jwtauth "";', '"jwtauth" directive must be on, off, or a realm'),
    ("jwtauth 'a\"b';", '"jwtauth" directive must be on, off, or a realm of printable ASCII'),
    ("jwtauth a\x07b;", '"jwtauth" directive must be on, off, or a realm of printable ASCII'),
    ("jwtauth_config verifier.json; jwtauth on; jwtauth_profile nobody;", 'jwtauth_profile "nobody": profile_unknown: the'),
    ("jwtauth_config roles.json; jwtauth on;", 'jwtauth_profile "": profile_missing: the request names no profile'),
    ("jwtauth_require role;", '"jwtauth_require": "role" must be role=NAME'),
    ("jwtauth_require role=;", '"jwtauth_require": "role=" must be role=NAME'),
    ("jwtauth_require roles=a;", '"jwtauth_require": "roles=a" must be role=NAME'),
    ("jwtauth_require claim:a;", '"jwtauth_require": "claim:a" must be'),
    ("jwtauth_require claim:=a;", '"jwtauth_require": "claim:=a" must be'),
    ("jwtauth_require claim:a=;", '"jwtauth_require": "claim:a=" must be'),
    ("jwtauth_require entitlement=a;", '"jwtauth_require": "entitlement=a" must be'),
    ("jwtauth_require entitlement=:a;", '"jwtauth_require": "entitlement=:a" must be'),
    ("jwtauth_require entitlement=a/:b;", '"jwtauth_require": "entitlement=a/:b" must be'),
    ("jwtauth_require entitlement=/a:b;", '"jwtauth_require": "entitlement=/a:b" must be'),
    ("jwtauth_require entitlement=a:;", '"jwtauth_require": "entitlement=a:" must be'),
    ("jwtauth_require role=a off;", '"jwtauth_require": "off" must be'),
    ("jwtauth_require role=a; jwtauth_require off;", '"jwtauth_require" directive has both "off" and requirements'),
    ("jwtauth_require off; jwtauth_require role=a;", '"jwtauth_require" directive has both "off" and requirements'),
    ("jwtauth_require;", 'invalid number of arguments in "jwtauth_require"'),
    ("jwtauth off; jwtauth_require role=a;", 'both "jwtauth_require" and "jwtauth off"'),
    ("location / { jwtauth_set $a /claims/a; }", '"jwtauth_set" directive is not allowed here'),
    ("if ($uri) { jwtauth on; }", '"jwtauth" directive is not allowed here'),
]


@pytest.mark.parametrize(("server", "problem"), MISTAKES, ids=[server for server, _ in MISTAKES])
def test_a_mistake_fails_the_test_of_the_configuration(site: Site, server: str, problem: str) -> None:
    site.write("bad.json", changed(audience=["api"]))
    site.write("roles.json", {"dialect": "vault", "config": {"jwks_url": "https://keys.example/", "roles": {}}})
    code, log = site.test(server)
    assert code == 1
    assert problem.replace("DIRECTORY", str(site.directory)) in log


@pytest.mark.parametrize(
    ("http", "problem"),
    [
        ("jwtauth_set department /claims/department;", '"jwtauth_set" directive must begin with the name of a variable'),
        ("jwtauth_set $ /claims/department;", '"jwtauth_set" directive must begin with the name of a variable'),
        ("jwtauth_set $a claims;", '"jwtauth_set" directive must end with a JSON pointer'),
        ('jwtauth_set $a "";', '"jwtauth_set" directive must end with a JSON pointer'),
        ("jwtauth_set $uri /claims/a;", 'the duplicate "uri" variable'),
        ("jwtauth_thread_pool nobody; jwtauth_config verifier.json;", 'unknown thread pool "nobody"'),
        ("jwtauth_require role=a; jwtauth off;", 'both "jwtauth_require" and "jwtauth off"'),
    ],
)
def test_a_mistake_outside_of_servers_is_found(site: Site, http: str, problem: str) -> None:
    code, log = site.test("", http)
    assert code == 1
    assert problem in log


def test_a_directive_of_the_module_needs_no_verifier(site: Site) -> None:
    code, log = site.test('jwtauth off; location / { return 200 "$jwtauth_name$jwtauth_claim_a$jwtauth_code"; }')
    assert code == 0, log


def test_the_thread_pool_can_be_chosen(site: Site) -> None:
    code, log = site.test("jwtauth_config verifier.json; jwtauth on;", "jwtauth_thread_pool keys;", "thread_pool keys threads=4;")
    assert code == 0, log


def test_a_reload_applies_a_good_configuration_and_keeps_the_old_one_after_a_bad_one(site: Site) -> None:
    server = f"{DONE} jwtauth_config verifier.json; jwtauth on; location / {{ try_files /none @done; }}"
    nginx = site.start(server)
    other = token(iss="https://other.example")
    assert [nginx.ask("/", one).status for one in (token(), other)] == [204, 401]

    site.write("verifier.json", changed(issuer="https://other.example"))
    nginx.reload("worker process .* exited with code 0")
    assert [nginx.ask("/", one).status for one in (token(), other)] == [401, 204]

    site.write("verifier.json", "{")
    line = nginx.reload(r"\[emerg\]")
    assert "jwtauth_config: config_" in line
    assert str(site.directory / "verifier.json") in line
    assert [nginx.ask("/", one).status for one in (token(), other)] == [401, 204]

    site.write("verifier.json", CONFIG)
    nginx.configure(f"{DONE} location / {{ try_files /none @done; }}")
    nginx.reload("worker process .* exited with code 0")
    assert nginx.ask("/").status == 204
    nginx.lines = [line for line in nginx.lines if "[emerg]" not in line]

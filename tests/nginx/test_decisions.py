"""Who is let in, and what the others get."""

from __future__ import annotations

import re

import pytest
from conftest import CONFIG, NOW, ROOT, Site, changed, remote, token

GUARDED = """
    location / { return 200 open; }
    location /in { jwtauth_config verifier.json; jwtauth reports; try_files /none @granted; }
    location @granted { return 200 "granted"; }
"""


def challenge(error: str, description: str) -> list[str]:
    return [f'Bearer realm="reports", error="{error}", error_description="{description}"']


def test_a_valid_token_is_let_in(site: Site) -> None:
    nginx = site.start(GUARDED)
    assert nginx.ask("/in", token()).text == "granted"


def test_a_request_without_a_token_gets_a_challenge_without_an_error(site: Site) -> None:
    nginx = site.start(GUARDED)
    for headers in ([], [("Authorization", "Basic YTpi")], [("Authorization", "Bearer")]):
        answer = nginx.ask("/in", headers=headers)
        assert (answer.status, answer.challenge) == (401, ['Bearer realm="reports"'])


@pytest.mark.parametrize(
    ("bad", "description"),
    [
        ("x.y.z", "the token's header cannot be decoded"),
        (token(exp=NOW - 600), "the token has expired"),
        (token()[:-4] + "AAAA", "no key verifies the signature"),
        (token(aud="other"), "the audience is not accepted"),
    ],
)
def test_a_refused_token_gets_a_challenge_with_the_message_of_its_code(site: Site, bad: str, description: str) -> None:
    nginx = site.start(GUARDED)
    answer = nginx.ask("/in", bad)
    assert answer.status == 401
    [found] = answer.challenge
    table = (ROOT / "docs" / "error-codes.md").read_text(encoding="utf-8")
    message = re.fullmatch(r'Bearer realm="reports", error="invalid_token", error_description="([^"\\]+)"', found)
    assert message and f"| {message[1]} |" in table, description
    assert bad not in found


def test_every_method_is_decided(site: Site) -> None:
    nginx = site.start(GUARDED)
    for method in ("HEAD", "POST", "OPTIONS", "DELETE"):
        assert nginx.ask("/in", method=method).status == 401


def test_a_token_that_does_not_allow_the_request_gets_403(site: Site) -> None:
    site.write("strict.json", changed(claims=[{"claim": "sub", "equals": "somebody else"}]))
    nginx = site.start("jwtauth_config strict.json; jwtauth on;")
    answer = nginx.ask("/", token())
    assert answer.status == 403
    assert answer.challenge[0].startswith('Bearer error="insufficient_scope", error_description="')


def test_the_list_of_codes_with_403_is_that_of_the_core() -> None:
    core = (ROOT / "crates/jwtauth-core/src/policy/response.rs").read_text(encoding="utf-8")
    ours = (ROOT / "bindings/nginx/src/ngx_http_jwtauth_answer.c").read_text(encoding="utf-8")
    arm = re.search(r"((?:Code::\w+[ |]*)+) => 403", core)
    listed = re.search(r"not_enough\[\] = \{([^}]+)\}", ours)
    assert arm and listed
    names = [re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower() for name in re.findall(r"Code::(\w+)", arm[1])]
    assert sorted(names) == sorted(re.findall(r'"(\w+)"', listed[1]))


def test_the_profile_decides(site: Site) -> None:
    nginx = site.start("""
        jwtauth_config verifier.json;
        jwtauth on;
        location /closed { jwtauth_profile closed; }
        location /office { jwtauth_profile office; location /office/none { jwtauth_profile ""; } }
    """)
    assert nginx.ask("/closed", token()).status == 403
    assert nginx.ask("/office", token()).status == 403
    assert nginx.ask("/office/none", token()).status == 404


def test_the_address_of_the_connection_is_bound(site: Site) -> None:
    site.write("here.json", changed(bound_cidrs=["127.0.0.0/8"]))
    nginx = site.start("""
        jwtauth_config verifier.json;
        jwtauth on;
        location = /here { jwtauth_config here.json; try_files /none @done; }
        location = /behind { jwtauth_config here.json; set_real_ip_from 127.0.0.1; try_files /none @done; }
        location @done { jwtauth off; return 204; }
    """, "real_ip_header X-Real-IP;")
    assert nginx.ask("/here", token()).status == 204
    assert nginx.ask("/behind", token(), headers=[("X-Real-IP", "192.0.2.1")]).status == 403


def test_the_configuration_says_where_the_token_is(site: Site) -> None:
    site.write("header.json", changed(token={"header": "X-Token"}))
    site.write("query.json", changed(token={"header": None, "query": "auth_token"}))
    site.write("cookie.json", changed(token={"header": None, "cookie": "session"}))
    nginx = site.start("""
        jwtauth_config verifier.json;
        jwtauth on;
        location /header { jwtauth_config header.json; try_files /none @done; }
        location /query { jwtauth_config query.json; rewrite ^ /elsewhere? break; try_files /none @done; }
        location /cookie { jwtauth_config cookie.json; try_files /none @done; }
        location @done { jwtauth off; return 204; }
    """)
    one = token()
    assert nginx.ask("/header", headers=[("x-token", one)]).status == 204
    assert nginx.ask("/query?a=1&auth_token=" + one).status == 204
    assert nginx.ask("/cookie", headers=[("Cookie", f"a=b; session={one}")]).status == 204
    for path in ("/header", "/query", "/cookie"):
        assert nginx.ask(path, one).status == 401


def test_all_values_of_a_repeated_header_are_decided(site: Site) -> None:
    site.write("header.json", changed(token={"header": "X-Token"}))
    nginx = site.start("jwtauth_config header.json; jwtauth on;")
    for values in ([token(), token()], [token(), ""], ["x", token()]):
        answer = nginx.ask("/", headers=[("X-Token", value) for value in values])
        assert (answer.status, "more than one token" in answer.challenge[0]) == (401, True)
    # nginx refuses this header itself.
    assert nginx.ask("/", token(), headers=[("Authorization", f"Bearer {token()}")]).status == 400


def test_bytes_that_are_not_ascii_are_a_refused_token(site: Site) -> None:
    site.write("query.json", changed(token={"header": "X-Token", "query": "t"}))
    nginx = site.start("jwtauth_config query.json; jwtauth on;")
    for value in ("\xff\xfe", 'x","profile":"office', "\\", "\x7f", "ä.ö.ü"):
        answer = nginx.ask("/", headers=[("X-Token", value)])
        assert (answer.status, 'error="invalid_token"' in answer.challenge[0]) == (401, True), value
    assert nginx.ask("/?t=%22,%22profile%22:%22").status == 401


@pytest.mark.parametrize("dialect", ["vault", "consul"])
def test_a_configuration_without_a_place_reads_the_bearer_token(site: Site, dialect: str) -> None:
    place = "VAULT" if dialect == "vault" else "CONSUL"
    key = (ROOT / "examples/keys/issuer.public.pem").read_text(encoding="utf-8")
    vault = {
        "dialect": "vault",
        "config": {
            "jwt_validation_pubkeys": [key],
            "roles": {"web": {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["api"]}},
        },
    }
    consul = {
        "dialect": "consul",
        "config": {
            "AuthMethod": {"Name": "m", "Type": "jwt", "Config": {"JWTValidationPubKeys": [key], "BoundAudiences": ["api"]}},
            "BindingRules": [{"BindType": "policy", "BindName": "x", "AuthMethod": "m", "Selector": ""}],
        },
    }
    site.write("place.json", vault if dialect == "vault" else consul)
    profile = "jwtauth_profile web;" if dialect == "vault" else ""
    nginx = site.start(f"jwtauth_config place.json; jwtauth {place}; {profile}")
    assert nginx.ask("/").challenge == [f'Bearer realm="{place}"']
    for headers in ([("Authorization", "Bearer  ")], [("Authorization", "Bearer \tx")], [("Authorization", "Basic x")]):
        assert nginx.ask("/", headers=headers).challenge == [f'Bearer realm="{place}"']
    for value in ("bearer a.b.c", "BEARER   a.b.c", "Bearer ä", 'Bearer x","profile":"y'):
        answer = nginx.ask("/", headers=[("Authorization", value)])
        assert (answer.status, 'error="invalid_token"' in answer.challenge[0]) == (401, True)


def test_directives_with_one_file_share_its_verifier(site: Site) -> None:
    """So its warnings are logged once."""
    site.write("warned.json", remote("https://keys.example/", cool_down="1s", timeout="5s"))
    code, log = site.test("""
        jwtauth_config warned.json;
        location /a { jwtauth_config warned.json; }
        location /b { jwtauth_config warned.json; }
    """)
    once = [line for line in log.splitlines() if "[warn]" in line and f"{site.directory}/warned.json" in line]
    assert code == 0
    assert len(once) == len(set(once)) > 0, log


def test_the_configuration_may_be_readable_only_by_root(site: Site) -> None:
    (site.directory / "verifier.json").chmod(0o600)
    nginx = site.start(GUARDED)
    (site.directory / "verifier.json").unlink()
    assert nginx.ask("/in", token()).text == "granted"
    assert CONFIG["options"] == {"now": NOW}

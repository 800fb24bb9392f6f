"""hvac, unchanged, does what the documentation of Vault's jwt auth method shows."""

import hvac
import hvac.exceptions
import pytest

from serve import ADMIN, OTHER_KEY, Serve, expired, public_pem, token


def test_enable_configure_login_look_up_renew_revoke(server: Serve) -> None:
    admin = hvac.Client(url=server.url, token=ADMIN)
    assert admin.sys.read_health_status().status_code == 200
    assert admin.sys.read_health_status(method="GET")["initialized"] is True
    admin.sys.enable_auth_method("jwt", path="hvac", description="tests")
    assert admin.sys.list_auth_methods()["data"]["hvac/"]["type"] == "jwt"
    admin.sys.tune_auth_method("hvac", default_lease_ttl="1h", max_lease_ttl="2h")
    assert admin.sys.read_auth_method_tuning("hvac")["data"]["max_lease_ttl"] == 7200

    admin.auth.jwt.configure(jwt_validation_pubkeys=[public_pem()], bound_issuer="https://issuer.example", path="hvac")
    assert admin.auth.jwt.read_config(path="hvac")["data"]["bound_issuer"] == "https://issuer.example"
    admin.auth.jwt.create_role(
        name="demo", role_type="jwt", user_claim="sub", bound_audiences=["api"], allowed_redirect_uris=[],
        token_policies=["web"], token_ttl=600, path="hvac",
    )
    assert admin.auth.jwt.read_role("demo", path="hvac")["data"]["token_ttl"] == 600
    assert admin.auth.jwt.list_roles(path="hvac")["data"]["keys"] == ["demo"]

    client = hvac.Client(url=server.url, token="stale")
    login = client.auth.jwt.jwt_login(role="demo", jwt=token(), path="hvac")
    assert client.token == login["auth"]["client_token"]
    assert login["auth"]["policies"] == ["default", "web"]
    assert client.is_authenticated()
    found = client.auth.token.lookup_self()
    assert found["data"]["path"] == "auth/hvac/login"
    assert found["data"]["accessor"] == login["auth"]["accessor"]
    assert client.auth.token.renew_self()["auth"]["lease_duration"] == 600
    assert client.auth.token.renew_self(increment="60s")["auth"]["lease_duration"] == 60
    assert admin.auth.token.lookup(client.token)["data"]["display_name"] == "hvac-alice"
    assert admin.auth.token.lookup_accessor(login["auth"]["accessor"])["data"]["policies"] == ["default", "web"]
    assert admin.auth.token.renew(client.token)["auth"]["client_token"] == client.token
    client.auth.token.revoke_self()
    assert not client.is_authenticated()

    again = client.auth.jwt.jwt_login(role="demo", jwt=token(), path="hvac")
    admin.auth.token.revoke_accessor(again["auth"]["accessor"])
    with pytest.raises(hvac.exceptions.InvalidRequest):
        admin.auth.token.lookup_accessor(again["auth"]["accessor"])
    again = client.auth.jwt.jwt_login(role="demo", jwt=token(), path="hvac")
    admin.auth.token.revoke(again["auth"]["client_token"])
    with pytest.raises(hvac.exceptions.Forbidden):
        client.auth.token.lookup_self()

    admin.auth.jwt.delete_role("demo", path="hvac")
    with pytest.raises(hvac.exceptions.InvalidPath):
        admin.auth.jwt.read_role("demo", path="hvac")
    admin.sys.disable_auth_method("hvac")
    assert "hvac/" not in admin.sys.list_auth_methods()["data"]


def test_bad_tokens(server: Serve) -> None:
    admin = hvac.Client(url=server.url, token=ADMIN)
    admin.sys.enable_auth_method("jwt", path="bad")
    admin.auth.jwt.configure(jwt_validation_pubkeys=[public_pem()], path="bad")
    admin.auth.jwt.create_role(
        name="demo", role_type="jwt", user_claim="sub", bound_audiences=["api"], allowed_redirect_uris=[], path="bad"
    )
    client = hvac.Client(url=server.url)
    for jwt, words in [
        (expired(), "expiration time"),
        (token(key=OTHER_KEY), "no known key"),
        (token(aud="other"), "audience"),
        ("garbage", "error validating token"),
    ]:
        with pytest.raises(hvac.exceptions.InvalidRequest, match=words):
            client.auth.jwt.jwt_login(role="demo", jwt=jwt, path="bad")
    with pytest.raises(hvac.exceptions.InvalidRequest, match='role "x" could not be found'):
        client.auth.jwt.jwt_login(role="x", jwt=token(), path="bad")
    with pytest.raises(hvac.exceptions.Forbidden):
        client.sys.list_auth_methods()

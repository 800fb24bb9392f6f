"""py-consul, unchanged: method, rule, login, self, logout."""

import consul
import pytest

from serve import ADMIN, Serve, expired, public_pem, token


def test_method_rule_login_self_logout(server: Serve) -> None:
    admin = consul.Consul(host="127.0.0.1", port=server.port, token=ADMIN)
    config = {"JWTValidationPubKeys": [public_pem()], "BoundAudiences": ["api"], "ClaimMappings": {"sub": "name"}}
    made = admin.acl.auth_method.create(name="py", method_type="jwt", config=config, description="tests", max_token_ttl="5m")
    assert made["Name"] == "py"
    assert [method["Name"] for method in admin.acl.auth_method.list()] == ["py"]
    rule = admin.acl.binding_rule.create(auth_method="py", bind_type="service", bind_name="web-${value.name}", selector="")
    assert admin.acl.binding_rule.read(rule["ID"])["BindName"] == "web-${value.name}"
    assert len(admin.acl.binding_rule.list()) == 1

    client = consul.Consul(host="127.0.0.1", port=server.port)
    own = client.acl.login(auth_method="py", bearer_token=token(), meta={"pod": "a"})
    assert own["ServiceIdentities"] == [{"ServiceName": "web-alice"}]
    assert client.acl.token.read_self(token=own["SecretID"])["AccessorID"] == own["AccessorID"]
    for jwt in [expired(), "garbage", ""]:
        with pytest.raises(consul.ConsulException):
            client.acl.login(auth_method="py", bearer_token=jwt)
    assert client.acl.logout(own["SecretID"]) is True
    with pytest.raises(consul.ConsulException):
        client.acl.token.read_self(token=own["SecretID"])
    with pytest.raises(consul.ConsulException):
        admin.acl.logout(ADMIN)
    assert admin.acl.binding_rule.delete(rule["ID"])
    assert admin.acl.auth_method.delete("py")

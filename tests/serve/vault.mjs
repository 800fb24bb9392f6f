// node-vault, unchanged. The environment has the server, the administrator's token, a key and tokens.
import assert from "node:assert/strict";
import vault from "node-vault";

const { URL_OF_SERVER: endpoint, ADMIN, PEM, GOOD, BAD } = process.env;
const admin = vault({ apiVersion: "v1", endpoint, token: ADMIN });
assert.equal((await admin.health()).initialized, true);
await admin.enableAuth({ mount_point: "node", type: "jwt" });
assert.equal((await admin.auths()).data["node/"].type, "jwt");
await admin.write("auth/node/config", { jwt_validation_pubkeys: [PEM] });
await admin.write("auth/node/role/demo", { role_type: "jwt", user_claim: "sub", bound_audiences: ["api"], token_ttl: "10m" });
assert.equal((await admin.read("auth/node/role/demo")).data.token_ttl, 600);
assert.deepEqual((await admin.list("auth/node/role")).data.keys, ["demo"]);

const client = vault({ apiVersion: "v1", endpoint });
const login = await client.write("auth/node/login", { role: "demo", jwt: GOOD });
client.token = login.auth.client_token;
assert.equal((await client.tokenLookupSelf()).data.path, "auth/node/login");
assert.equal((await client.tokenRenewSelf()).auth.lease_duration, 600);
await client.tokenRevokeSelf();
await assert.rejects(client.tokenLookupSelf(), /permission denied/);
await assert.rejects(client.write("auth/node/login", { role: "demo", jwt: BAD }), /expiration time/);
await admin.disableAuth({ mount_point: "node" });
console.log("node-vault: ok");

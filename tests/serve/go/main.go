// Clients in Go, unchanged: vault/api, openbao/api/v2 and consul/api. The environment has the server, the administrator's token, a
// key and tokens.
package main

import (
	"fmt"
	"os"
	"strings"

	consul "github.com/hashicorp/consul/api"
	vault "github.com/hashicorp/vault/api"
	bao "github.com/openbao/openbao/api/v2"
)

func check(what string, err error) {
	if err != nil {
		fmt.Println(what, err)
		os.Exit(1)
	}
}

func must(what string, holds bool) {
	if !holds {
		fmt.Println("wrong:", what)
		os.Exit(1)
	}
}

var (
	url   = os.Getenv("URL_OF_SERVER")
	admin = os.Getenv("ADMIN")
	pem   = os.Getenv("PEM")
	good  = os.Getenv("GOOD")
	bad   = os.Getenv("BAD")
)

func ofVault() {
	config := vault.DefaultConfig()
	config.Address = url
	client, err := vault.NewClient(config)
	check("client", err)
	client.SetToken(admin)
	health, err := client.Sys().Health()
	check("health", err)
	must("initialized", health.Initialized)
	check("enable", client.Sys().EnableAuthWithOptions("go", &vault.EnableAuthOptions{Type: "jwt", Description: "tests"}))
	mounts, err := client.Sys().ListAuth()
	check("mounts", err)
	must("mount", mounts["go/"].Type == "jwt")
	_, err = client.Logical().Write("auth/go/config", map[string]interface{}{"jwt_validation_pubkeys": []string{pem}})
	check("config", err)
	_, err = client.Logical().Write("auth/go/role/demo", map[string]interface{}{
		"role_type": "jwt", "user_claim": "sub", "bound_audiences": []string{"api"}, "token_ttl": "10m"})
	check("role", err)
	roles, err := client.Logical().List("auth/go/role")
	check("roles", err)
	must("one role", len(roles.Data["keys"].([]interface{})) == 1)

	own, err := vault.NewClient(config)
	check("client", err)
	own.ClearToken()
	login, err := own.Logical().Write("auth/go/login", map[string]interface{}{"role": "demo", "jwt": good})
	check("login", err)
	own.SetToken(login.Auth.ClientToken)
	found, err := own.Auth().Token().LookupSelf()
	check("lookup-self", err)
	must("path", found.Data["path"] == "auth/go/login")
	renewed, err := own.Auth().Token().RenewSelf(0)
	check("renew-self", err)
	must("lease", renewed.Auth.LeaseDuration == 600)
	check("revoke-self", own.Auth().Token().RevokeSelf(""))
	_, err = own.Auth().Token().LookupSelf()
	must("revoked", err != nil && strings.Contains(err.Error(), "permission denied"))
	own.ClearToken()
	_, err = own.Logical().Write("auth/go/login", map[string]interface{}{"role": "demo", "jwt": bad})
	must("expired", err != nil && strings.Contains(err.Error(), "expiration time"))
	check("disable", client.Sys().DisableAuth("go"))
}

func ofOpenbao() {
	config := bao.DefaultConfig()
	config.Address = url
	client, err := bao.NewClient(config)
	check("client", err)
	client.SetToken(admin)
	check("enable", client.Sys().EnableAuthWithOptions("bao", &bao.EnableAuthOptions{Type: "jwt"}))
	_, err = client.Logical().Write("auth/bao/config", map[string]interface{}{"jwt_validation_pubkeys": []string{pem}})
	check("config", err)
	_, err = client.Logical().Write("auth/bao/role/demo", map[string]interface{}{
		"role_type": "jwt", "user_claim": "sub", "bound_audiences": []string{"api"}})
	check("role", err)
	client.ClearToken()
	login, err := client.Logical().Write("auth/bao/login", map[string]interface{}{"role": "demo", "jwt": good})
	check("login", err)
	client.SetToken(login.Auth.ClientToken)
	_, err = client.Auth().Token().LookupSelf()
	check("lookup-self", err)
	_, err = client.Auth().Token().RenewSelf(60)
	check("renew-self", err)
	check("revoke-self", client.Auth().Token().RevokeSelf(""))
}

func ofConsul() {
	config := consul.DefaultConfig()
	config.Address = strings.TrimPrefix(url, "http://")
	config.Token = admin
	client, err := consul.NewClient(config)
	check("client", err)
	acl := client.ACL()
	_, _, err = acl.AuthMethodCreate(&consul.ACLAuthMethod{Name: "go", Type: "jwt", MaxTokenTTL: 300e9, Config: map[string]interface{}{
		"JWTValidationPubKeys": []string{pem}, "BoundAudiences": []string{"api"}, "ClaimMappings": map[string]string{"sub": "name"}}}, nil)
	check("method", err)
	read, _, err := acl.AuthMethodRead("go", nil)
	check("read", err)
	must("ttl", read.MaxTokenTTL == 300e9)
	absent, _, err := acl.AuthMethodRead("absent", nil)
	check("absent", err)
	must("absent", absent == nil)
	rule, _, err := acl.BindingRuleCreate(&consul.ACLBindingRule{AuthMethod: "go", BindType: consul.BindingRuleBindTypeService, BindName: "web-${value.name}"}, nil)
	check("rule", err)
	rules, _, err := acl.BindingRuleList("go", nil)
	check("rules", err)
	must("one rule", len(rules) == 1 && rules[0].ID == rule.ID)
	token, _, err := acl.Login(&consul.ACLLoginParams{AuthMethod: "go", BearerToken: good, Meta: map[string]string{"a": "b"}}, nil)
	check("login", err)
	must("service", token.ServiceIdentities[0].ServiceName == "web-alice")
	own := &consul.QueryOptions{Token: token.SecretID}
	self, _, err := acl.TokenReadSelf(own)
	check("self", err)
	must("self", self.AccessorID == token.AccessorID)
	_, err = acl.Logout(&consul.WriteOptions{Token: token.SecretID})
	check("logout", err)
	_, _, err = acl.TokenReadSelf(own)
	must("gone", err != nil)
	_, _, err = acl.Login(&consul.ACLLoginParams{AuthMethod: "go", BearerToken: bad}, nil)
	must("expired", err != nil && strings.Contains(err.Error(), "expired"))
	_, err = acl.AuthMethodDelete("go", nil)
	check("delete", err)
}

func main() {
	ofVault()
	ofOpenbao()
	ofConsul()
	fmt.Println("go: ok")
}

// Reads lines with a configuration, a role and a login, and decides each with Vault's own plugin, in this process:
//
//	{"config": body of config, "role": body of role/r, "login": body of login, "remote_addr": text,
//	 "mount": {"default": seconds, "max": seconds}, "documents": {path: text}}
//
// The documents are served over HTTP. In all texts, the address http://127.0.0.1:9 stands for this server.
//
// An answer is what Vault would give: the plugin's result after the parts of Vault's core that the SDK contains. The
// plugin's clock is the real one.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	jwtauth "github.com/hashicorp/vault-plugin-auth-jwt"
	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/helper/policyutil"
	"github.com/hashicorp/vault/sdk/logical"

	"oracle/lines"
)

type question struct {
	Config     json.RawMessage `json:"config"`
	Role       json.RawMessage `json:"role"`
	Login      json.RawMessage `json:"login"`
	RemoteAddr string          `json:"remote_addr"`
	Mount      struct {
		Default int `json:"default"`
		Max     int `json:"max"`
	} `json:"mount"`
	Documents map[string]string `json:"documents"`
}

type answer struct {
	// Where it failed ("config", "role", "login"), and why.
	Failed string `json:"failed,omitempty"`
	Error  string `json:"error,omitempty"`

	Name        string            `json:"name,omitempty"`
	DisplayName string            `json:"display_name,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Groups      []string          `json:"groups,omitempty"`
	Policies    []string          `json:"policies,omitempty"`
	TTL         int64             `json:"ttl,omitempty"`
	MaxTTL      int64             `json:"max_ttl,omitempty"`
	ExplicitTTL int64             `json:"explicit_max_ttl,omitempty"`
	Period      int64             `json:"period,omitempty"`
	NumUses     int               `json:"num_uses,omitempty"`
	TokenType   string            `json:"token_type,omitempty"`
	Renewable   bool              `json:"renewable,omitempty"`
	BoundCIDRs  []string          `json:"bound_cidrs,omitempty"`
}

const placeholder = "http://127.0.0.1:9"

var (
	server *httptest.Server
	// The documents of the current question.
	documents map[string]string
)

func serve(out http.ResponseWriter, request *http.Request) {
	text, known := documents[request.URL.Path]
	if !known {
		http.NotFound(out, request)
		return
	}
	io.WriteString(out, strings.ReplaceAll(text, placeholder, server.URL))
}

func reply(asked question) (out answer) {
	defer func() {
		if problem := recover(); problem != nil {
			out = answer{Failed: "login", Error: fmt.Sprint("panic: ", problem)}
		}
	}()
	documents = asked.Documents
	system := logical.StaticSystemView{
		DefaultLeaseTTLVal: time.Duration(asked.Mount.Default) * time.Second,
		MaxLeaseTTLVal:     time.Duration(asked.Mount.Max) * time.Second,
	}
	ctx := context.Background()
	storage := &logical.InmemStorage{}
	backend, err := jwtauth.Factory(ctx, &logical.BackendConfig{
		StorageView: storage, System: system, Logger: hclog.NewNullLogger(),
	})
	if err != nil {
		panic(err)
	}
	defer backend.Cleanup(ctx)

	send := func(operation logical.Operation, path string, body json.RawMessage) (*logical.Response, error) {
		return backend.HandleRequest(ctx, &logical.Request{
			Operation: operation, Path: path, Storage: storage, Data: decode(body),
			Connection: &logical.Connection{RemoteAddr: asked.RemoteAddr},
		})
	}
	if why := problem(send(logical.UpdateOperation, "config", asked.Config)); why != "" {
		return answer{Failed: "config", Error: why}
	}
	if why := problem(send(logical.CreateOperation, "role/r", asked.Role)); why != "" {
		return answer{Failed: "role", Error: why}
	}
	response, err := send(logical.UpdateOperation, "login", asked.Login)
	if why := problem(response, err); why != "" {
		return answer{Failed: "login", Error: why}
	}
	return grant(response.Auth, system)
}

// Does with the plugin's result what Vault's core does for a login.
func grant(auth *logical.Auth, system logical.SystemView) answer {
	denied := func(why string) answer { return answer{Failed: "login", Error: why} }
	if auth.Alias == nil || auth.Alias.Name == "" {
		return denied("missing name in alias")
	}
	ttl, _, err := framework.CalculateTTL(system, 0, auth.TTL, auth.Period, auth.MaxTTL, auth.ExplicitMaxTTL, time.Time{})
	if err != nil {
		return denied(err.Error())
	}
	policies := policyutil.SanitizePolicies(auth.Policies, !auth.NoDefaultPolicy)
	for _, policy := range policies {
		if policy == "root" || policy == "response-wrapping" || policy == "control-group" {
			return denied("the policy " + policy + " cannot be given")
		}
	}
	out := answer{
		Name: auth.Alias.Name, DisplayName: strings.TrimSuffix("jwt-"+auth.DisplayName, "-"), Metadata: auth.Metadata,
		Policies: policies, TTL: seconds(ttl), ExplicitTTL: seconds(auth.ExplicitMaxTTL),
		Period: seconds(auth.Period), NumUses: auth.NumUses, Renewable: auth.Renewable, TokenType: "service",
	}
	if auth.Period == 0 {
		out.MaxTTL = seconds(system.MaxLeaseTTL())
		for _, limit := range []int64{seconds(auth.MaxTTL), out.ExplicitTTL} {
			if limit > 0 {
				out.MaxTTL = min(out.MaxTTL, limit)
			}
		}
	}
	for _, group := range auth.GroupAliases {
		out.Groups = append(out.Groups, group.Name)
	}
	for _, network := range auth.BoundCIDRs {
		out.BoundCIDRs = append(out.BoundCIDRs, network.String())
	}
	if auth.TokenType == logical.TokenTypeBatch {
		out.TokenType, out.Renewable, out.Period, out.NumUses = "batch", false, 0, 0
	}
	return out
}

func seconds(duration time.Duration) int64 { return int64(duration / time.Second) }

func problem(response *logical.Response, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case response != nil && response.IsError():
		return response.Error().Error()
	}
	return ""
}

// Decodes a body as Vault does: numbers keep their text.
func decode(body json.RawMessage) map[string]any {
	text := bytes.ReplaceAll(body, []byte(placeholder), []byte(server.URL))
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var data map[string]any
	if err := decoder.Decode(&data); err != nil {
		panic(err)
	}
	return data
}

func main() {
	server = httptest.NewServer(http.HandlerFunc(serve))
	lines.Answer(reply)
}

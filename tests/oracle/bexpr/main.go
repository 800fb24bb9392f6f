// Reads lines of {"selector": text, "values": {name: text}, "lists": {name: [text]}}, and evaluates each selector as
// Consul does for a login (agent/consul/auth/binder.go), with the version of go-bexpr that Consul uses.
//
// "strict" is the result of an evaluation in which `matches` is false for an absent value, and `not matches` is true.
package main

import (
	"regexp"
	"slices"
	"strings"

	bexpr "github.com/hashicorp/go-bexpr"

	"oracle/lines"
)

type question struct {
	Selector string              `json:"selector"`
	Values   map[string]string   `json:"values"`
	Lists    map[string][]string `json:"lists"`
}

// The fields of an identity, as Consul declares them (agent/consul/authmethod/ssoauth).
type identity struct {
	Values map[string]string   `bexpr:"value"`
	Lists  map[string][]string `bexpr:"list"`
}

type answer struct {
	Error  string `json:"error,omitempty"`
	Holds  bool   `json:"holds"`
	Strict bool   `json:"strict"`
}

func reply(asked question) answer {
	subject := &identity{Values: asked.Values, Lists: asked.Lists}
	evaluator, err := bexpr.CreateEvaluatorForType(asked.Selector, nil, subject)
	if err != nil {
		return answer{Error: err.Error()}
	}
	holds, err := evaluator.Evaluate(subject)
	if err != nil {
		return answer{Error: err.Error()}
	}
	tree, err := bexpr.Parse("", []byte(asked.Selector))
	if err != nil {
		panic(err)
	}
	return answer{Holds: holds, Strict: strict(tree.(bexpr.Expression), subject)}
}

func strict(expression bexpr.Expression, subject *identity) bool {
	switch node := expression.(type) {
	case *bexpr.UnaryExpression:
		return !strict(node.Operand, subject)
	case *bexpr.BinaryExpression:
		if node.Operator == bexpr.BinaryOpAnd {
			return strict(node.Left, subject) && strict(node.Right, subject)
		}
		return strict(node.Left, subject) || strict(node.Right, subject)
	case *bexpr.MatchExpression:
		switch node.Operator {
		case bexpr.MatchNotEqual, bexpr.MatchNotIn, bexpr.MatchIsNotEmpty, bexpr.MatchNotMatches:
			return !matches(node, subject)
		default:
			return matches(node, subject)
		}
	}
	panic("an unknown node")
}

// Whether a test holds, without its negation.
func matches(node *bexpr.MatchExpression, subject *identity) bool {
	var raw string
	if node.Value != nil {
		raw = node.Value.Raw
	}
	if len(node.Selector) == 1 {
		keys := keysOf(subject.Values)
		if node.Selector[0] == "list" {
			keys = keysOf(subject.Lists)
		}
		return holds(node.Operator, keys, raw)
	}
	if node.Selector[0] == "list" {
		return holds(node.Operator, subject.Lists[node.Selector[1]], raw)
	}
	value, present := subject.Values[node.Selector[1]]
	switch node.Operator {
	case bexpr.MatchEqual, bexpr.MatchNotEqual:
		return present && value == raw
	case bexpr.MatchIn, bexpr.MatchNotIn:
		return present && strings.Contains(value, raw)
	default:
		return present && regexp.MustCompile(raw).MatchString(value)
	}
}

func holds(operator bexpr.MatchOperator, elements []string, raw string) bool {
	if operator == bexpr.MatchIsEmpty || operator == bexpr.MatchIsNotEmpty {
		return len(elements) == 0
	}
	return slices.Contains(elements, raw)
}

func keysOf[V any](members map[string]V) []string {
	var keys []string
	for key := range members {
		keys = append(keys, key)
	}
	return keys
}

func main() {
	lines.Answer(reply)
}

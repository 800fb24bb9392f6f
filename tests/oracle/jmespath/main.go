// Reads lines of {"expression": text, "data": JSON} and prints the result of JMESPath Community Edition
// for each.
//
// An answer has a value or an error: "parse", "evaluate", "panic", or "marshal" for a value that JSON cannot express.
// "varies" means that the value depends on the order in which Go visits the members of an object, which is random.
// "sorts" means that sort_by changes the data in place and that the value depends on it. The value is then the one
// without that effect.
package main

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"oracle/lines"

	jmespath "github.com/jmespath-community/go-jmespath"
	"github.com/jmespath-community/go-jmespath/pkg/functions"
	"github.com/jmespath-community/go-jmespath/pkg/parsing"
)

type question struct {
	Expression string          `json:"expression"`
	Data       json.RawMessage `json:"data"`
}

type answer struct {
	Value  json.RawMessage `json:"value,omitempty"`
	Error  string          `json:"error,omitempty"`
	Varies bool            `json:"varies,omitempty"`
	Sorts  bool            `json:"sorts,omitempty"`
	// Whether the expression uses syntax that the original grammar lacks.
	Extended bool `json:"extended,omitempty"`
}

func (one answer) equals(other answer) bool {
	return one.Error == other.Error && string(one.Value) == string(other.Value)
}

// The number of evaluations of an expression, which show whether its value varies.
const attempts = 12

// Returns the functions with changes: a padded text of more than a mebibyte causes a panic instead of an allocation that
// can end the process, and sort_by can work on a copy of the list.
func changed(copies bool) []functions.FunctionEntry {
	var entries []functions.FunctionEntry
	for _, entry := range functions.GetDefaultFunctions() {
		inner := entry.Handler
		switch {
		case entry.Name == "pad_left" || entry.Name == "pad_right":
			entry.Handler = func(arguments []any) (any, error) {
				if width, ok := arguments[1].(float64); ok && width == math.Trunc(width) && width > 1<<20 && width < 1<<63 {
					if len(arguments) < 3 || len(arguments[2].(string)) == 1 {
						panic("out of memory")
					}
				}
				return inner(arguments)
			}
		case entry.Name == "sort_by" && copies:
			entry.Handler = func(arguments []any) (any, error) {
				list := append([]any{}, arguments[0].([]any)...)
				return inner([]any{list, arguments[1]})
			}
		default:
			continue
		}
		entries = append(entries, entry)
	}
	return entries
}

func evaluate(asked question, copies bool) (out answer) {
	defer func() {
		if recover() != nil {
			out = answer{Error: "panic"}
		}
	}()
	var data any
	if err := json.Unmarshal(asked.Data, &data); err != nil {
		return answer{Error: "data"}
	}
	compiled, err := jmespath.Compile(asked.Expression, changed(copies)...)
	if err != nil {
		return answer{Error: "parse"}
	}
	result, err := compiled.Search(data)
	if err != nil {
		return answer{Error: "evaluate"}
	}
	text, err := json.Marshal(result)
	if err != nil {
		return answer{Error: "marshal"}
	}
	return answer{Value: text}
}

func reply(asked question) answer {
	real := evaluate(asked, false)
	result := evaluate(asked, true)
	result.Sorts = strings.Contains(asked.Expression, "sort_by") && !result.equals(real)
	result.Extended = extended(asked.Expression)
	for range attempts - 1 {
		if !evaluate(asked, false).equals(real) || !evaluate(asked, true).equals(result) {
			result.Varies = true
		}
	}
	return result
}

func extended(expression string) bool {
	tree, err := parsing.NewParser().Parse(expression)
	return err == nil && has(tree)
}

func has(node parsing.ASTNode) bool {
	switch node.NodeType {
	case parsing.ASTArithmeticExpression, parsing.ASTArithmeticUnaryExpression, parsing.ASTLetExpression,
		parsing.ASTVariable, parsing.ASTRootNode, parsing.ASTBinding, parsing.ASTBindings:
		return true
	}
	return slices.ContainsFunc(node.Children, has)
}

func main() {
	lines.Answer(reply)
}

// Package lines answers questions: one JSON text per line.
package lines

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// Answer reads questions from the standard input and prints the reply to each.
func Answer[Question, Reply any](reply func(Question) Reply) {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 1 {
			var asked Question
			if err := json.Unmarshal(line, &asked); err != nil {
				panic(err)
			}
			text, err := json.Marshal(reply(asked))
			if err != nil {
				panic(err)
			}
			fmt.Fprintf(out, "%s\n", text)
		}
		if err != nil {
			return
		}
	}
}

// Reads lines of {"text": text of a grafana.ini} and prints the values that Grafana reads: of [auth.jwt], of [users], and
// app_mode. The file is loaded and merged into the defaults as Grafana does it (pkg/setting).
package main

import (
	"slices"

	"gopkg.in/ini.v1"

	"oracle/lines"
)

type question struct {
	Text string `json:"text"`
	// The keys to read, by section. "" is the part before the first section.
	Keys map[string][]string `json:"keys"`
}

type answer struct {
	Error  string                       `json:"error,omitempty"`
	Values map[string]map[string]string `json:"values,omitempty"`
	// Whether [auth.jwt] has a key that is not to be read.
	Unknown bool `json:"unknown,omitempty"`
}

func reply(asked question) answer {
	// The defaults have every key, without a value.
	master := ini.Empty()
	for section, keys := range asked.Keys {
		for _, key := range keys {
			if _, err := master.Section(section).NewKey(key, ""); err != nil {
				panic(err)
			}
		}
	}
	file, err := ini.Load([]byte(asked.Text))
	if err != nil {
		return answer{Error: err.Error()}
	}
	for _, section := range file.Sections() {
		for _, key := range section.Keys() {
			if key.Value() == "" {
				continue
			}
			into, err := master.GetSection(section.Name())
			if err != nil {
				into, err = master.NewSection(section.Name())
			}
			if err != nil {
				return answer{Error: err.Error()}
			}
			merged, err := into.GetKey(key.Name())
			if err != nil {
				merged, err = into.NewKey(key.Name(), key.Value())
			}
			if err != nil {
				return answer{Error: err.Error()}
			}
			merged.SetValue(key.Value())
		}
	}
	values := map[string]map[string]string{}
	for section, keys := range asked.Keys {
		values[section] = map[string]string{}
		for _, key := range keys {
			if value := master.Section(section).Key(key).Value(); value != "" {
				values[section][key] = value
			}
		}
	}
	unknown := func(key string) bool { return !slices.Contains(asked.Keys["auth.jwt"], key) }
	return answer{Values: values, Unknown: slices.ContainsFunc(file.Section("auth.jwt").KeyStrings(), unknown)}
}

func main() {
	lines.Answer(reply)
}

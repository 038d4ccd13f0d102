// Command record prints what Go's regexp makes of many patterns and texts.
//
// Texts and results are bytes, written as strings of the characters U+0000 to U+00FF.
package main

import (
	"encoding/json"
	"errors"
	"math/rand"
	"os"
	"regexp"
	"regexp/syntax"
	"strings"
)

type search struct {
	Text   string `json:"t"`
	Groups []int  `json:"g,omitempty"`
}

type patternCase struct {
	Pattern  string   `json:"p"`
	Error    string   `json:"e,omitempty"`
	Searches []search `json:"s,omitempty"`
	Template string   `json:"r,omitempty"`
	Replaced string   `json:"o,omitempty"`
}

var random = rand.New(rand.NewSource(7))

func pick(from []string) string { return from[random.Intn(len(from))] }

func latin1(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		s.WriteRune(rune(c))
	}
	return s.String()
}

func record(pattern string, texts []string, template, replaceIn string) patternCase {
	c := patternCase{Pattern: pattern}
	re, err := regexp.Compile(pattern)
	if err != nil {
		var parse *syntax.Error
		if !errors.As(err, &parse) {
			panic(err)
		}
		c.Error = err.Error()
		return c
	}
	for _, text := range texts {
		c.Searches = append(c.Searches, search{latin1([]byte(text)), re.FindSubmatchIndex([]byte(text))})
	}
	if template != "" {
		c.Template = template
		c.Searches = append(c.Searches, search{latin1([]byte(replaceIn)), re.FindSubmatchIndex([]byte(replaceIn))})
		c.Replaced = latin1(re.ReplaceAll([]byte(replaceIn), []byte(template)))
	}
	return c
}

var atoms = []string{"a", "b", "c", "k", "S", "é", "ſ", "1", "_", "-", ".", "^", "$", `\d`, `\w`, `\W`, `\s`, `\S`, `\D`, `\b`, `\B`, `\A`, `\z`,
	"[ab]", "[^a]", "[a-k]", "[^\\w]", "[[:upper:]]", "[[:^space:]]", "[a&&b]", "[[a]", "[]a]", "[\\d-]", `\pL`, `\p{Greek}`, `\P{Lu}`, `[\p{Nd}é]`, `\x41`, `\x{e9}`, `\141`, `\.`, `\<`, "{", "}", "]", `\Qa.\E`, `\n`, "[^\\n]", "K"}

func atom(depth int) string {
	if depth == 0 || random.Intn(3) > 0 {
		return pick(atoms)
	}
	return pick([]string{"(", "(", "(?:", "(?i:", "(?s:", "(?U:", "(?m:", "(?-i:", "(?P<n>", "(?<n>"}) + alternation(depth-1) + ")"
}

func piece(depth int) string {
	a := atom(depth)
	if random.Intn(3) == 0 {
		a += pick([]string{"*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,}", "{,2}", "{2,1}", "{0}", "{1,2}?"})
	}
	return a
}

func sequence(depth int) string {
	var s string
	for range random.Intn(4) {
		s += piece(depth)
	}
	return s
}

func alternation(depth int) string {
	s := sequence(depth)
	for random.Intn(4) == 0 {
		s += "|" + sequence(depth)
	}
	return s
}

var soup = []string{"(", ")", "[", "]", "{", "}", "*", "+", "?", "|", "^", "-", "a", "b", "1", ",", "\\", "\\", "(?", "i", "P", "<", ">", "n", ":", "x", "é", "[:alpha:]", "[:", ":]", "\\Q", "\\E", "p", "{2}", "U", "s", "=", "!", "&", "~", "0", "7"}

func noise() string {
	var s string
	for range 1 + random.Intn(7) {
		s += pick(soup)
	}
	return s
}

func text() string {
	var s string
	for range random.Intn(8) {
		s += pick([]string{"a", "b", "c", "A", "B", "k", "K", "K", "s", "S", "ſ", "é", "É", "1", "_", "-", ".", " ", "\n", "{", "]", "\xff", "\xe2\x82", "α", "\ufffd", "&", "<"})
	}
	return s
}

func main() {
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	emit := func(c patternCase) {
		if err := encoder.Encode(c); err != nil {
			panic(err)
		}
	}
	for _, group := range table {
		for _, pattern := range group.patterns {
			emit(record(pattern, group.texts, "", ""))
		}
	}
	for _, r := range replacements {
		emit(record(r[0], nil, r[1], r[2]))
	}
	for i := range 1600 {
		pattern := alternation(2)
		if random.Intn(5) == 0 {
			pattern = "(?" + pick([]string{"i", "s", "m", "U", "im", "i-s"}) + ")" + pattern
		}
		template := ""
		if i%3 == 0 {
			template = pick([]string{"<$0>", "x", "$1-${2}", "${n}$$"})
		}
		emit(record(pattern, []string{text(), text()}, template, text()))
	}
	for range 700 {
		emit(record(noise(), []string{text()}, "", ""))
	}
}

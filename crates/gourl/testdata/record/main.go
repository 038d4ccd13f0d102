// Command record prints what Go makes of many paths, queries and request targets.
package main

import (
	"bufio"
	"encoding/json"
	"math/rand"
	"net/http"
	"net/url"
	"os"
	"strings"
)

type pathCase struct {
	Raw     string `json:"raw"`
	Error   string `json:"error,omitempty"`
	Escaped string `json:"escaped,omitempty"`
	Joined  string `json:"joined,omitempty"`
}

type queryCase struct {
	Raw    string              `json:"raw"`
	Values map[string][]string `json:"values"`
}

type targetCase struct {
	Raw     string `json:"raw"`
	Connect bool   `json:"connect,omitempty"`
	Refused bool   `json:"refused,omitempty"`
	Scheme  string `json:"scheme,omitempty"`
	Host    string `json:"host,omitempty"`
	Path    string `json:"path,omitempty"`
	Query   string `json:"query,omitempty"`
}

type referenceCase struct {
	Raw     string `json:"raw"`
	Refused bool   `json:"refused,omitempty"`
	Text    string `json:"text,omitempty"`
}

var random = rand.New(rand.NewSource(1))

func text(pieces []string, most int) string {
	var b strings.Builder
	for range random.Intn(most + 1) {
		b.WriteString(pieces[random.Intn(len(pieces))])
	}
	return b.String()
}

func onePath(raw string) pathCase {
	u, err := url.ParseRequestURI(raw)
	if err != nil {
		return pathCase{Raw: raw, Error: err.(*url.Error).Err.Error()}
	}
	return pathCase{Raw: raw, Escaped: u.EscapedPath(), Joined: u.JoinPath().EscapedPath()}
}

func oneQuery(raw string) queryCase {
	values, _ := url.ParseQuery(raw)
	return queryCase{Raw: raw, Values: values}
}

func oneReference(raw string) referenceCase {
	u, err := url.Parse(raw)
	if err != nil {
		return referenceCase{Raw: raw, Refused: true}
	}
	return referenceCase{Raw: raw, Text: u.String()}
}

func oneTarget(raw string, connect bool) targetCase {
	method := "GET"
	if connect {
		method = "CONNECT"
	}
	text := method + " " + raw + " HTTP/1.1\r\nHost: header\r\n\r\n"
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		return targetCase{Raw: raw, Connect: connect, Refused: true}
	}
	return targetCase{Raw: raw, Connect: connect, Scheme: r.URL.Scheme, Host: r.Host, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery}
}

func main() {
	pathPieces := []string{"/", "/", "/", ".", "..", "/../", "/./", "a", "b", "%2F", "%2f", "%2e", "%41", "%25", "%zz", "%", "(", "{", "é", "%C3%A9", ";", "[", "~", "%7e", "*", "-", "\"", "+", "@", "|", "%00"}
	queryPieces := []string{"&", "&", "=", "a", "b", "%61", "+", "%2B", "%zz", "%.", ";", "%3B", "%26"}
	targetPieces := []string{"/", "//", "/a", "http:", "http://", "HTTPS://", "ftp://", "@", "user", ":", ":80", "h.x", "[::1]", "[fe80::1%25en0]", "[", "]", "?", "*", "a=b", "%2F", "%z", "1", "é", "_", "{", "<"}

	out := struct {
		Paths      []pathCase      `json:"paths"`
		Queries    []queryCase     `json:"queries"`
		Targets    []targetCase    `json:"targets"`
		References []referenceCase `json:"references"`
	}{}
	for range 1500 {
		out.Paths = append(out.Paths, onePath("/"+text(pathPieces, 9)))
	}
	for range 400 {
		out.Queries = append(out.Queries, oneQuery(text(queryPieces, 9)))
	}
	for _, raw := range []string{"*", "/", "/a?", "http://h", "http://h?x", "http://@/", "http:///a", "h:443", "http://h:x/", "http://a:1:2/", ":80", "http://[::1]x/", "http://u:p@h/"} {
		out.Targets = append(out.Targets, oneTarget(raw, false), oneTarget(raw, true))
	}
	for range 1500 {
		out.Targets = append(out.Targets, oneTarget(targetPieces[random.Intn(len(targetPieces))]+text(targetPieces, 5), random.Intn(8) == 0))
	}
	for _, raw := range []string{"", "https://foobar.com:443", "http://192.168.0.%31/", "/q", "//h/a", "a:b", "./a:b", "http://h/n w?a b#c d", "http://h/new%3Fa", "http://h/é?é#é", "http:///a", "http:/a", "http:a?b", "///a", "http:////a", "http://u:p@h/", "http://u%41:p%40@h/", "http://é.h/", "http://h?", "http://h/?#", "?a", "#a", "http://h/%zz", "http://h/#%zz", "http://h/?%zz", "http://[::1]:80/a", "http://h/a\x00"} {
		out.References = append(out.References, oneReference(raw))
	}
	referencePieces := append([]string{"#", "\"", " ", "%41", "(", ";", "'", "..", "u:p@"}, targetPieces...)
	for range 1500 {
		out.References = append(out.References, oneReference(text(referencePieces, 7)))
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(out); err != nil {
		panic(err)
	}
}

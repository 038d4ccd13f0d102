//! The crate's answers against those of Go and Traefik.

use serde_json::Value;
use traefikrs_gourl::target::{Error, Form, Target};
use traefikrs_gourl::{
    Path, canonical_path, decode_path, escaped_path, host, query, reference, routing_path, sanitize,
};

fn go(group: &str) -> Vec<Value> {
    cases(include_str!("../testdata/go-url.json"), group)
}

fn traefik(group: &str) -> Vec<Value> {
    cases(include_str!("../testdata/traefik.json"), group)
}

fn cases(json: &str, group: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(json).expect("test data is JSON");
    all[group].as_array().expect("a list of cases").clone()
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_default()
}

#[test]
fn paths_are_escaped_and_joined_as_go_does() {
    for case in go("paths") {
        let raw = text(&case, "raw");
        match escaped_path(raw.as_bytes()) {
            Ok(escaped) => {
                assert_eq!(escaped, text(&case, "escaped"), "{raw}");
                assert_eq!(sanitize(&escaped), text(&case, "joined"), "{raw}");
                assert_eq!(
                    Path::from_escaped(raw.as_bytes()).unwrap().escaped(),
                    escaped,
                    "{raw}"
                );
            }
            Err(error) => assert_eq!(error.to_string(), text(&case, "error"), "{raw}"),
        }
    }
}

#[test]
fn queries_are_parsed_as_go_does() {
    for case in go("queries") {
        let raw = text(&case, "raw");
        let values = case["values"].as_object().unwrap();
        let seen = query::pairs(raw.as_bytes()).count();
        assert_eq!(
            seen,
            values
                .values()
                .map(|list| list.as_array().unwrap().len())
                .sum::<usize>(),
            "{raw}"
        );
        for (key, expected) in values {
            let expected: Vec<_> = expected
                .as_array()
                .unwrap()
                .iter()
                .map(|v| v.as_str().unwrap())
                .collect();
            let seen: Vec<_> = query::values(raw.as_bytes(), key.as_bytes())
                .map(|value| String::from_utf8(value.into_owned()).unwrap())
                .collect();
            assert_eq!(seen, expected, "{raw} {key}");
        }
    }
}

#[test]
fn targets_are_taken_apart_as_go_does() {
    for case in go("targets") {
        let raw = text(&case, "raw");
        let connect = case["connect"].as_bool().unwrap_or_default();
        let refused = case["refused"].as_bool().unwrap_or_default();
        match Target::parse(raw.as_bytes(), connect) {
            Ok(target) => {
                assert!(!refused, "{raw} {target:?}");
                assert_eq!(
                    target.scheme.as_deref().unwrap_or_default(),
                    text(&case, "scheme"),
                    "{raw}"
                );
                assert_eq!(
                    target.authority.as_deref().unwrap_or("header"),
                    text(&case, "host"),
                    "{raw}"
                );
                assert_eq!(
                    escaped_path(target.path.as_bytes()).unwrap(),
                    text(&case, "path"),
                    "{raw}"
                );
                assert_eq!(
                    target.query.unwrap_or_default(),
                    text(&case, "query"),
                    "{raw}"
                );
            }
            // What we refuse beyond Go: opaque URLs, hosts outside the bytes of a Host header.
            Err(Error::NotAPath) => assert!(refused || !text(&case, "scheme").is_empty(), "{raw}"),
            Err(Error::Authority) => {
                assert!(
                    refused || !host::is_valid(text(&case, "host").as_bytes()),
                    "{raw}"
                );
            }
            Err(error) => assert!(refused, "{raw} {error}"),
        }
    }
}

#[test]
fn references_are_written_as_go_does() {
    for case in go("references") {
        let raw = text(&case, "raw");
        let refused = case["refused"].as_bool().unwrap_or_default();
        let expected = (!refused).then(|| text(&case, "text").to_owned());
        assert_eq!(reference::normalize(raw).ok(), expected, "{raw}");
    }
}

#[test]
fn a_target_that_no_server_can_serve_is_refused() {
    let check =
        |raw: &[u8], expected: Error| assert_eq!(Target::parse(raw, false).unwrap_err(), expected);
    check(b"", Error::Empty);
    check(b"/a b", Error::ControlByte);
    check(b"/a\x7f", Error::ControlByte);
    check(b"/a\x00?", Error::ControlByte);
    check(b"/\xff", Error::NotUtf8);
    check(b"a", Error::NotAPath);
    check(b"http:a", Error::NotAPath);
    check(b":a", Error::NoScheme);
    check(b"/a#b", Error::Fragment);
    check(b"http://h/a#b", Error::Fragment);
    check(b"/a%zz#b", Error::Escape(decode_path(b"%zz").unwrap_err()));
    check(b"http://a b/", Error::ControlByte);
    check(b"http://{/", Error::Authority);
    assert_eq!(Target::parse(b"/a?b#c", false).unwrap().query, Some("b#c"));
    assert_eq!(Target::parse(b"*", false).unwrap().form, Form::Asterisk);
}

#[test]
fn traefik_routes_on_reserved_escapes_only() {
    for case in traefik("routing_path") {
        assert_eq!(
            *routing_path(text(&case, "path")),
            *text(&case, "routing_path").as_bytes()
        );
    }
    let check = |path: &str, expected: &[u8]| assert_eq!(*routing_path(path), *expected, "{path}");
    check("/a%2fb", b"/a%2Fb");
    check(
        "/%C3%A9%5C%7B%00%FF",
        "/é\\{\0"
            .as_bytes()
            .iter()
            .chain(b"\xff")
            .copied()
            .collect::<Vec<_>>()
            .as_slice(),
    );
    check("/%25%3B%2B%20", b"/%25%3B%2B ");
    check("*", b"*");
    check("", b"");
}

#[test]
fn traefik_sanitises_paths() {
    for case in traefik("sanitize_path") {
        assert_eq!(sanitize(text(&case, "path")), text(&case, "expected"));
    }
    assert_eq!(sanitize(""), "/");
    assert_eq!(sanitize("*"), "*");
}

#[test]
fn traefik_normalises_and_sanitises_paths() {
    for case in traefik("path_operations") {
        let raw = text(&case, "raw_path");
        let canonical = canonical_path(raw).unwrap();
        assert_eq!(canonical, text(&case, "expected_raw"), "{raw}");
        assert_eq!(
            *decode_path(canonical.as_bytes()).unwrap(),
            *text(&case, "expected_path").as_bytes(),
            "{raw}"
        );
    }
}

#[test]
fn traefik_forwards_these_paths() {
    let check =
        |raw: &str, expected: &str| assert_eq!(canonical_path(raw).unwrap(), expected, "{raw}");
    check("/a/../b", "/b");
    check("//a//b", "/a/b");
    check("/a/b/..", "/a");
    check("/..", "/");
    check("/a//", "/a/");
    check("/é", "/%C3%A9");
    check("/a;b=c", "/a;b=c");
    check("/a%2Fb", "/a%2Fb");
    check("/a%2fb", "/a%2Fb");
    check("/a%2F..%2Fb", "/a%2F..%2Fb");
    check("/%41%62c", "/Abc");
    check("/%2e%2e/x", "/x");
    check("/a|b<>\"\\", "/a%7Cb%3C%3E%22%5C");
    check("/a%23b", "/a%23b");
    check("/a%2Fb{c", "/a/b%7Bc");
    check("/(x){", "/%28x%29%7B");
    check("", "/");
}

#[test]
fn traefik_strips_ports() {
    for case in traefik("parse_host") {
        assert_eq!(
            host::without_port(text(&case, "host")),
            text(&case, "expected")
        );
    }
}

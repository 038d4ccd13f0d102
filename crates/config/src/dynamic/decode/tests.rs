use proptest::prelude::*;
use serde_json::json;

use super::{Origin, decode_text};
use crate::Format;

const ORIGIN: Origin<'_> = Origin {
    provider: "file",
    file: "f",
};

fn check(text: &str, expected: &serde_json::Value, diagnostics: &[&str]) {
    check_format(Format::Yaml, text, expected, diagnostics);
}

fn check_format(format: Format, text: &str, expected: &serde_json::Value, diagnostics: &[&str]) {
    let (configuration, found) = decode_text(text, format, ORIGIN).unwrap();
    assert_eq!(
        &serde_json::to_value(configuration).unwrap(),
        expected,
        "{text}"
    );
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, diagnostics, "{text}");
}

fn check_ignored(text: &str, expected: &str) {
    let error = decode_text(text, Format::Yaml, ORIGIN).unwrap_err();
    assert_eq!(error.to_string(), expected, "{text}");
}

#[test]
fn a_mistake_costs_only_the_object_that_holds_it() {
    check(
        "http:
  routers:
    good: {rule: x, service: s}
    bad:
      rule: x
      tls:
        option: o
  services:
    bad: {loadBalancer: {}}
    good: {loadBalancer: {servers: [{url: 'http://a'}], passHostHeader: false, strategy: '', responseForwarding: {flushInterval: 0}}}
  middlewares:
    bad: {retry: {attempts: many}}
    good: {addPrefix: {prefix: /x}}
  serversTransports:
    bad: {forwardingTimeouts: {dialTimeout: soon}}
    good: {serverName: a}
tls:
  certificates:
  - {certFile: a, keyfile: b}
  - {certFile: a, key: b}
  stores:
    default: {defaultCertificate: {}}
    other: {defaultCertificate: {certFile: a}}
",
        &json!({
            "http": {
                "routers": {"good": {"rule": "x", "service": "s"}},
                "services": {"good": {"loadBalancer": {"servers": [{"url": "http://a"}], "passHostHeader": false, "responseForwarding": {}}}},
                "middlewares": {"good": {"addPrefix": {"prefix": "/x"}}},
                "serversTransports": {"good": {"serverName": "a"}},
            },
            "tls": {
                "certificates": [{"certFile": "a", "keyFile": "b"}],
                "stores": {"other": {"defaultCertificate": {"certFile": "a"}}},
            },
        }),
        &[
            "f:7: error[UnknownField] router bad@file at http.routers.bad.tls.option: unknown field \"option\", did you mean \"options\"? (object dropped)",
            "f:9: error[EmptyElement] service bad@file at http.services.bad.loadBalancer: loadBalancer cannot be a standalone element: it needs at least one field (object dropped)",
            "f:12: error[InvalidValue] middleware bad@file at http.middlewares.bad.retry.attempts: expected a whole number, found \"many\" (object dropped)",
            "f:15: error[InvalidValue] servers transport bad@file at http.serversTransports.bad.forwardingTimeouts.dialTimeout: invalid duration \"soon\": expected a number with a unit, such as `10s` (object dropped)",
            "f:20: error[UnknownField] certificate f[1] at tls.certificates[1].key: unknown field \"key\" (object dropped)",
            "f:22: error[EmptyElement] TLS store default@file at tls.stores.default.defaultCertificate: defaultCertificate cannot be a standalone element: it needs at least one field (object dropped)",
        ],
    );
}

#[test]
fn sections_that_say_nothing_ask_for_nothing() {
    check("", &json!({}), &[]);
    check("http:\ntls:\n", &json!({}), &[]);
    check(
        "http: {routers: , services: {a: }}",
        &json!({}),
        &[
            "f:1: warning[EmptyElement] file f at http.services: empty: Traefik would refuse the file for it",
        ],
    );
    check(
        "http: {}",
        &json!({}),
        &["f:1: warning[EmptyElement] file f at http: empty: Traefik would refuse the file for it"],
    );
}

#[test]
fn sections_that_do_not_exist_are_named() {
    check(
        "x-base: &b {rule: x}\nhttps: {}\nhttp: {router: {}, routers: {a: {<<: *b}}}\ntls: {option: {}}",
        &json!({"http": {"routers": {"a": {"rule": "x"}}}}),
        &[
            "f:2: warning[UnknownField] file f at https: unknown section \"https\", did you mean \"http\"? (part left out)",
            "f:3: error[UnknownField] file f at http.router: unknown field \"router\", did you mean \"routers\"? (part left out)",
            "f:4: error[UnknownField] file f at tls.option: unknown field \"option\", did you mean \"options\"? (part left out)",
        ],
    );
    check(
        "http: {routers: [a], services: x}\ntls: {certificates: {a: b}}",
        &json!({}),
        &[
            "f:1: error[InvalidValue] file f at http.routers: expected an object, found a list (part left out)",
            "f:1: error[InvalidValue] file f at http.services: expected an object, found \"x\" (part left out)",
            "f:2: error[InvalidValue] file f at tls.certificates: expected a list, found an object (part left out)",
        ],
    );
}

#[test]
fn tcp_and_udp_are_kept_as_written() {
    check(
        "tcp: {routers: {a: {rule: x, priority: 1}}}\nudp: {services: {b: {c: [d]}}}",
        &json!({"tcp": {"routers": {"a": {"rule": "x", "priority": 1}}}, "udp": {"services": {"b": {"c": ["d"]}}}}),
        &[
            "f:1: warning[NotServed] file f at tcp: TCP is known, but not served yet (not served yet)",
            "f:2: warning[NotServed] file f at udp: UDP is known, but not served yet (not served yet)",
        ],
    );
}

#[test]
fn a_text_that_is_no_object_is_ignored_as_a_whole() {
    check_ignored(
        "http: [",
        "f:2: error[Unparsable] file f: not YAML: did not find expected node content (file ignored)",
    );
    check_ignored(
        "a",
        "f:1: error[InvalidValue] file f: expected an object, found \"a\" (file ignored)",
    );
    check_ignored(
        "http: {routers: {a: {rule: x, rule: y}}}",
        "f:1: error[Unparsable] file f: not YAML: http.routers.a: duplicate entry with key \"rule\" (file ignored)",
    );
}

#[test]
fn further_documents_are_not_read() {
    check(
        "http: {routers: {a: {rule: x}}}\n---\nhttp: {}\n",
        &json!({"http": {"routers": {"a": {"rule": "x"}}}}),
        &["f: warning[Ignored] file f: only the first document is read"],
    );
}

#[test]
fn the_formats_say_the_same() {
    let expected = json!({"http": {"routers": {"a.b": {"rule": "x", "priority": 10, "entryPoints": ["a", "b"], "tls": {}}}}});
    for (format, text) in [
        (
            Format::Yaml,
            "http:\n  routers:\n    a.b:\n      rule: x\n      priority: 10\n      entryPoints: a,b\n      tls: {}\n",
        ),
        (
            Format::Toml,
            "[http.routers.\"a.b\"]\nrule = \"x\"\npriority = 1_0\nentryPoints = \"a,b\"\n[http.routers.\"a.b\".tls]\n",
        ),
        (
            Format::Json,
            r#"{"http": {"routers": {"a.b": {"rule": "x", "priority": 10, "entryPoints": ["a", "b"], "tls": {}}}}}"#,
        ),
    ] {
        check_format(format, text, &expected, &[]);
    }
    check_format(
        Format::Toml,
        "[http.routers.a]\nrul = 1\n",
        &json!({}),
        &[
            "f:2: error[UnknownField] router a@file at http.routers.a.rul: unknown field \"rul\", did you mean \"rule\"? (object dropped)",
        ],
    );
}

proptest! {
    #[test]
    fn no_text_panics(text in "[a-z:{}\\[\\], \n-]{0,80}") {
        for format in [Format::Yaml, Format::Toml, Format::Json] {
            drop(decode_text(&text, format, ORIGIN));
        }
    }

    #[test]
    fn what_is_printed_reads_back(text in prop::sample::select(vec![
        "http: {routers: {a: {rule: x, tls: {domains: [{main: a}]}}}}",
        "http: {services: {a: {weighted: {services: [{name: b, weight: 3}], sticky: {cookie: {name: c}}}}}}",
        "http: {middlewares: {a: {headers: {stsSeconds: 1, customRequestHeaders: {X: y}}}, b: {compress: {}}}}",
        "tls: {options: {default: {minVersion: VersionTLS13}}}",
    ])) {
        let (configuration, _) = decode_text(text, Format::Yaml, ORIGIN).unwrap();
        let printed = serde_json::to_string(&configuration).unwrap();
        let (read, found) = decode_text(&printed, Format::Json, ORIGIN).unwrap();
        prop_assert_eq!(read, configuration);
        prop_assert_eq!(found, []);
    }
}

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{EmptyObjects, Path, decode};
use crate::dynamic::{Middleware, Router, Service};
use crate::node::{Format, parse};

/// What a text means as a value of the type, as JSON; or the problems in it.
fn decoded<T: DeserializeOwned + Serialize>(text: &str) -> Result<serde_json::Value, Vec<String>> {
    let root = parse(text, Format::Yaml).unwrap().root;
    match decode::<T>(&root, Path::Root("it"), EmptyObjects::Refused) {
        Ok(value) => Ok(serde_json::to_value(value).unwrap()),
        Err(problems) => Err(problems
            .into_iter()
            .map(|problem| format!("{}:{}: {}", problem.line, problem.path, problem.message))
            .collect()),
    }
}

fn check<T: DeserializeOwned + Serialize>(text: &str, expected: serde_json::Value) {
    assert_eq!(decoded::<T>(text), Ok(expected), "{text}");
}

fn check_refused<T: DeserializeOwned + Serialize>(text: &str, expected: &[&str]) {
    let expected = expected.iter().map(|&problem| problem.to_owned()).collect();
    assert_eq!(decoded::<T>(text), Err(expected), "{text}");
}

#[test]
fn scalars_become_what_the_field_wants() {
    check::<Router>(
        "{rule: 010, service: 1_000, entrypoints: [1, true, 1.5], PRIORITY: \"012\", ruleSyntax: on}",
        json!({"rule": "8", "service": "1000", "entryPoints": ["1", "true", "1.500000"], "priority": 12, "ruleSyntax": "on"}),
    );
    check::<Service>(
        "loadBalancer: {passHostHeader: 0, servers: [{url: a, preservePath: T, weight: 1e1}]}",
        json!({"loadBalancer": {"strategy": "wrr", "passHostHeader": false, "responseForwarding": {"flushInterval": "100ms"},
            "servers": [{"url": "a", "preservePath": true, "weight": 10}]}}),
    );
    check::<Middleware>(
        "retry: {attempts: 1, initialInterval: 100, timeout: 1m, status: 500}",
        json!({"retry": {"attempts": 1, "initialInterval": "1m40s", "timeout": "1m0s", "maxRequestBodyBytes": 2_097_152, "status": ["500"]}}),
    );
}

#[test]
fn a_text_for_a_list_is_cut_at_its_commas() {
    check::<Router>(
        "entryPoints: 'a, b,,c'",
        json!({"entryPoints": ["a", "b", "", "c"]}),
    );
    check::<Router>("entryPoints: ''", json!({}));
    check::<Router>(
        "entryPoints: ['b,c', ' d ', \"\\u00a0e\"]",
        json!({"entryPoints": ["b,c", "d", "e"]}),
    );
    // Elsewhere blanks stay.
    check::<Router>("service: ' s '", json!({"service": " s "}));
}

/// As Traefik 3.7.15 reads them.
#[test]
fn an_object_that_may_be_empty_is_there_where_it_is_empty() {
    for (text, sticky) in [
        ("{}", json!({})),
        ("true", json!({})),
        ("''", json!({})),
        ("[]", json!({})),
        ("{cookie: []}", json!({"cookie": {"path": "/"}})),
        ("{cookie: ''}", json!({"cookie": {"path": "/"}})),
        ("{cookie: {}}", json!({"cookie": {"path": "/"}})),
    ] {
        let service =
            format!("loadBalancer: {{passHostHeader: ~, responseForwarding: ~, sticky: {text}}}");
        let read = decoded::<Service>(&service).unwrap();
        assert_eq!(read["loadBalancer"]["sticky"], sticky, "{text}");
    }
    check::<Service>(
        "loadBalancer: {passHostHeader: true, sticky: false}",
        json!({"loadBalancer": {"strategy": "wrr", "passHostHeader": true, "responseForwarding": {"flushInterval": "100ms"}}}),
    );
}

#[test]
fn nothing_is_as_if_it_were_not_written() {
    check::<Router>("{rule: , service: ~, entryPoints: []}", json!({}));
    check::<Middleware>(
        "compress: {encodings: []}",
        json!({"compress": {"encodings": ["gzip", "br", "zstd"]}}),
    );
    check::<Middleware>("addPrefix: ", json!({}));
    check::<Middleware>(
        "headers: {customRequestHeaders: {X-A: , X-B: ''}}",
        json!({"headers": {"customRequestHeaders": {"X-B": ""}}}),
    );
}

#[test]
fn objects_that_may_be_empty_can_be_switched() {
    check::<Router>("tls: {}", json!({"tls": {}}));
    check::<Router>("tls: TRUE", json!({"tls": {}}));
    check::<Router>("{tls: false, rule: x}", json!({"rule": "x"}));
    check::<Service>(
        "weighted: {services: [{name: a}], healthCheck: true}",
        json!({"weighted": {"services": [{"name": "a", "weight": 1}], "healthCheck": {}}}),
    );
    check_refused::<Router>(
        "tls: perhaps",
        &["1:it.tls: expected an object or true or false, found \"perhaps\""],
    );
}

#[test]
fn objects_that_may_not_be_empty_are_refused() {
    for text in ["addPrefix: {}", "addPrefix: {prefix: }", "addPrefix: true"] {
        check_refused::<Middleware>(
            text,
            &[
                "1:it.addPrefix: addPrefix cannot be a standalone element: it needs at least one field",
            ],
        );
    }
    check_refused::<Service>(
        "weighted: {services: [], sticky: {}}",
        &[
            "1:it.weighted.sticky: sticky cannot be a standalone element: it needs at least one field",
        ],
    );
    check::<Middleware>("addPrefix: {prefix: ''}", json!({"addPrefix": {}}));
}

#[test]
fn all_unknown_fields_are_named_with_their_place() {
    check_refused::<Router>(
        "rul: x\nservice: y\ntls:\n  certresolvr: le\n  zzz: 1\nservic: z\n",
        &[
            "1:it.rul: unknown field \"rul\", did you mean \"rule\"?",
            "6:it.servic: unknown field \"servic\", did you mean \"service\"?",
            "4:it.tls.certresolvr: unknown field \"certresolvr\", did you mean \"certResolver\"?",
            "5:it.tls.zzz: unknown field \"zzz\"",
        ],
    );
}

#[test]
fn values_that_do_not_fit_are_named_with_their_place() {
    check_refused::<Router>(
        "\npriority: high",
        &["2:it.priority: expected a whole number, found \"high\""],
    );
    check_refused::<Router>(
        "rule: [x]",
        &["1:it.rule: expected a single value, found a list"],
    );
    check_refused::<Router>(
        "rule: {x: y}",
        &["1:it.rule: expected a single value, found an object"],
    );
    check_refused::<Router>(
        "entryPoints: [a, {b: c}]",
        &["1:it.entryPoints[1]: expected a single value, found an object"],
    );
    check_refused::<Router>(
        "tls: {domains: [{main: a}, x]}",
        &["1:it.tls.domains[1]: expected an object, found \"x\""],
    );
    check_refused::<Middleware>(
        "retry: {timeout: 1d}",
        &["1:it.retry.timeout: invalid duration \"1d\": unknown unit: use ns, us, ms, s, m or h"],
    );
    check_refused::<Router>(
        "{rule: a, Rule: b}",
        &["1:it.Rule: the field \"rule\" is given twice"],
    );
    check_refused::<Middleware>(
        "headers: {customRequestHeaders: {X.Y: [1]}}",
        &["1:it.headers.customRequestHeaders[\"X.Y\"]: expected a single value, found a list"],
    );
}

#[test]
fn what_a_plugin_is_told_stays_as_written() {
    check::<Middleware>(
        "plugin: {p: {a: 1, b: [1, {c: d}], e: true, f: 1.5}}",
        json!({"plugin": {"p": {"a": 1, "b": [1, {"c": "d"}], "e": true, "f": 1.5}}}),
    );
}

#[test]
fn a_switched_off_object_is_left_out_wherever_it_is() {
    #[derive(Debug, Deserialize, Serialize)]
    struct Many {
        routers: Vec<Router>,
    }
    check::<Many>(
        "routers: [{tls: false}, {tls: true}, {tls: 'False', rule: x}]",
        json!({"routers": [{}, {"tls": {}}, {"rule": "x"}]}),
    );
}

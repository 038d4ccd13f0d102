//! The path middlewares against Traefik.

use http::HeaderMap;
use serde_json::Value;
use traefikrs_gourl::canonical_path;

use crate::support::{get, pass, stack};

fn list<'a>(value: &'a Value, key: &str) -> &'a Vec<Value> {
    value[key].as_array().expect("a list")
}

fn strings(value: &Value, key: &str) -> Vec<String> {
    list(value, key)
        .iter()
        .map(|text| text.as_str().expect("text").to_owned())
        .collect()
}

/// The recording writes bytes as the first 256 characters; blanks at the ends are no part of a value on the wire.
fn latin1(headers: &HeaderMap, name: &str) -> Vec<String> {
    let text = |value: &http::HeaderValue| {
        let value = value.as_bytes().trim_ascii().iter();
        value.map(|&byte| char::from(byte)).collect()
    };
    headers.get_all(name).iter().map(text).collect()
}

#[test]
fn paths_are_rewritten_as_traefik_rewrites_them() {
    let groups: Value =
        serde_json::from_str(include_str!("../../testdata/traefik-paths.json")).unwrap();
    for group in groups.as_array().unwrap() {
        let configs: Vec<_> = list(group, "middlewares")
            .iter()
            .map(Value::to_string)
            .collect();
        let stack = stack(&configs.iter().map(String::as_str).collect::<Vec<_>>());
        for case in list(group, "cases") {
            let target = case["request"].as_str().unwrap();
            let context = format!("{configs:?} {target}");
            let (path, query) = target
                .split_once('?')
                .map_or((target, None), |(path, query)| (path, Some(query)));
            let path = canonical_path(path).unwrap();
            let mut request =
                get(&query.map_or_else(|| path.to_string(), |query| format!("{path}?{query}")));
            match pass(&stack, &mut request) {
                Err(answer) => assert_eq!(case["status"], answer.status().as_u16(), "{context}"),
                Ok(seen) => {
                    assert_eq!(case["target"], seen, "{context}");
                    let headers = &request.headers;
                    assert_eq!(
                        latin1(headers, "x-forwarded-prefix"),
                        strings(case, "prefixes"),
                        "{context}"
                    );
                    assert_eq!(
                        latin1(headers, "x-replaced-path"),
                        strings(case, "replaced"),
                        "{context}"
                    );
                }
            }
        }
    }
}

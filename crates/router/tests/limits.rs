//! Rules as large as their authors like.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use http::HeaderMap;
use traefikrs_router::{Matcher, Priority, Rank, RequestView, Route, RouteTable};
use traefikrs_rule::{Syntax, parse};

fn joined(count: usize, operator: &str, call: impl Fn(usize) -> String) -> String {
    let calls: Vec<String> = (0..count).map(call).collect();
    format!("({})", calls.join(operator))
}

/// The rule takes this request and, with another method, does not.
fn check(text: &str, host: &str, path: &str) {
    let rule = parse(text, Syntax::V3).unwrap();
    let matcher = Matcher::new(&rule).unwrap();
    let mut table = RouteTable::new();
    table.insert(Route {
        name: "r".into(),
        matcher,
        priority: Priority::new(0, &rule),
        rank: Rank::UNLISTED,
        value: (),
    });
    let headers = HeaderMap::new();
    let found = |table: &RouteTable<()>, method: &str| {
        let request = RequestView {
            method,
            host,
            raw_host: host,
            flattened_host: None,
            path: path.as_bytes(),
            query: None,
            headers: &headers,
            peer: None,
        };
        table.find(&request).is_some()
    };
    assert!(found(&table, "GET"), "{} bytes", text.len());
    assert!(!found(&table, "PUT"), "{} bytes", text.len());
    assert!(table.remove("r").is_some());
    assert!(table.is_empty() && !found(&table, "GET"));
}

#[test]
fn large_rules_are_indexed_without_growing() {
    let hosts = |count| joined(count, " || ", |index| format!("Host(`h{index}.test`)"));
    let prefixes = |count| joined(count, " || ", |index| format!("PathPrefix(`/p{index}`)"));
    let methods = |count| joined(count, " && ", |_| "Method(`get`)".to_owned());
    let pairs = |count| {
        joined(count, " || ", |index| {
            format!(
                "{} && {} && {}",
                hosts(2),
                prefixes(index % 9 + 1),
                methods(1)
            )
        })
    };

    check(
        &format!("{} && {}", hosts(3_000), methods(3_000)),
        "h2999.test",
        "/",
    );
    check(
        &format!(
            "{} && {} && {}",
            hosts(2_000),
            prefixes(2_000),
            methods(2_000)
        ),
        "h7.test",
        "/p1999",
    );
    check(
        &format!("{} && {} && {}", prefixes(2_000), methods(1), hosts(2_000)),
        "h1999.test",
        "/p7",
    );
    check(&pairs(500), "h1.test", "/p0/x");
    check(
        &format!("{} && {}", vec![pairs(20); 30].join(" && "), methods(20)),
        "h1.test",
        "/p0/x",
    );
}

//! The index gives the answers of the linear table, and does so however it came to hold its routes.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use traefikrs_router::{
    LinearTable, Matcher, Precedence, Priority, Rank, RequestView, Route, RouteTable,
};
use traefikrs_rule::{Expr, Function, Syntax, parse};

const LONG: &str = "/loooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooong/path";

const RULE_HOSTS: [&str; 18] = [
    "a.test",
    "A.Test",
    "b.test",
    "a.test.",
    "a.test..",
    "x.a.test",
    "*.test",
    "*.a.test",
    "*.a.test.",
    "*.a.test..",
    "*",
    "*.",
    "*.*.test",
    "*a.test",
    "a.*.test",
    "::1",
    ".",
    "..",
];
const HOSTS: [&str; 18] = [
    "a.test",
    "a.test.",
    "a.test..",
    "b.test",
    "x.a.test",
    "x.a.test.",
    "y.x.a.test",
    "test",
    "test.",
    "",
    ".",
    "..",
    ".test",
    "*.test",
    "*",
    "a.",
    "::1",
    "a.*.test",
];
const PATHS: [&str; 16] = [
    "/", "/a", "/a/", "/ab", "/a/b", "/a/b/c", "/a%2Fb", "/b", "/b/7", "/é", "*", "", LONG, "/loo",
    "/A", "/a//b",
];
const PATTERNS: [&str; 18] = [
    "^/a",
    "^/a/[^/]+$",
    "b$",
    "^$",
    ".*",
    "^a\\.test$",
    "^[ab]\\.test",
    "(?i)^/A",
    "^/(a|b)",
    "7",
    "x",
    "^/a/b",
    "^.+\\.test$",
    "^x\\.",
    "\\.a\\.test$",
    "(\\.test\\.)$",
    "^(a\\.)?test\\.$",
    "^(x\\.a)\\.test$",
];
const TEMPLATES: [&str; 8] = [
    "/a",
    "/{x}",
    "/a/{x}",
    "/{x:a|b}",
    "/{x:[0-9]+}",
    "/b/{id:[0-9]}",
    "/a/b",
    "/é",
];
const HOST_TEMPLATES: [&str; 4] = ["a.test", "{x}.test", "{x:[ab]+}.test", "{x:.*}"];
const WORDS: [&str; 5] = ["k", "1", "2", "X-A", "Host"];
const QUERIES: [&str; 10] = [
    "",
    "k",
    "k=1",
    "k=2&k=1",
    "1=2",
    "k=%31",
    "2=k&&1",
    "X-A=1",
    "k=%zz&1=1",
    "k=1;1=k",
];
const RANGES: [&str; 6] = [
    "10.0.0.0/8",
    "10.0.0.1",
    "::/0",
    "0.0.0.0/0",
    "::1",
    "::ffff:10.0.0.1",
];
const PEERS: [&str; 4] = ["10.0.0.1", "192.0.2.1", "::1", "::ffff:10.0.0.1"];

fn call(
    function: Function,
    arguments: impl Strategy<Value = Vec<&'static str>> + 'static,
) -> BoxedStrategy<Expr> {
    arguments
        .prop_map(move |arguments| Expr::call(function, arguments))
        .boxed()
}

fn one(values: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    select(values).prop_map(|value| vec![value])
}

fn two(
    keys: &'static [&'static str],
    values: &'static [&'static str],
) -> impl Strategy<Value = Vec<&'static str>> {
    (select(keys), select(values)).prop_map(|(key, value)| vec![key, value])
}

fn rooted() -> impl Strategy<Value = Vec<&'static str>> {
    select(&PATHS[..])
        .prop_filter("rules take rooted paths only", |path| path.starts_with('/'))
        .prop_map(|path| vec![path])
}

fn v3_call() -> impl Strategy<Value = Expr> {
    prop_oneof![
        8 => call(Function::Host, one(&RULE_HOSTS)),
        6 => call(Function::PathPrefix, rooted()),
        4 => call(Function::Path, rooted()),
        3 => call(Function::HostRegexp, one(&PATTERNS)),
        2 => call(Function::PathRegexp, one(&PATTERNS)),
        2 => call(Function::Method, one(&["get", "POST"])),
        2 => call(Function::Header, two(&WORDS, &WORDS)),
        1 => call(Function::HeaderRegexp, two(&WORDS, &PATTERNS)),
        2 => call(Function::Query, two(&WORDS, &WORDS)),
        1 => call(Function::Query, one(&WORDS)),
        1 => call(Function::QueryRegexp, two(&WORDS, &PATTERNS)),
        1 => call(Function::ClientIp, one(&RANGES)),
    ]
}

fn v2_call() -> impl Strategy<Value = Expr> {
    prop_oneof![
        6 => call(Function::Host, vec(select(&RULE_HOSTS[..]), 1..3)),
        2 => call(Function::HostHeader, vec(select(&RULE_HOSTS[..]), 1..3)),
        2 => call(Function::HostRegexp, vec(select(&HOST_TEMPLATES[..]), 1..3)),
        5 => call(Function::PathPrefix, vec(select(&TEMPLATES[..]), 1..3)),
        4 => call(Function::Path, vec(select(&TEMPLATES[..]), 1..3)),
        2 => call(Function::Method, vec(select(&["get", "POST"][..]), 1..3)),
        1 => call(Function::Headers, two(&WORDS, &WORDS)),
        1 => call(Function::HeadersRegexp, two(&WORDS, &PATTERNS)),
        1 => call(Function::Query, vec(select(&["k=1", "k={x}", "k=", "1={x:2|3}"][..]), 1..3)),
        1 => call(Function::ClientIp, vec(select(&RANGES[..]), 1..3)),
    ]
}

fn expr(call: impl Strategy<Value = Expr> + 'static) -> impl Strategy<Value = Expr> {
    call.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            4 => (inner.clone(), inner.clone()).prop_map(|(left, right)| left.and(right)),
            3 => (inner.clone(), inner.clone()).prop_map(|(left, right)| left.or(right)),
            1 => inner.prop_map(Expr::negated),
        ]
    })
}

fn matcher() -> impl Strategy<Value = (Matcher, Priority)> {
    let text = prop_oneof![
        3 => expr(v3_call()).prop_map(|expr| (expr.to_string(), Syntax::V3)),
        1 => expr(v2_call()).prop_map(|expr| (expr.to_string(), Syntax::V2)),
    ];
    (text, prop_oneof![3 => Just(0), 2 => -1..3_i64]).prop_map(|((text, syntax), configured)| {
        let rule = parse(&text, syntax).unwrap();
        (
            Matcher::new(&rule).unwrap(),
            Priority::new(configured, &rule),
        )
    })
}

fn route() -> impl Strategy<Value = Route<usize>> {
    let precedence = Precedence::documented();
    const PROVIDERS: [&str; 3] = ["file", "http", "elsewhere"];
    (
        matcher(),
        0..40_usize,
        select(&PROVIDERS[..]),
        any::<usize>(),
    )
        .prop_map(move |((matcher, priority), name, provider, value)| {
            let name = format!("{name}@{provider}");
            let rank = if name.len() % 2 == 0 {
                precedence.rank(&name)
            } else {
                Rank::UNLISTED
            };
            Route {
                name: name.into(),
                matcher,
                priority,
                rank,
                value,
            }
        })
}

#[derive(Clone, Debug)]
struct Request {
    method: &'static str,
    host: &'static str,
    flattened: Option<&'static str>,
    path: &'static str,
    query: Option<&'static str>,
    headers: Vec<(&'static str, &'static str)>,
    peer: Option<&'static str>,
}

impl Request {
    fn ask<R>(&self, answer: impl FnOnce(&RequestView<'_>) -> R) -> R {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.append(*name, HeaderValue::from_static(value));
        }
        answer(&RequestView {
            method: self.method,
            host: self.host,
            raw_host: self.host,
            flattened_host: self.flattened,
            path: self.path.as_bytes(),
            query: self.query.map(str::as_bytes),
            headers: &headers,
            peer: self.peer.map(|peer| peer.parse::<IpAddr>().unwrap()),
        })
    }
}

fn request() -> impl Strategy<Value = Request> {
    let header = (select(&["x-a", "k", "host"][..]), select(&WORDS[..]));
    (
        select(&["GET", "POST", "get"][..]),
        select(&HOSTS[..]),
        option::weighted(0.1, select(&HOSTS[..])),
        select(&PATHS[..]),
        option::of(select(&QUERIES[..])),
        vec(header, 0..3),
        option::of(select(&PEERS[..])),
    )
        .prop_map(
            |(method, host, flattened, path, query, headers, peer)| Request {
                method,
                host,
                flattened,
                path,
                query,
                headers,
                peer,
            },
        )
}

fn names<'t>(routes: impl IntoIterator<Item = &'t Route<usize>>) -> Vec<(&'t str, usize)> {
    routes
        .into_iter()
        .map(|route| (&*route.name, route.value))
        .collect()
}

fn agree(
    indexed: &RouteTable<usize>,
    linear: &LinearTable<usize>,
    requests: &[Request],
) -> Result<(), TestCaseError> {
    prop_assert_eq!(indexed.len(), linear.len());
    prop_assert_eq!(names(indexed.routes()), names(linear.routes()));
    for request in requests {
        let (found, expected) = request.ask(|view| {
            (
                names(indexed.find_route(view)),
                names(linear.find_route(view)),
            )
        });
        prop_assert_eq!(found, expected, "{:?}", request);
        let (found, expected) =
            request.ask(|view| (names(indexed.find_all(view)), names(linear.find_all(view))));
        prop_assert_eq!(found, expected, "{:?}", request);
    }
    Ok(())
}

#[derive(Clone, Debug)]
enum Change {
    Insert(Box<Route<usize>>),
    Remove(usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        2 => route().prop_map(|route| Change::Insert(Box::new(route))),
        1 => (0..40_usize).prop_map(Change::Remove),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_600, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    /// 1,600 sets of up to 11 routes with 64 requests each: 102,400 pairs, each asked for the first and for all matches.
    #[test]
    fn the_index_agrees_with_the_linear_table(routes in vec(route(), 1..12), requests in vec(request(), 64)) {
        let indexed: RouteTable<_> = routes.iter().cloned().collect();
        let linear: LinearTable<_> = routes.into_iter().collect();
        agree(&indexed, &linear, &requests)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_table_agrees_with_one_made_from_nothing(
        changes in vec(change(), 1..40),
        requests in vec(request(), 16),
    ) {
        let mut indexed = RouteTable::new();
        let mut linear = LinearTable::new();
        for change in changes {
            let before = (indexed.clone(), linear.clone());
            let (replaced, expected) = match change {
                Change::Insert(route) => (indexed.insert((*route).clone()), linear.insert(*route)),
                Change::Remove(name) => {
                    let name = format!("{name}@file");
                    (indexed.remove(&name), linear.remove(&name))
                }
            };
            prop_assert_eq!(names(replaced.as_deref()), names(expected.as_deref()));
            agree(&before.0, &before.1, requests.get(..2).unwrap())?;
        }
        agree(&indexed, &linear, &requests)?;
        let rebuilt: RouteTable<_> = indexed.routes().into_iter().cloned().collect();
        agree(&rebuilt, &linear, &requests)?;
    }
}

//! Compares with the answers recorded from Traefik; see `testdata/README.md`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod intake;

use std::net::IpAddr;

use http::HeaderMap;
use intake::{Outcome, WireRequest, header_map};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use traefikrs_gourl::host::without_port;
use traefikrs_gourl::routing_path;
use traefikrs_router::{
    IpRange, LinearTable, Matcher, Precedence, Priority, RequestView, Route, RouteTable,
    canonical_host,
};
use traefikrs_rule::{Rule, Syntax, parse};

fn cases<T: DeserializeOwned>(json: &str) -> Vec<T> {
    serde_json::from_str(json).unwrap()
}

fn rule(text: &str, syntax: &str) -> Rule {
    parse(text, Syntax::from_setting(syntax)).unwrap_or_else(|error| panic!("{error}"))
}

fn matcher(text: &str, syntax: &str) -> Matcher {
    Matcher::new(&rule(text, syntax)).unwrap_or_else(|error| panic!("{error}"))
}

/// A table of one route, so that every case also goes through the index.
fn table(text: &str, syntax: &str) -> RouteTable<()> {
    let rule = rule(text, syntax);
    let priority = Priority::new(0, &rule);
    let rank = Precedence::default().rank("r");
    RouteTable::from_iter([Route {
        name: "r".into(),
        matcher: matcher(text, syntax),
        priority,
        rank,
        value: (),
    }])
}

#[derive(Deserialize)]
struct Checks<C> {
    syntax: String,
    rule: String,
    checks: Vec<C>,
}

#[derive(Deserialize)]
struct WireCheck {
    #[serde(flatten)]
    request: WireRequest,
    status: u16,
}

#[test]
fn requests_over_the_wire_match_as_for_traefik() {
    let cases: Vec<Checks<WireCheck>> = cases(include_str!("../../testdata/wire.json"));
    let (mut checked, mut skipped) = (0, 0);
    for case in &cases {
        let (matcher, table) = (
            matcher(&case.rule, &case.syntax),
            table(&case.rule, &case.syntax),
        );
        for check in &case.checks {
            if check.request.latin1_target {
                // Such a target is not text, and the target parser refuses it before any rule is asked.
                skipped += 1;
                continue;
            }
            checked += 1;
            let found = check.request.route(|view| matcher.matches(view));
            let indexed = check.request.route(|view| table.find(view).is_some());
            assert_eq!(found, indexed, "{}: {:?}", case.rule, check.request);
            let status = match found {
                Outcome::Matched => 200,
                Outcome::NotFound => 404,
                Outcome::Answered(status) => status,
            };
            assert_eq!(status, check.status, "{}: {:?}", case.rule, check.request);
        }
    }
    println!(
        "{} rules, {checked} requests, {skipped} skipped",
        cases.len()
    );
}

#[derive(Deserialize)]
struct MemoryCheck {
    method: String,
    host: String,
    path: String,
    query: Option<String>,
    headers: Vec<(String, String)>,
    peer: Option<String>,
    matches: bool,
}

#[test]
fn requests_in_memory_match_as_for_traefik() {
    let cases: Vec<Checks<MemoryCheck>> = cases(include_str!("../../testdata/memory.json"));
    let mut checked = 0;
    for case in &cases {
        let (matcher, table) = (
            matcher(&case.rule, &case.syntax),
            table(&case.rule, &case.syntax),
        );
        for check in &case.checks {
            let path = traefikrs_gourl::escaped_path(check.path.as_bytes()).unwrap();
            let view = RequestView {
                method: &check.method,
                host: &canonical_host(&check.host),
                raw_host: &check.host,
                flattened_host: None,
                path: &routing_path(&path),
                query: check.query.as_deref().map(str::as_bytes),
                headers: &header_map(&check.headers, false),
                peer: check.peer.as_ref().and_then(|peer| peer.parse().ok()),
            };
            assert_eq!(
                matcher.matches(&view),
                check.matches,
                "{}: {view:?}",
                case.rule
            );
            assert_eq!(
                table.find(&view).is_some(),
                check.matches,
                "{}: {view:?}",
                case.rule
            );
            checked += 1;
        }
    }
    println!("{} rules, {checked} requests", cases.len());
}

#[derive(Deserialize)]
struct Message {
    syntax: String,
    rule: String,
    message: String,
}

#[test]
fn rules_are_refused_with_the_words_of_traefik() {
    let cases: Vec<Message> = cases(include_str!("../../testdata/messages.json"));
    for case in &cases {
        let error = Matcher::new(&rule(&case.rule, &case.syntax)).unwrap_err();
        assert_eq!(error.to_string(), case.message);
    }
    println!("{} rules", cases.len());
}

#[derive(Deserialize)]
struct PriorityCase {
    desc: String,
    routes: Vec<PriorityRoute>,
    #[serde(default)]
    providers_precedence: Option<Vec<String>>,
    request: PriorityRequest,
    expected_route: Option<String>,
}

#[derive(Deserialize)]
struct PriorityRoute {
    name: String,
    rule: String,
    priority: i64,
    provider: String,
}

#[derive(Deserialize)]
struct PriorityRequest {
    method: String,
    url: String,
}

/// Makes the routes that Traefik would serve: those above the highest priority of users are left out.
fn served(routes: &[PriorityRoute], precedence: &Precedence) -> Vec<Route<String>> {
    let route = |route: &PriorityRoute| {
        let rule = rule(&route.rule, "v3");
        let name = format!("{}@{}", route.name, route.provider);
        Some(Route {
            rank: precedence.rank(&name),
            name: name.into(),
            matcher: Matcher::new(&rule).unwrap(),
            priority: Priority::of_user(route.priority, &rule).ok()?,
            value: route.name.clone(),
        })
    };
    routes.iter().filter_map(route).collect()
}

#[test]
fn the_route_of_traefik_is_found_first() {
    let cases: Vec<PriorityCase> = cases(include_str!("../../testdata/priorities.json"));
    for case in &cases {
        let precedence = Precedence::new(case.providers_precedence.iter().flatten()).unwrap();
        let routes = served(&case.routes, &precedence);
        let linear: LinearTable<_> = routes.iter().cloned().collect();
        let indexed: RouteTable<_> = routes.into_iter().collect();
        let path = case.request.url.strip_prefix("http://localhost").unwrap();
        let view = RequestView {
            method: &case.request.method,
            host: "localhost",
            raw_host: "localhost",
            flattened_host: None,
            path: path.as_bytes(),
            query: None,
            headers: &HeaderMap::new(),
            peer: None,
        };
        assert_eq!(
            linear.find(&view),
            case.expected_route.as_ref(),
            "{}",
            case.desc
        );
        assert_eq!(
            indexed.find(&view),
            case.expected_route.as_ref(),
            "{}",
            case.desc
        );
    }
    println!("{} sets of routes", cases.len());
}

#[derive(Deserialize)]
struct PrecedenceCase {
    desc: String,
    precedence: Vec<String>,
    routers: Vec<PrecedenceRouter>,
    expected: String,
}

#[derive(Deserialize)]
struct PrecedenceRouter {
    name: String,
    rule: String,
    priority: i64,
}

#[test]
fn the_provider_of_traefik_wins() {
    for case in cases::<PrecedenceCase>(include_str!("../../testdata/precedence.json")) {
        let precedence = Precedence::new(case.precedence).unwrap();
        let route = |router: &PrecedenceRouter| {
            let rule = rule(&router.rule, "v3");
            let provider = router.name.split_once('@').unwrap().1.to_owned();
            Route {
                name: router.name.as_str().into(),
                matcher: Matcher::new(&rule).unwrap(),
                priority: Priority::new(router.priority, &rule),
                rank: precedence.rank(&router.name),
                value: provider,
            }
        };
        let table: RouteTable<_> = case.routers.iter().map(route).collect();
        let first = table.routes().first().map(|route| route.value.clone());
        assert_eq!(first, Some(case.expected), "{}", case.desc);
    }
}

#[derive(Deserialize)]
struct HostCase {
    host: String,
    expected: String,
}

#[test]
fn ports_are_taken_off_as_by_traefik() {
    for case in cases::<HostCase>(include_str!("../../testdata/hosts.json")) {
        assert_eq!(without_port(&case.host), case.expected, "{:?}", case.host);
        assert_eq!(
            canonical_host(&case.host),
            case.expected.to_lowercase(),
            "{:?}",
            case.host
        );
    }
}

#[derive(Deserialize)]
struct RangeCase {
    ranges: Vec<String>,
    error: Option<String>,
    inside: Vec<String>,
    outside: Vec<String>,
}

#[test]
fn addresses_are_in_the_ranges_of_traefik() {
    let mut checked = 0;
    for case in cases::<RangeCase>(include_str!("../../testdata/ip_ranges.json")) {
        let ranges: Result<Vec<IpRange>, _> =
            case.ranges.iter().map(|range| range.parse()).collect();
        let ranges = match (ranges, case.error) {
            (Ok(ranges), None) => ranges,
            (Err(error), Some(message)) => {
                assert_eq!(format!("parsing CIDR trusted IPs <nil>: {error}"), message);
                continue;
            }
            (result, error) => panic!(
                "{:?} gives {result:?}, but {error:?} for Traefik",
                case.ranges
            ),
        };
        let contains = |address: &str| {
            // The zone of a peer's address is not part of it.
            let address: IpAddr = address.split('%').next().unwrap().parse().unwrap();
            ranges.iter().any(|range| range.contains(address))
        };
        for address in case.inside.iter() {
            assert!(contains(address), "{address} in {:?}", case.ranges);
        }
        for address in case.outside.iter() {
            assert!(!contains(address), "{address} not in {:?}", case.ranges);
        }
        checked += case.inside.len() + case.outside.len();
    }
    println!("{checked} addresses");
}

#[derive(Deserialize)]
struct RoutingPathCase {
    path: String,
    routing_path: String,
}

#[test]
fn the_path_that_rules_see_is_that_of_traefik() {
    for case in cases::<RoutingPathCase>(include_str!("../../testdata/routing_paths.json")) {
        assert_eq!(
            *routing_path(&case.path),
            *case.routing_path.as_bytes(),
            "{}",
            case.path
        );
    }
}

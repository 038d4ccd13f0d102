use http::HeaderMap;
use traefikrs_router::{
    LinearTable, Matcher, Priority, Rank, RequestView, Route, RouteTable, canonical_host,
};
use traefikrs_rule::{Expr, Function, Rule, Syntax, parse};

/// The index finds for any host what the linear table finds.
///
/// The input is a host for v3, a host for v2, a raw host, and a flattened name, one a line.
pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n').map(str::to_owned);
    let mut line = || lines.next().unwrap_or_default();
    let (v3, v2, raw_host, flattened) = (line(), line(), line(), line());
    let rules = [host_rule(&v3, Syntax::V3), host_rule(&v2, Syntax::V2)];
    let routes: Vec<Route<usize>> = rules
        .into_iter()
        .flatten()
        .enumerate()
        .filter_map(route)
        .collect();
    let linear: LinearTable<usize> = routes.iter().cloned().collect();
    let indexed: RouteTable<usize> = routes.into_iter().collect();
    let host = canonical_host(&raw_host);
    let headers = HeaderMap::new();
    for flattened_host in [None, Some(flattened.as_str())] {
        let view = RequestView {
            method: "GET",
            host: &host,
            raw_host: &raw_host,
            flattened_host,
            path: b"/",
            query: None,
            headers: &headers,
            peer: None,
        };
        let names = |routes: Vec<&Route<usize>>| {
            routes
                .into_iter()
                .map(|route| route.value)
                .collect::<Vec<_>>()
        };
        assert_eq!(indexed.find(&view), linear.find(&view));
        assert_eq!(
            names(indexed.find_all(&view)),
            names(linear.find_all(&view))
        );
    }
}

fn host_rule(host: &str, syntax: Syntax) -> Option<Rule> {
    parse(&Expr::call(Function::Host, [host]).to_string(), syntax).ok()
}

fn route((value, rule): (usize, Rule)) -> Option<Route<usize>> {
    let priority = Priority::new(0, &rule);
    let matcher = Matcher::new(&rule).ok()?;
    Some(Route {
        name: value.to_string().into(),
        matcher,
        priority,
        rank: Rank::UNLISTED,
        value,
    })
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    [
        "a.test\na.test\nA.test:80\nb.test",
        "*.test\n*\na.test.\na.test",
        "*.\n.\n.\n",
        "::1\n[::1]\n[::1]:80\n",
        "*.a.test..\na..\na.\nb..",
    ]
    .map(|seed| seed.as_bytes().to_vec())
    .into()
}

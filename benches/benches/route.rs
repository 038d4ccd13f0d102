//! How long does it take to find the route of a request, and to change the table?
//!
//! The figures to look at: `indexed` flat from 10 to 100,000 rules, hit or miss, and no worse for one host with many
//! prefixes or for many wildcard hosts. `random` asks for a different route each time, so it also pays for memory that
//! is not in the caches.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use http::HeaderMap;
use traefikrs_router::{LinearTable, Matcher, Priority, Rank, RequestView, Route, RouteTable};
use traefikrs_rule::{Syntax, parse};

const SIZES: [usize; 4] = [10, 1_000, 10_000, 100_000];
/// One try after the other takes longer than anyone wants to wait beyond this.
const LARGEST_LINEAR: usize = 10_000;

/// A family of tables: the rule of each route, and a request that it takes.
struct Shape {
    name: &'static str,
    rule: fn(usize) -> String,
    request: fn(usize) -> (String, String),
    miss: (&'static str, &'static str),
}

const SHAPES: [Shape; 5] = [
    Shape {
        name: "host_and_prefix",
        rule: |index| format!("Host(`svc-{index}.example.com`) && PathPrefix(`/api`)"),
        request: |index| {
            (
                format!("svc-{index}.example.com"),
                "/api/v1/users/42".to_owned(),
            )
        },
        miss: ("www.example.org", "/api/v1/users/42"),
    },
    Shape {
        name: "one_host_many_prefixes",
        rule: |index| format!("Host(`example.com`) && PathPrefix(`/tenant-{index}/api`)"),
        request: |index| {
            (
                "example.com".to_owned(),
                format!("/tenant-{index}/api/v1/users/42"),
            )
        },
        miss: ("example.com", "/tenant-/api/v1/users/42"),
    },
    Shape {
        name: "many_wildcards",
        rule: |index| format!("Host(`*.tenant-{index}.example.com`)"),
        request: |index| (format!("www.tenant-{index}.example.com"), "/".to_owned()),
        miss: ("www.tenant-x.example.com", "/"),
    },
    Shape {
        name: "prefixes_without_host",
        rule: |index| format!("PathPrefix(`/tenant-{index}/api`) && Method(`GET`)"),
        request: |index| ("example.com".to_owned(), format!("/tenant-{index}/api/v1")),
        miss: ("example.com", "/tenants"),
    },
    Shape {
        name: "host_regexps",
        rule: |index| format!(r"HostRegexp(`^[a-z]+\.tenant-{index}\.example\.com$`)"),
        request: |index| (format!("www.tenant-{index}.example.com"), "/".to_owned()),
        miss: ("www.tenant-x.example.com", "/"),
    },
];

impl Shape {
    fn route(&self, index: usize) -> Route<usize> {
        let rule = parse(&(self.rule)(index), Syntax::V3).expect("a rule");
        Route {
            name: format!("route-{index}@file").into(),
            matcher: Matcher::new(&rule).expect("a matcher"),
            priority: Priority::new(0, &rule),
            rank: Rank::UNLISTED,
            value: index,
        }
    }
}

fn view<'a>(host: &'a str, path: &'a str, headers: &'a HeaderMap) -> RequestView<'a> {
    RequestView {
        method: "GET",
        host,
        raw_host: host,
        flattened_host: None,
        path: path.as_bytes(),
        query: None,
        headers,
        peer: None,
    }
}

fn lookups(criterion: &mut Criterion) {
    let headers = HeaderMap::new();
    for shape in SHAPES {
        let mut group = criterion.benchmark_group(format!("route/{}", shape.name));
        for size in SIZES {
            let routes: Vec<Route<usize>> = (0..size).map(|index| shape.route(index)).collect();
            let indexed: RouteTable<usize> = routes.iter().cloned().collect();
            for (which, index) in [("first", 0), ("last", size - 1)] {
                let (host, path) = (shape.request)(index);
                let request = view(&host, &path, &headers);
                assert_eq!(indexed.find(&request), Some(&index));
                group.bench_function(
                    BenchmarkId::new(format!("indexed/{which}"), size),
                    |bencher| {
                        bencher.iter(|| indexed.find(black_box(&request)));
                    },
                );
            }
            let missing = view(shape.miss.0, shape.miss.1, &headers);
            assert_eq!(indexed.find(&missing), None);
            group.bench_function(BenchmarkId::new("indexed/miss", size), |bencher| {
                bencher.iter(|| indexed.find(black_box(&missing)));
            });
            let scattered: Vec<(String, String)> = (0..size)
                .map(|index| (shape.request)(index * 7919 % size))
                .collect();
            group.bench_function(BenchmarkId::new("indexed/random", size), |bencher| {
                let mut requests = scattered.iter().cycle();
                bencher.iter(|| {
                    let (host, path) = requests.next().expect("endless");
                    indexed
                        .find(black_box(&view(host, path, &headers)))
                        .copied()
                });
            });
            if size <= LARGEST_LINEAR {
                linear(&mut group, &shape, routes, &missing);
            }
        }
        group.finish();
    }
}

fn linear(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    shape: &Shape,
    routes: Vec<Route<usize>>,
    missing: &RequestView<'_>,
) {
    let size = routes.len();
    let table: LinearTable<usize> = routes.into_iter().collect();
    // The route that is tried last: its rule is the shortest.
    let last = table.routes().last().map_or(0, |route| route.value);
    let (host, path) = (shape.request)(last);
    let request = view(&host, &path, missing.headers);
    group.bench_function(BenchmarkId::new("linear/last", size), |bencher| {
        bencher.iter(|| table.find(black_box(&request)));
    });
    group.bench_function(BenchmarkId::new("linear/miss", size), |bencher| {
        bencher.iter(|| table.find(black_box(missing)));
    });
}

fn changes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("route/change");
    group.sample_size(20);
    let [shape, one_host, ..] = &SHAPES;
    for size in SIZES {
        let routes: Vec<Route<usize>> = (0..size).map(|index| shape.route(index)).collect();
        group.bench_function(BenchmarkId::new("build", size), |bencher| {
            bencher.iter(|| routes.iter().cloned().collect::<RouteTable<_>>());
        });
        for (name, shape) in [
            ("replace_one", shape),
            ("replace_one_of_one_host", one_host),
        ] {
            let table: RouteTable<usize> = (0..size).map(|index| shape.route(index)).collect();
            let route = shape.route(size / 2);
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| {
                    let mut next = table.clone();
                    next.insert(route.clone());
                    next
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, lookups, changes);
criterion_main!(benches);

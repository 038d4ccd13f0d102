//! From a merged configuration to what serves it: from nothing, and after one change.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use serde_json::{Map, json};
use traefikrs_compile::{Options, compile};
use traefikrs_config::dynamic::Configuration;

fn configuration(routers: usize) -> Configuration {
    let mut http_routers = Map::new();
    let mut services = Map::new();
    for n in 0..routers {
        http_routers.insert(
            format!("r{n}@file"),
            json!({
                "entryPoints": ["web"],
                "rule": format!("Host(`h{n}.example.com`) && PathPrefix(`/api`)"),
                "service": format!("s{n}"),
                "middlewares": ["strip"],
            }),
        );
        services.insert(
            format!("s{n}@file"),
            json!({ "loadBalancer": { "servers": [
                { "url": format!("http://10.0.{}.{}:8080", n / 250, n % 250) },
                { "url": format!("http://10.1.{}.{}:8080", n / 250, n % 250) },
            ] } }),
        );
    }
    let configuration = json!({ "http": {
        "routers": http_routers,
        "services": services,
        "middlewares": { "strip@file": { "stripPrefix": { "prefixes": ["/api"] } } },
    } });
    serde_json::from_value(configuration).expect("the configuration is well formed")
}

fn compile_all(c: &mut Criterion) {
    let options = Options {
        entry_points: [("web".to_owned(), Default::default())].into(),
        ..Options::default()
    };
    let mut group = c.benchmark_group("compile");
    group.sample_size(10);
    for routers in [100, 1_000, 10_000] {
        let configuration = configuration(routers);
        group.bench_function(BenchmarkId::new("from nothing", routers), |bencher| {
            bencher.iter(|| compile(black_box(&configuration), &options, None));
        });
        let previous = compile(&configuration, &options, None);
        group.bench_function(BenchmarkId::new("unchanged", routers), |bencher| {
            bencher.iter(|| compile(black_box(&configuration), &options, Some(&previous)));
        });
    }
    group.finish();
}

criterion_group!(benches, compile_all);
criterion_main!(benches);

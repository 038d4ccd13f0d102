//! From a merged configuration to what serves it: from nothing, and after one change.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use serde_json::{Map, json};
use traefikrs_compile::{Options, compile};
use traefikrs_config::dynamic::{Configuration, Router};
use traefikrs_config::merge::{Configurations, MergeOptions, Merged};

/// As a provider gives it; names become full ones when it is merged.
fn configuration(routers: usize) -> Configuration {
    let mut http_routers = Map::new();
    let mut services = Map::new();
    for n in 0..routers {
        http_routers.insert(
            format!("r{n}"),
            json!({
                "entryPoints": ["web"],
                "rule": format!("Host(`h{n}.example.com`) && PathPrefix(`/api`)"),
                "service": format!("s{n}"),
                "middlewares": ["strip"],
            }),
        );
        services.insert(
            format!("s{n}"),
            json!({ "loadBalancer": { "servers": [
                { "url": format!("http://10.0.{}.{}:8080", n / 250, n % 250) },
                { "url": format!("http://10.1.{}.{}:8080", n / 250, n % 250) },
            ] } }),
        );
    }
    let configuration = json!({ "http": {
        "routers": http_routers,
        "services": services,
        "middlewares": { "strip": { "stripPrefix": { "prefixes": ["/api"] } } },
    } });
    serde_json::from_value(configuration).expect("the configuration is well formed")
}

/// The same with another host for one of the routers, all others shared.
fn with_one_changed(configuration: &Configuration) -> Configuration {
    let mut changed = configuration.clone();
    let routers = &mut changed.http.as_mut().expect("it has routers").routers;
    let mut router = Router::clone(&routers["r7"]);
    router.rule = "Host(`changed.example.com`)".into();
    routers.insert("r7", router);
    changed
}

fn compile_all(c: &mut Criterion) {
    let options = Options {
        entry_points: [("web".to_owned(), Default::default())].into(),
        ..Options::default()
    };
    let merge_options = MergeOptions::default();
    let provided = |configuration| [("file".to_owned(), Arc::new(configuration))].into();
    let mut group = c.benchmark_group("merge and compile");
    group.sample_size(10);
    for routers in [100, 1_000, 10_000] {
        let configuration = configuration(routers);
        let changed = provided(with_one_changed(&configuration));
        let configuration = provided(configuration);
        group.bench_function(BenchmarkId::new("from nothing", routers), |bencher| {
            bencher.iter(|| {
                let merged = Merged::default().next(black_box(&configuration), &merge_options);
                compile(&merged.configuration, &options, None)
            });
        });
        let merged = Merged::default().next(&configuration, &merge_options);
        let previous = compile(&merged.configuration, &options, None);
        let after = |configuration: &Configurations| {
            let merged = merged.next(black_box(configuration), &merge_options);
            compile(&merged.configuration, &options, Some(&previous))
        };
        group.bench_function(BenchmarkId::new("unchanged", routers), |bencher| {
            bencher.iter(|| after(&configuration));
        });
        group.bench_function(BenchmarkId::new("one changed", routers), |bencher| {
            bencher.iter(|| after(&changed));
        });
    }
    group.finish();
}

criterion_group!(benches, compile_all);
criterion_main!(benches);

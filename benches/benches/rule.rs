//! How long does it take to read a rule?

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use traefikrs_rule::{Syntax, domains, parse};

fn rules(criterion: &mut Criterion) {
    let short = "Host(`shop.example.com`) && PathPrefix(`/api`)".to_owned();
    let long = (0..200)
        .map(|index| {
            format!("(Host(`tenant-{index}.example.com`) && !PathPrefix(`/admin/{index}`))")
        })
        .collect::<Vec<_>>()
        .join(" || ");
    let mut group = criterion.benchmark_group("rule");
    for (name, text) in [("short", &short), ("long", &long)] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(format!("parse/{name}"), |bencher| {
            bencher.iter(|| parse(black_box(text), Syntax::V3));
        });
        group.bench_function(format!("domains/{name}"), |bencher| {
            bencher.iter(|| domains(black_box(text)));
        });
    }
    group.finish();
}

criterion_group!(benches, rules);
criterion_main!(benches);

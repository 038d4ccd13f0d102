//! Whose turn is it? Weighted round robin among few and many servers.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use traefikrs_lb::strategy::Wrr;

fn pick(c: &mut Criterion) {
    let mut group = c.benchmark_group("pick/wrr");
    for servers in [2, 10, 100, 1_000] {
        let weights = (0..servers).map(|server| 1 + server % 3);
        let mut wrr = Wrr::new(weights);
        group.bench_function(BenchmarkId::from_parameter(servers), |bencher| {
            bencher.iter(|| wrr.pick(|_| true));
        });
    }
    let mut wrr = Wrr::new([1; 100]);
    group.bench_function("100, half of them down", |bencher| {
        bencher.iter(|| wrr.pick(|server| server % 2 == 0));
    });
    group.finish();
}

criterion_group!(benches, pick);
criterion_main!(benches);

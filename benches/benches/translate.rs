//! How long does a change in the cluster take to become a configuration?

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use traefikrs_k8s_translate::{Cluster, Options, translate};

/// IngressRoutes with a middleware and a Service of three endpoints each, as a tenant writes them.
fn objects(n_routes: usize) -> Vec<Value> {
    (0..n_routes).flat_map(tenant).collect()
}

fn tenant(index: usize) -> [Value; 4] {
    let metadata =
        |name: String| json!({ "name": name, "namespace": format!("ns-{}", index % 100) });
    let addresses: Vec<Value> = (1..=3)
        .map(|pod| json!({ "addresses": [format!("10.{}.{}.{pod}", index / 256, index % 256)] }))
        .collect();
    let mut slice = json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata(format!("svc-{index}-x")),
        "ports": [{ "name": "web", "port": 8080 }],
        "endpoints": addresses,
    });
    slice["metadata"]["labels"] = json!({ "kubernetes.io/service-name": format!("svc-{index}") });
    [
        json!({
            "apiVersion": "traefik.io/v1alpha1",
            "kind": "IngressRoute",
            "metadata": metadata(format!("route-{index}")),
            "spec": {
                "entryPoints": ["websecure"],
                "routes": [{
                    "match": format!("Host(`app-{index}.example.com`) && PathPrefix(`/api`)"),
                    "middlewares": [{ "name": format!("strip-{index}") }],
                    "services": [{ "name": format!("svc-{index}"), "port": "web" }],
                }],
                "tls": {},
            },
        }),
        json!({
            "apiVersion": "traefik.io/v1alpha1",
            "kind": "Middleware",
            "metadata": metadata(format!("strip-{index}")),
            "spec": { "stripPrefix": { "prefixes": ["/api"] } },
        }),
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata(format!("svc-{index}")),
            "spec": { "type": "ClusterIP", "clusterIP": "10.0.0.1", "ports": [{ "name": "web", "port": 80, "protocol": "TCP" }] },
        }),
        slice,
    ]
}

fn cluster(objects: Vec<Value>) -> Cluster {
    let mut cluster = Cluster::new();
    for object in objects {
        cluster.apply(object);
    }
    cluster
}

fn translation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("translate");
    group.sample_size(20);
    for n_routes in [1_000, 10_000] {
        let objects = objects(n_routes);
        group.bench_function(BenchmarkId::new("apply", n_routes), |bencher| {
            bencher.iter_batched(|| objects.clone(), cluster, BatchSize::LargeInput);
        });
        let cluster = cluster(objects);
        let options = Options::default();
        let routers = translate(&cluster, &options)
            .configuration
            .http
            .map(|http| http.routers.len());
        assert_eq!(routers, Some(n_routes));
        group.bench_function(BenchmarkId::new("translate", n_routes), |bencher| {
            bencher.iter_with_large_drop(|| translate(&cluster, &options));
        });
    }
    group.finish();
}

criterion_group!(benches, translation);
criterion_main!(benches);

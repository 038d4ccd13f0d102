use traefikrs_k8s_translate::manifest::documents;
use traefikrs_k8s_translate::{Cluster, Options, translate};

/// Any manifest translates to a configuration and findings, twice the same.
pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut cluster = Cluster::new();
    for object in documents(&text).filter_map(|document| document.object.ok()) {
        cluster.apply_manifest(object, None);
    }
    let options = Options {
        allow_cross_namespace: true,
        allow_external_name_services: true,
        ..Options::default()
    };
    let first = translate(&cluster, &options);
    let second = translate(&cluster, &options);
    assert_eq!(first.configuration, second.configuration);
    assert_eq!(first.diagnostics, second.diagnostics);
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let route = "apiVersion: traefik.io/v1alpha1\nkind: IngressRoute\nmetadata: {name: r, namespace: n}\nspec:\n  routes:\n  - {match: Host(`a`), kind: Rule, services: [{name: s, port: 80, weight: 2}], middlewares: [{name: m}]}\n";
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: n}\nspec: {type: ExternalName, externalName: a.test, ports: [{port: 80}]}\n";
    let middleware = "apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata: {name: m, namespace: n}\nspec: {retry: {attempts: 2, initialInterval: 1s}}\n";
    let weighted = "apiVersion: traefik.io/v1alpha1\nkind: TraefikService\nmetadata: {name: w, namespace: n}\nspec: {weighted: {services: [{name: w, kind: TraefikService}, {name: s, port: 80}]}}\n";
    [route, service, middleware, weighted]
        .iter()
        .map(|seed| seed.as_bytes().to_vec())
        .chain([[route, service, middleware].join("---\n").into_bytes()])
        .collect()
}

use serde_json::{Value, json};
use traefikrs_config::diagnostic::Location;

use super::{Cluster, Key, Kind};

fn object(kind: Kind, name: &str, rest: &Value) -> Value {
    let mut object = json!({
        "apiVersion": kind.api_version(),
        "kind": kind.as_str(),
        "metadata": { "name": name, "namespace": "apps" },
    });
    for (field, value) in rest.as_object().unwrap() {
        object[field] = value.clone();
    }
    object
}

fn key(namespace: &str, name: &str) -> Key {
    Key {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

#[test]
fn every_kind_is_kept_replaced_deleted_and_reset() {
    for kind in Kind::ALL {
        let mut cluster = Cluster::new();
        assert!(cluster.apply(object(kind, "a", &json!({}))), "{kind:?}");
        assert!(cluster.apply(object(kind, "a", &json!({}))), "{kind:?}");
        assert!(cluster.delete(kind, "apps", "a"), "{kind:?}");
        assert!(!cluster.delete(kind, "apps", "a"), "{kind:?}");
        cluster.apply(object(kind, "b", &json!({})));
        cluster.reset(kind);
        assert!(!cluster.delete(kind, "apps", "b"), "{kind:?}");
    }
}

#[test]
fn kinds_are_told_by_their_group_too() {
    assert_eq!(Kind::of("v1", "Service"), Some(Kind::Service));
    assert_eq!(Kind::of("serving.knative.dev/v1", "Service"), None);
    assert_eq!(
        Kind::of("traefik.io/v1alpha1", "TLSOption"),
        Some(Kind::TlsOption)
    );
    assert_eq!(Kind::of("discovery.k8s.io/v1beta1", "EndpointSlice"), None);
}

#[test]
fn nulls_mean_unset_but_a_plugin_keeps_its_own() {
    let mut cluster = Cluster::new();
    cluster.apply(object(
        Kind::EndpointSlice,
        "a",
        &json!({ "endpoints": null, "ports": [{ "name": null, "port": 80 }] }),
    ));
    let slice = cluster.endpoint_slices[&key("apps", "a")]
        .content
        .clone()
        .unwrap();
    assert_eq!((slice.endpoints.len(), slice.ports[0].port), (0, Some(80)));
    let spec = json!({ "compress": null, "plugin": { "mine": { "a": null } } });
    cluster.apply(object(Kind::Middleware, "a", &json!({ "spec": spec })));
    let middleware = cluster.middlewares[&key("apps", "a")]
        .content
        .clone()
        .unwrap();
    assert_eq!(middleware.compress, None);
    assert_eq!(middleware.plugin["mine"], json!({ "a": null }));
}

#[test]
fn a_manifest_becomes_what_an_api_server_keeps() {
    let mut cluster = Cluster::new();
    let text = "
apiVersion: v1
kind: Secret
metadata: {name: a}
data: {both: bG9zZXI=, kept: a2VwdA==}
stringData: {both: winner}
";
    for document in crate::manifest::documents(text) {
        cluster.apply_manifest(document.object.unwrap(), None);
    }
    let secret = cluster.secrets[&key("default", "a")]
        .content
        .clone()
        .unwrap();
    assert_eq!(secret.data["both"].text(), "winner");
    assert_eq!(secret.data["kept"].text(), "kept");
    assert_eq!(secret.secret_type, "Opaque");

    let service = json!({ "spec": { "ports": [{ "port": 80 }] } });
    cluster.apply_manifest(object(Kind::Service, "a", &service), None);
    let service = &cluster.services[&key("apps", "a")]
        .content
        .clone()
        .unwrap()
        .spec;
    assert_eq!(
        (
            service.service_type.as_str(),
            service.ports[0].protocol.as_str()
        ),
        ("ClusterIP", "TCP")
    );
}

#[test]
fn booleans_of_old_yaml_are_booleans_in_manifests() {
    let mut cluster = Cluster::new();
    let spec = json!({ "basicAuth": { "removeHeader": "yes", "realm": "no" } });
    cluster.apply_manifest(
        object(Kind::Middleware, "a", &json!({ "spec": spec })),
        None,
    );
    let middleware = cluster.middlewares[&key("apps", "a")]
        .content
        .clone()
        .unwrap();
    let auth = middleware.basic_auth.unwrap();
    assert_eq!((auth.remove_header, auth.realm.as_str()), (true, "no"));
}

#[test]
fn a_secret_does_not_print() {
    let mut cluster = Cluster::new();
    cluster.apply(object(
        Kind::Secret,
        "a",
        &json!({ "data": { "key": "aHVudGVyMg==" } }),
    ));
    let printed = format!("{cluster:?}");
    assert!(
        !printed.contains("hunter2") && printed.contains("key"),
        "{printed}"
    );
}

#[test]
fn a_broken_route_leaves_the_others_alone() {
    let mut cluster = Cluster::new();
    let spec = json!({ "routes": [{ "match": "A" }, { "match": 5 }, "text", { "match": "B" }] });
    cluster.apply(object(Kind::IngressRoute, "a", &json!({ "spec": spec })));
    let object = &cluster.ingress_routes[&key("apps", "a")];
    let rules: Vec<_> = object
        .content
        .as_ref()
        .unwrap()
        .routes
        .iter()
        .map(|route| route.as_ref().map(|route| route.match_rule.as_str()))
        .collect();
    assert_eq!(rules, [Some("A"), None, None, Some("B")]);
    let paths: Vec<_> = object
        .findings
        .iter()
        .map(|finding| finding.path.as_str())
        .collect();
    assert_eq!(paths, ["spec.routes[1].match", "spec.routes[2]"]);
}

#[test]
fn objects_that_are_no_objects_do_no_harm() {
    for value in [
        json!(null),
        json!([]),
        json!("text"),
        json!({ "kind": 5 }),
        json!({ "apiVersion": "v1", "kind": "Secret" }),
    ] {
        let mut cluster = Cluster::new();
        cluster.apply(value.clone());
        cluster.apply_manifest(
            value,
            Some(Location {
                file: "f".to_owned(),
                line: 1,
            }),
        );
    }
    for rest in [
        json!({ "metadata": [] }),
        json!({ "metadata": { "name": 5 } }),
        json!({ "spec": [] }),
        json!({ "spec": "text" }),
    ] {
        for kind in Kind::ALL {
            let mut cluster = Cluster::new();
            cluster.apply(object(kind, "a", &rest));
            cluster.apply_manifest(object(kind, "a", &rest), None);
        }
    }
}

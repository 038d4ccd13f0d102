//! The binary, as a user calls it.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const ROUTE: &str = "
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: web, namespace: apps}
spec:
  routes:
  - match: Host(`example.com`)
    services: [{name: whoami, port: 80, namespace: other}]
";

const SERVICE: &str = "
apiVersion: v1
kind: Service
metadata: {name: whoami, namespace: other}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: whoami-1, namespace: other, labels: {kubernetes.io/service-name: whoami}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.1]}]
ports: [{port: 8080}]
";

fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().expect("a temporary directory can be made");
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("it is below the directory"))
            .expect("directories can be made");
        fs::write(path, text).expect("files can be written");
    }
    directory
}

fn translate(directory: &TempDir, args: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_traefikrs-controller"))
        .arg("translate")
        .args(args)
        .current_dir(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut input = child.stdin.take().expect("it is piped");
    // It may end before it reads.
    input.write_all(stdin.as_bytes()).ok();
    drop(input);
    child.wait_with_output().expect("the binary ends")
}

fn stdout(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("the standard output is JSON")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_directory_becomes_a_configuration() {
    let directory = directory(&[
        ("route.yaml", ROUTE),
        ("deep/service.yml", SERVICE),
        ("notes.txt", "["),
    ]);
    let output = translate(
        &directory,
        &["--providers.kubernetesCRD.AllowCrossNamespace", "."],
        "",
    );
    assert_eq!(stderr(&output), "");
    assert_eq!(output.status.code(), Some(0));
    let services = &stdout(&output)["http"]["services"];
    let service = services
        .as_object()
        .and_then(|services| services.values().next());
    assert_eq!(
        service.map(|service| service["loadBalancer"]["servers"].clone()),
        Some(serde_json::json!([{ "url": "http://10.0.0.1:8080" }]))
    );
}

#[test]
fn diagnostics_name_the_place_and_do_not_fail_the_run() {
    let directory = directory(&[("route.yaml", ROUTE), ("service.yaml", SERVICE)]);
    let output = translate(&directory, &["route.yaml", "service.yaml"], "");
    assert_eq!(
        stderr(&output),
        "route.yaml:2: error[CrossNamespaceForbidden] IngressRoute apps/web at spec.routes[0].services[0].namespace: \
         Service other/whoami is not in the namespace apps; move it there or set `allowCrossNamespace` (route dropped)\n\
         1 error(s), 0 warning(s)\n"
    );
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stdout(&output)["http"], serde_json::json!({}));
}

#[test]
fn diagnostics_can_be_json() {
    let directory = directory(&[("route.yaml", ROUTE)]);
    let output = translate(&directory, &["--format", "json", "route.yaml"], "");
    let lines: Vec<Value> = stderr(&output)
        .lines()
        .map(|line| serde_json::from_str(line).expect("every line is JSON"))
        .collect();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["reason"], "CrossNamespaceForbidden");
    assert_eq!(
        lines[0]["location"],
        serde_json::json!({ "file": "route.yaml", "line": 2 })
    );
}

#[test]
fn the_standard_input_is_read_as_a_list_of_objects() {
    let list = r#"{"kind": "List", "apiVersion": "v1", "items": [{"apiVersion": "traefik.io/v1alpha1", "kind": "Middleware",
        "metadata": {"name": "a"}, "spec": {"addPrefix": {"prefix": "/x"}}}]}"#;
    let output = translate(&directory(&[]), &["-"], list);
    assert_eq!(stderr(&output), "");
    assert_eq!(
        stdout(&output)["http"]["middlewares"],
        serde_json::json!({ "default-a": { "addPrefix": { "prefix": "/x" } } })
    );
}

#[test]
fn key_material_is_not_printed() {
    let manifest = "
apiVersion: v1
kind: Secret
metadata: {name: cert}
stringData: {tls.crt: PUBLIC, tls.key: PRIVATE}
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: web}
spec: {routes: [], tls: {secretName: cert}}
";
    let output = translate(&directory(&[]), &["-"], manifest);
    assert_eq!(stderr(&output), "");
    assert_eq!(stdout(&output)["tls"], serde_json::json!({}));
}

#[test]
fn a_broken_document_among_good_ones_is_a_diagnostic() {
    let text = format!("{SERVICE}---\nkind: [\n");
    let output = translate(&directory(&[]), &["-"], &text);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        stderr(&output).starts_with("<stdin>:15: error[Unparsable]"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn inputs_that_cannot_be_read_fail_the_run() {
    let directory = directory(&[("broken.yaml", "a: 1\n  b: [\n"), ("empty/readme.txt", "")]);
    for (path, complaint) in [
        ("missing.yaml", "reading missing.yaml"),
        ("broken.yaml", "broken.yaml:"),
        ("empty", "no .yaml, .yml or .json file below empty"),
    ] {
        let output = translate(&directory, &[path], "");
        assert_eq!(output.status.code(), Some(2), "{path}");
        assert!(
            stderr(&output).contains(complaint),
            "{path}: {}",
            stderr(&output)
        );
        assert_eq!(output.stdout, b"", "{path}");
    }
}

#[test]
fn wrong_flags_are_explained() {
    let directory = directory(&[("route.yaml", ROUTE)]);
    for (flag, complaint) in [
        (
            "--providers.kubernetescrd.allowCrosNamespace",
            "allowCrossNamespace",
        ),
        (
            "--providers.kubernetescrd.labelSelector=a is (b)",
            "invalid label selector",
        ),
        (
            "--providers.kubernetescrd.allowCrossNamespace=maybe",
            "maybe",
        ),
    ] {
        let output = translate(&directory, &[flag, "route.yaml"], "");
        assert_eq!(output.status.code(), Some(2), "{flag}");
        assert!(
            stderr(&output)
                .to_lowercase()
                .contains(&complaint.to_lowercase()),
            "{flag}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn an_empty_list_of_cross_provider_namespaces_allows_none() {
    let manifest = "
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: web}
spec: {routes: [{match: PathPrefix(`/`), services: [{kind: TraefikService, name: api@internal}]}]}
";
    let unset = translate(&directory(&[]), &["-"], manifest);
    assert_eq!(stderr(&unset), "");
    let empty = translate(
        &directory(&[]),
        &["--providers.kubernetescrd.crossProviderNamespaces=", "-"],
        manifest,
    );
    assert!(
        stderr(&empty).contains("CrossProviderForbidden"),
        "{}",
        stderr(&empty)
    );
}

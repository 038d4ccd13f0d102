use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::timeout;
use traefikrs_config::static_config::KubernetesManifests;
use traefikrs_provider::{Aggregator, Running, Snapshot};

use super::ManifestProvider;

/// A provider at work on a directory of its own.
struct Watched {
    directory: TempDir,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    _running: Running,
}

/// Long enough for a busy machine; a test that holds never waits for it.
const DEADLINE: Duration = Duration::from_secs(20);

impl Watched {
    fn new(files: &[(&str, &str)], options: KubernetesManifests) -> Self {
        let directory = TempDir::new().unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        let options = KubernetesManifests {
            directory: directory.path().display().to_string(),
            ..options
        };
        let mut aggregator = Aggregator::new(None);
        aggregator.add(ManifestProvider::new(&options).unwrap());
        let running = aggregator.start();
        Self {
            directory,
            snapshots: running.snapshots(),
            _running: running,
        }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.directory.path().join(name), text).unwrap();
    }

    /// Waits until there are exactly the routers of these rules.
    async fn has(&mut self, expected: &[&str]) -> Arc<Snapshot> {
        let now = self.snapshots.clone();
        let waiting = self
            .snapshots
            .wait_for(|snapshot| snapshot.is_complete() && rules(snapshot) == expected);
        match timeout(DEADLINE, waiting).await {
            Ok(snapshot) => snapshot.unwrap().clone(),
            Err(_) => panic!("still {:?}", now.borrow()),
        }
    }

    fn messages(&self, snapshot: &Snapshot) -> Vec<String> {
        let directory = format!("{}/", self.directory.path().display());
        let diagnostics = snapshot.all_diagnostics();
        diagnostics
            .map(|diagnostic| diagnostic.to_string().replace(&directory, ""))
            .collect()
    }
}

fn rules(snapshot: &Snapshot) -> Vec<String> {
    let configuration = snapshot.configurations.get("kubernetescrd");
    let http = configuration.and_then(|configuration| configuration.http.as_ref());
    let routers = http.map(|http| &http.routers).into_iter().flatten();
    let mut rules: Vec<_> = routers.map(|(_, router)| router.rule.to_string()).collect();
    rules.sort();
    rules
}

fn route(name: &str, namespace: &str, path: &str) -> String {
    format!(
        "apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  routes:
  - match: Path(`{path}`)
    kind: Rule
    services: [{{kind: TraefikService, name: api@internal}}]
"
    )
}

#[tokio::test]
async fn objects_are_translated_and_watched() {
    let two = format!(
        "{}---\n{}",
        route("a", "apps", "/a"),
        route("b", "apps", "/b")
    );
    let mut watched = Watched::new(&[("1.yml", &two)], KubernetesManifests::default());
    let snapshot = watched.has(&["Path(`/a`)", "Path(`/b`)"]).await;
    assert_eq!(watched.messages(&snapshot), [""; 0]);
    watched.write("1.yml", &route("a", "apps", "/c"));
    watched.has(&["Path(`/c`)"]).await;
    watched.write("2.yaml", &route("d", "apps", "/d"));
    watched.has(&["Path(`/c`)", "Path(`/d`)"]).await;
    fs::remove_file(watched.directory.path().join("1.yml")).unwrap();
    watched.has(&["Path(`/d`)"]).await;
}

#[tokio::test]
async fn the_options_decide_which_objects_count() {
    let options = KubernetesManifests {
        namespaces: vec!["apps".to_owned()],
        ..KubernetesManifests::default()
    };
    let (ours, others) = (route("a", "apps", "/a"), route("b", "other", "/b"));
    let mut watched = Watched::new(&[("1.yml", &ours), ("2.yml", &others)], options);
    watched.has(&["Path(`/a`)"]).await;
    let options = KubernetesManifests {
        label_selector: "a b".to_owned(),
        ..KubernetesManifests::default()
    };
    assert!(ManifestProvider::new(&options).is_err());
}

#[tokio::test]
async fn a_broken_document_costs_its_own_objects() {
    let two = format!(
        "{}---\n{}",
        route("a", "apps", "/a"),
        route("b", "apps", "/b")
    );
    let mut watched = Watched::new(&[("1.yml", &two)], KubernetesManifests::default());
    watched.has(&["Path(`/a`)", "Path(`/b`)"]).await;
    watched.write(
        "1.yml",
        &format!("{}---\nspec: [\n", route("a", "apps", "/a")),
    );
    let snapshot = watched.has(&["Path(`/a`)"]).await;
    assert_eq!(
        watched.messages(&snapshot),
        [
            "1.yml:11: error[Unparsable] document 1.yml: did not find expected node content (object dropped)"
        ]
    );
}

#[tokio::test]
async fn a_file_without_a_readable_document_keeps_its_objects() {
    let mut watched = Watched::new(
        &[("1.yml", &route("a", "apps", "/a"))],
        KubernetesManifests::default(),
    );
    watched.has(&["Path(`/a`)"]).await;
    watched.write("1.yml", "spec: [\n");
    watched.write("2.yml", &route("b", "apps", "/b"));
    let snapshot = watched.has(&["Path(`/a`)", "Path(`/b`)"]).await;
    assert_eq!(
        watched.messages(&snapshot),
        [
            "1.yml:2: error[Unparsable] document 1.yml: did not find expected node content (file ignored)"
        ]
    );
    watched.write("1.yml", "# nothing\n");
    let snapshot = watched.has(&["Path(`/b`)"]).await;
    assert_eq!(watched.messages(&snapshot), [""; 0]);
}

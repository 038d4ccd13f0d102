use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::timeout;

use super::FileProvider;
use crate::aggregate::{Aggregator, Running, Snapshot};

/// A provider at work on a directory of its own.
struct Watched {
    directory: TempDir,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    running: Running,
}

/// Long enough for a busy machine; a test that holds never waits for it.
const DEADLINE: Duration = Duration::from_secs(20);

impl Watched {
    /// Begins to watch `root` in a directory with these files.
    fn new(files: &[(&str, &str)], root: &str) -> Self {
        let directory = TempDir::new().unwrap();
        for (name, text) in files {
            write(directory.path(), name, text);
        }
        Self::of(directory, root)
    }

    fn of(directory: TempDir, root: &str) -> Self {
        let mut aggregator = Aggregator::new(None);
        aggregator.add(FileProvider::directory(directory.path().join(root)));
        let running = aggregator.start();
        Self {
            directory,
            snapshots: running.snapshots(),
            running,
        }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn write(&self, name: &str, text: &str) {
        write(self.path(), name, text);
    }

    /// Waits until exactly these routers are there, as `name=rule`.
    async fn has(&mut self, expected: &[&str]) -> Arc<Snapshot> {
        self.until(|snapshot| routers(snapshot) == expected).await
    }

    async fn until(&mut self, holds: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        let now = self.snapshots.clone();
        let waiting = self
            .snapshots
            .wait_for(|snapshot| snapshot.is_complete() && holds(snapshot));
        match timeout(DEADLINE, waiting).await {
            Ok(snapshot) => snapshot.unwrap().clone(),
            Err(_) => panic!("still {:?}", now.borrow()),
        }
    }
}

fn write(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn routers(snapshot: &Snapshot) -> Vec<String> {
    let http = snapshot
        .configurations
        .get("file")
        .and_then(|configuration| configuration.http.as_ref());
    let routers = http.map(|http| &http.routers).into_iter().flatten();
    routers
        .map(|(name, router)| format!("{name}={}", router.rule))
        .collect()
}

fn messages(snapshot: &Snapshot, directory: &Path) -> Vec<String> {
    let directory = format!("{}/", directory.display());
    let messages = snapshot
        .all_diagnostics()
        .map(|diagnostic| diagnostic.to_string().replace(&directory, ""));
    messages.collect()
}

fn router(name: &str, rule: &str) -> String {
    format!("http: {{routers: {{{name}: {{rule: {rule}}}}}}}\n")
}

#[tokio::test]
async fn a_file_is_read_again_when_it_is_written() {
    let mut watched = Watched::new(&[("f.yml", &router("a", "x"))], "f.yml");
    watched.has(&["a=x"]).await;
    watched.write("f.yml", &router("a", "y"));
    watched.has(&["a=y"]).await;
}

#[tokio::test]
async fn a_file_is_read_again_when_another_takes_its_place() {
    let mut watched = Watched::new(&[("f.yml", &router("a", "x"))], "f.yml");
    watched.has(&["a=x"]).await;
    for rule in ["y", "z"] {
        watched.write("f.yml.tmp", &router("a", rule));
        fs::rename(
            watched.path().join("f.yml.tmp"),
            watched.path().join("f.yml"),
        )
        .unwrap();
        watched.has(&[&format!("a={rule}")]).await;
    }
}

/// What the kubelet does when a mounted ConfigMap changes.
fn mount(directory: &Path, generation: &str, text: &str) {
    write(directory, &format!("..{generation}/f.yml"), text);
    symlink(format!("..{generation}"), directory.join("..tmp")).unwrap();
    fs::rename(directory.join("..tmp"), directory.join("..data")).unwrap();
}

#[tokio::test]
async fn a_mounted_config_map_is_followed() {
    for root in ["", "f.yml"] {
        let directory = TempDir::new().unwrap();
        mount(directory.path(), "1", &router("a", "x"));
        symlink("..data/f.yml", directory.path().join("f.yml")).unwrap();
        let mut watched = Watched::of(directory, root);
        let snapshot = watched.has(&["a=x"]).await;
        assert_eq!(messages(&snapshot, watched.path()), [""; 0]);
        for (generation, rule) in [("2", "y"), ("3", "z")] {
            mount(watched.path(), generation, &router("a", rule));
            watched.has(&[&format!("a={rule}")]).await;
        }
    }
}

#[tokio::test]
async fn a_link_out_of_the_directory_is_followed() {
    let directory = TempDir::new().unwrap();
    write(directory.path(), "elsewhere/g.yml", &router("a", "x"));
    fs::create_dir(directory.path().join("root")).unwrap();
    symlink("../elsewhere/g.yml", directory.path().join("root/f.yml")).unwrap();
    let mut watched = Watched::of(directory, "root");
    watched.has(&["a=x"]).await;
    watched.write("elsewhere/g.yml", &router("a", "y"));
    watched.has(&["a=y"]).await;
}

#[tokio::test]
async fn all_files_of_a_directory_are_read() {
    let mut watched = Watched::new(
        &[
            ("a.yml", &router("a", "x")),
            ("deep/er/b.yaml", &router("b", "x")),
            ("c.toml", "[http.routers.c]\nrule = \"x\"\n"),
            ("d.txt", &router("d", "x")),
            ("e.json", &router("e", "x")),
            (".#f.yml", "<"),
        ],
        "",
    );
    watched.has(&["a=x", "b=x", "c=x"]).await;
    watched.write("new/g.yml", &router("g", "x"));
    watched.has(&["a=x", "b=x", "c=x", "g=x"]).await;
    fs::remove_file(watched.path().join("a.yml")).unwrap();
    watched.has(&["b=x", "c=x", "g=x"]).await;
    fs::remove_dir_all(watched.path().join("deep")).unwrap();
    watched.has(&["c=x", "g=x"]).await;
}

#[tokio::test]
async fn the_first_of_two_files_counts() {
    let mut watched = Watched::new(
        &[
            ("b.yml", &router("a", "second")),
            ("a.yml", &router("a", "first")),
        ],
        "",
    );
    let snapshot = watched.has(&["a=first"]).await;
    assert_eq!(
        messages(&snapshot, watched.path()),
        [
            "b.yml: error[DuplicateName] router a@file: already defined in a.yml: the first counts (overridden by another object)"
        ]
    );
    fs::remove_file(watched.path().join("a.yml")).unwrap();
    let snapshot = watched.has(&["a=second"]).await;
    assert_eq!(snapshot.all_diagnostics().count(), 0);
}

#[tokio::test]
async fn a_file_that_does_not_parse_stays_as_it_was() {
    let mut watched = Watched::new(
        &[("a.yml", &router("a", "x")), ("b.yml", &router("b", "x"))],
        "",
    );
    watched.has(&["a=x", "b=x"]).await;
    watched.write("a.yml", "http: [");
    watched.write("b.yml", &router("b", "y"));
    let snapshot = watched.has(&["a=x", "b=y"]).await;
    assert_eq!(
        messages(&snapshot, watched.path()),
        [
            "a.yml:2: error[Unparsable] file a.yml: not YAML: did not find expected node content (file ignored)"
        ]
    );
    watched.write("a.yml", &router("a", "z"));
    let snapshot = watched.has(&["a=z", "b=y"]).await;
    assert_eq!(snapshot.all_diagnostics().count(), 0);
}

#[tokio::test]
async fn a_mistake_costs_its_element_only() {
    let mut watched = Watched::new(
        &[(
            "a.yml",
            "http:\n  routers:\n    a: {rule: x}\n    b: {rul: y}\n",
        )],
        "a.yml",
    );
    let snapshot = watched.has(&["a=x"]).await;
    assert_eq!(
        messages(&snapshot, watched.path()),
        [
            "a.yml:4: error[UnknownField] router b@file at http.routers.b.rul: unknown field \"rul\", did you mean \"rule\"? (object dropped)"
        ]
    );
}

#[tokio::test]
async fn a_template_is_refused() {
    let mut watched = Watched::new(&[("a.yml", "# x\n{{ range . }}\n")], "");
    let snapshot = watched.has(&[]).await;
    assert_eq!(
        messages(&snapshot, watched.path()),
        [
            "a.yml:2: error[NotServed] file a.yml: Go templates (`{{ … }}`) are not supported (file ignored)"
        ]
    );
}

#[tokio::test]
async fn a_file_may_come_late_and_come_back() {
    let mut watched = Watched::new(&[], "sub/f.yml");
    let snapshot = watched.has(&[]).await;
    assert_eq!(
        messages(&snapshot, watched.path()),
        ["error[Unreadable] file sub/f.yml: No such file or directory (os error 2) (file ignored)"]
    );
    for rule in ["x", "y"] {
        watched.write("sub/f.yml", &router("a", rule));
        let snapshot = watched.has(&[&format!("a={rule}")]).await;
        assert_eq!(snapshot.all_diagnostics().count(), 0);
        fs::remove_dir_all(watched.path().join("sub")).unwrap();
        watched.has(&[]).await;
    }
}

#[tokio::test]
async fn an_unwatched_file_is_read_when_asked_for() {
    let directory = TempDir::new().unwrap();
    write(directory.path(), "f.yml", &router("a", "x"));
    let mut aggregator = Aggregator::new(None);
    aggregator.add(FileProvider::file(directory.path().join("f.yml")).unwatched());
    let running = aggregator.start();
    let mut watched = Watched {
        directory,
        snapshots: running.snapshots(),
        running,
    };
    watched.has(&["a=x"]).await;
    watched.write("f.yml", &router("a", "y"));
    watched.running.ask_again();
    watched.has(&["a=y"]).await;
}

#[tokio::test]
async fn files_that_are_named_are_read_too_and_again() {
    let directory = TempDir::new().unwrap();
    let named = directory.path().join("ca.pem");
    write(directory.path(), "ca.pem", "one");
    let transport = format!("{{rootCAs: ['{}']}}", named.display());
    let text = format!("http: {{serversTransports: {{t: {transport}}}}}\n");
    write(directory.path(), "f.yml", &text);
    let mut watched = Watched::of(directory, "f.yml");
    watched
        .until(|now| root(now) == Some(Ok("one".to_owned())))
        .await;
    watched.write("ca.pem", "two");
    watched
        .until(|now| root(now) == Some(Ok("two".to_owned())))
        .await;
    fs::remove_file(&named).unwrap();
    watched
        .until(|now| matches!(root(now), Some(Err(reason)) if reason.contains("No such file")))
        .await;
}

/// The root certificate of the transport `t`.
fn root(snapshot: &Snapshot) -> Option<Result<String, String>> {
    let http = snapshot.configurations.get("file")?.http.as_ref()?;
    let root = http.servers_transports.get("t")?.root_cas.first()?;
    Some(root.content().map(str::to_owned))
}

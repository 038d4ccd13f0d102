//! Small manifests in, configuration and diagnostics out.
//!
//! Each `testdata/golden/<topic>/<case>.yaml` has a snapshot beside it. A first line
//! `# options: {allowCrossNamespace: true}` sets options by their names in the static configuration.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use traefikrs_config::diagnostic::Location;
use traefikrs_config::dynamic::Configuration;
use traefikrs_config::static_config::KubernetesCrd;
use traefikrs_k8s_translate::manifest::documents;
use traefikrs_k8s_translate::{Cluster, Options, translate};

#[derive(Serialize)]
struct Outcome {
    #[serde(flatten)]
    configuration: Configuration,
    diagnostics: Vec<String>,
}

fn outcome(file: &str, text: &str) -> Outcome {
    let mut cluster = Cluster::new();
    for document in documents(text) {
        let location = Location {
            file: file.to_owned(),
            line: document.line,
        };
        cluster.apply_manifest(document.object.expect("the case is YAML"), Some(location));
    }
    let translation = translate(&cluster, &options(text));
    Outcome {
        configuration: translation.configuration,
        diagnostics: translation
            .diagnostics
            .iter()
            .map(ToString::to_string)
            .collect(),
    }
}

fn options(text: &str) -> Options {
    let first = text.lines().next().unwrap_or_default();
    let provider: KubernetesCrd = match first.strip_prefix("# options: ") {
        Some(options) => serde_yaml::from_str(options).expect("options decode"),
        None => KubernetesCrd::default(),
    };
    Options::try_from(&provider).expect("the selector is valid")
}

fn cases() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/golden");
    let mut cases: Vec<PathBuf> = fs::read_dir(directory)
        .expect("there are topics")
        .flat_map(|topic| {
            fs::read_dir(topic.expect("topics can be read").path()).expect("topics are directories")
        })
        .map(|case| case.expect("cases can be read").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    cases.sort();
    cases
}

#[test]
fn manifests_become_what_their_snapshots_say() {
    for case in cases() {
        let text = fs::read_to_string(&case).expect("cases are files");
        let name = case
            .file_stem()
            .and_then(|name| name.to_str())
            .expect("names are text");
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(case.parent().expect("cases are in topics"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings
            .bind(|| insta::assert_yaml_snapshot!(name, outcome(&format!("{name}.yaml"), &text)));
    }
}

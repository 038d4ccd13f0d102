//! Kubernetes objects out of files.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;
use traefikrs_config::diagnostic::{Consequence, Diagnostic, Location, Subject};
use traefikrs_config::reason;
use traefikrs_config::static_config::KubernetesManifests;
use traefikrs_k8s_translate::manifest::{Document, documents};
use traefikrs_k8s_translate::{Cluster, InvalidSelector, Options, translate};
use traefikrs_provider::files::{Files, Reading, unreadable};
use traefikrs_provider::{Provider, Update, Updates};

/// The name behind the `@`: the one that objects use for each other in a cluster.
const NAME: &str = "kubernetescrd";

/// What directories are searched for.
const EXTENSIONS: &[&str] = &["yaml", "yml", "json"];

/// Configuration out of Kubernetes manifests in a file or a directory.
///
/// A document that does not parse costs its own objects only: they are as if they were deleted. A
/// file of which nothing can be read keeps the objects that it had.
#[derive(Debug)]
pub struct ManifestProvider {
    files: Files,
    watch: bool,
    options: Options,
}

impl ManifestProvider {
    /// A provider as the static configuration asks for it.
    ///
    /// # Errors
    ///
    /// A label selector that is none.
    pub fn new(options: &KubernetesManifests) -> Result<Self, InvalidSelector> {
        let root = match options.directory.as_str() {
            "" => &options.path,
            directory => directory,
        };
        Ok(Self {
            files: Files::new(root, EXTENSIONS),
            watch: options.watch,
            options: Options::try_from(options)?,
        })
    }
}

impl Provider for ManifestProvider {
    fn name(&self) -> &str {
        NAME
    }

    fn run(self: Box<Self>, updates: Updates) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let Self {
            files,
            watch,
            options,
        } = *self;
        let mut memory = Memory::default();
        let update = move |reading| memory.update(reading, &options);
        Box::pin(files.follow(watch, updates, update))
    }
}

/// What was read before, by file.
#[derive(Debug, Default)]
struct Memory(BTreeMap<PathBuf, Known>);

#[derive(Debug, Default)]
struct Known {
    text: Option<Arc<str>>,
    /// Each object, and the line on which its document starts.
    objects: Vec<(usize, Value)>,
    diagnostics: Vec<Diagnostic>,
}

impl Memory {
    /// What the objects of all files ask for now.
    fn update(&mut self, reading: Reading, options: &Options) -> Update {
        let before = std::mem::take(&mut self.0);
        let (now, mut diagnostics) = reading.remember(before, read);
        self.0 = now;
        let mut cluster = Cluster::new();
        for (path, known) in &self.0 {
            diagnostics.extend(known.diagnostics.iter().cloned());
            let file = path.display().to_string();
            for (line, object) in &known.objects {
                let location = Location {
                    file: file.clone(),
                    line: *line,
                };
                cluster.apply_manifest(object.clone(), Some(location));
            }
        }
        let translation = translate(&cluster, options);
        diagnostics.extend(translation.diagnostics);
        Update {
            configuration: Arc::new(translation.configuration),
            diagnostics,
        }
    }
}

/// What a file says, given what it said before.
fn read(path: &Path, text: io::Result<Arc<str>>, before: Option<Known>) -> Known {
    let before = before.unwrap_or_default();
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            return Known {
                text: None,
                diagnostics: vec![unreadable(path, &error)],
                ..before
            };
        }
    };
    if before.text.as_ref() == Some(&text) {
        return before;
    }
    let mut known = Known::default();
    let mut errors = Vec::new();
    for Document { line, object } in documents(&text) {
        match object {
            Ok(object) => known.objects.push((line, object)),
            Err(error) => errors.push(error),
        }
    }
    let is_lost = known.objects.is_empty() && !errors.is_empty();
    let consequence = if is_lost {
        known.objects = before.objects;
        Consequence::FileIgnored
    } else {
        Consequence::ObjectDropped
    };
    let file = path.display().to_string();
    known.diagnostics.extend(errors.into_iter().map(|error| {
        let location = Location {
            file: file.clone(),
            line: error.line,
        };
        let subject = Subject::named("document", &file);
        Diagnostic::error(subject, reason::UNPARSABLE, error.problem)
            .located(Some(location))
            .leads_to(consequence)
    }));
    known.text = Some(text);
    known
}

#[cfg(test)]
mod tests;

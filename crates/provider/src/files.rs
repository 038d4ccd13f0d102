//! Which files are there, what do they hold, and when does that change?

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use traefikrs_config::diagnostic::{Consequence, Diagnostic, Subject};
use traefikrs_config::reason;

use crate::provider::{Update, Updates};

mod watch;

use watch::Changes;

/// A file, or the files below a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    root: PathBuf,
    /// What the name of a file in a directory ends with, behind the dot.
    extensions: &'static [&'static str],
}

/// What was found.
#[derive(Debug, Default)]
pub struct Reading {
    /// The text of each file, in the order of the paths, or why it cannot be read.
    pub texts: BTreeMap<PathBuf, io::Result<Arc<str>>>,
    /// Directories that cannot be listed, and why; a root that does not exist is one.
    pub unreadable: Vec<(PathBuf, io::Error)>,
    /// Every directory in which a change would change the reading.
    pub(crate) directories: Vec<PathBuf>,
}

/// Larger files are not read: they are no configuration.
const LARGEST_FILE: u64 = 64 << 20;

impl Files {
    /// The file, or those files below the directory, whose name ends with one of the extensions.
    /// A file that is named by itself may have any.
    pub fn new(root: impl Into<PathBuf>, extensions: &'static [&'static str]) -> Self {
        Self {
            root: root.into(),
            extensions,
        }
    }

    /// Where the files are.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Reads all files.
    pub fn read(&self) -> Reading {
        let mut reading = Reading::default();
        if self.root.is_dir() {
            self.read_directory(&self.root, &mut reading);
        } else {
            if let Some(directory) = existing_parent(&self.root) {
                reading.directories.push(directory);
            }
            match std::fs::metadata(&self.root) {
                Ok(_) => reading.read_file(self.root.clone()),
                Err(error) => reading.unreadable.push((self.root.clone(), error)),
            }
        }
        reading.directories.sort();
        reading.directories.dedup();
        reading
    }

    /// Reads all files, and again when that is asked for, or when they may have changed if that is wanted; sends what
    /// the files ask for.
    pub async fn follow(
        self,
        watch: bool,
        updates: Updates,
        mut update: impl FnMut(Reading) -> Update,
    ) {
        if !watch {
            loop {
                updates.send(update(self.read()));
                updates.asked().await;
            }
        }
        let root = self.root.display().to_string();
        let mut changes = Changes::new(self);
        loop {
            let mut update = update(changes.read());
            if let Some(problem) = changes.problem() {
                let message = format!("cannot be watched, so it is read every second: {problem}");
                let subject = Subject::named("file", &root);
                let warning = Diagnostic::warning(subject, reason::UNREADABLE, message);
                update.diagnostics.push(warning);
            }
            updates.send(update);
            tokio::select! {
                () = changes.changed() => {}
                () = updates.asked() => {}
            }
        }
    }

    fn read_directory(&self, directory: &Path, reading: &mut Reading) {
        reading.directories.push(directory.to_owned());
        if let Some(parent) = existing_parent(directory) {
            // So that it is seen when the directory itself is replaced.
            reading.directories.push(parent);
        }
        let entries =
            std::fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                reading.unreadable.push((directory.to_owned(), error));
                return;
            }
        };
        for entry in entries {
            let path = entry.path();
            if is_passed_over(&path) {
                continue;
            }
            // Traefik: links to directories are not followed, those to files are.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.read_directory(&path, reading);
            } else if self.has_extension(&path) && !path.is_dir() {
                reading.read_file(path);
            }
        }
    }

    fn has_extension(&self, path: &Path) -> bool {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| self.extensions.contains(&extension))
    }
}

impl Reading {
    /// What each file says now, given what it said before, and what cannot be read.
    ///
    /// A file that is gone says nothing; one in a directory that cannot be listed now says what it
    /// said before.
    pub fn remember<K>(
        self,
        mut before: BTreeMap<PathBuf, K>,
        read: impl Fn(&Path, io::Result<Arc<str>>, Option<K>) -> K,
    ) -> (BTreeMap<PathBuf, K>, Vec<Diagnostic>) {
        let mut now = BTreeMap::new();
        let mut found = Vec::new();
        for (path, error) in &self.unreadable {
            found.push(unreadable(path, error));
            if error.kind() != io::ErrorKind::NotFound {
                now.extend(before.extract_if(.., |file, _| file.starts_with(path)));
            }
        }
        for (path, text) in self.texts {
            let known = read(&path, text, before.remove(&path));
            now.insert(path, known);
        }
        (now, found)
    }

    /// Whether something could not be read for a reason that may pass without any change of the files, such as a lack of
    /// descriptors.
    pub(crate) fn is_worth_another(&self) -> bool {
        let of_texts = self.texts.values().filter_map(|text| text.as_ref().err());
        let of_directories = self.unreadable.iter().map(|(_, error)| error);
        of_texts.chain(of_directories).any(|error| {
            error.raw_os_error().is_some()
                && !matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
                )
        })
    }

    fn read_file(&mut self, path: PathBuf) {
        if let Some(target) = path
            .canonicalize()
            .ok()
            .as_deref()
            .and_then(existing_parent)
        {
            self.directories.push(target);
        }
        let text = read_text(&path);
        // Gone since the directory was listed: as if it had not been there.
        if !matches!(&text, Err(error) if error.kind() == io::ErrorKind::NotFound) {
            self.texts.insert(path, text.map(Arc::from));
        }
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a file"));
    }
    if metadata.len() > LARGEST_FILE {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    std::fs::read_to_string(path)
}

/// Says why a file cannot be read.
pub fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let subject = Subject::named("file", path.display().to_string());
    Diagnostic::error(subject, reason::UNREADABLE, error.to_string())
        .leads_to(Consequence::FileIgnored)
}

/// What Kubernetes keeps beside the files of a mounted ConfigMap, and the locks of editors.
fn is_passed_over(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with("..") || name.starts_with(".#"))
}

/// The nearest directory above that exists.
fn existing_parent(path: &Path) -> Option<PathBuf> {
    path.ancestors()
        .skip(1)
        .map(|ancestor| match ancestor.as_os_str().is_empty() {
            true => PathBuf::from("."),
            false => ancestor.to_owned(),
        })
        .find(|ancestor| ancestor.is_dir())
}

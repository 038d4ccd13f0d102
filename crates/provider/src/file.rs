//! Configuration out of files.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use traefikrs_config::diagnostic::{Consequence, Diagnostic, Location, Subject};
use traefikrs_config::dynamic::{Decoder, Origin};
use traefikrs_config::{Format, reason, static_config};

use crate::files::{Files, Reading, unreadable};
use crate::known::{Decoded, Known};
use crate::provider::{Provider, Update, Updates};

mod join;

use join::Joined;

/// The name behind the `@`.
const NAME: &str = "file";

/// What directories are searched for.
const EXTENSIONS: &[&str] = &["yaml", "yml", "toml"];

/// Configuration out of a file or a directory.
///
/// A file that cannot be read or parsed is reported, and what was read from it before stays. A
/// mistake in a file costs the element that holds it. Of elements with one name the one in the first
/// file counts, in the order of the paths.
///
/// (Traefik: `pkg/provider/file`, where one mistake costs all files of a directory. Its Go templates
/// are not supported: a file with `{{` is refused.)
#[derive(Debug)]
pub struct FileProvider {
    files: Files,
    watch: bool,
}

impl FileProvider {
    /// Configuration out of this file, whose extension says how it is written.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            files: Files::new(path, EXTENSIONS),
            watch: true,
        }
    }

    /// Configuration out of all `.yaml`, `.yml` and `.toml` files below this directory.
    pub fn directory(path: impl Into<PathBuf>) -> Self {
        Self::file(path)
    }

    /// Reads once and never again.
    #[must_use]
    pub fn unwatched(mut self) -> Self {
        self.watch = false;
        self
    }
}

impl From<&static_config::FileProvider> for FileProvider {
    fn from(options: &static_config::FileProvider) -> Self {
        // Traefik: the directory goes before the file.
        let root = match options.directory.as_str() {
            "" => &options.filename,
            directory => directory,
        };
        Self {
            watch: options.watch,
            ..Self::file(root)
        }
    }
}

impl Provider for FileProvider {
    fn name(&self) -> &str {
        NAME
    }

    fn run(self: Box<Self>, updates: Updates) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut memory = Memory::default();
        let update = move |reading| memory.update(reading);
        Box::pin(self.files.follow(self.watch, updates, update))
    }
}

/// What was read before, by file.
#[derive(Debug, Default)]
struct Memory {
    files: BTreeMap<PathBuf, Known>,
    joined: Joined,
}

impl Memory {
    /// What the files ask for now.
    fn update(&mut self, reading: Reading) -> Update {
        let before = std::mem::take(&mut self.files);
        let (now, mut diagnostics) = reading.remember(before, read);
        self.files = now;
        for known in self.files.values() {
            diagnostics.extend(known.diagnostics.iter().cloned());
        }
        let parts = self.files.iter();
        let parts = parts.map(|(path, known)| (path.clone(), Arc::clone(&known.configuration)));
        self.joined = self.joined.next(parts.collect());
        diagnostics.extend(self.joined.diagnostics());
        Update {
            configuration: Arc::clone(&self.joined.configuration),
            diagnostics,
        }
    }
}

/// What a file says, given what it said before.
fn read(path: &Path, text: io::Result<Arc<str>>, before: Option<Known>) -> Known {
    let before = before.unwrap_or_default();
    match text {
        Ok(text) => before.reading(text, |text, decoder| decode(path, text, decoder)),
        Err(error) => before.unread(unreadable(path, &error)),
    }
}

fn decode(path: &Path, text: &Arc<str>, decoder: &mut Decoder) -> Decoded {
    let file = path.display().to_string();
    let ignored = |reason, line, message: &str| {
        let location = Location {
            file: file.clone(),
            line,
        };
        let ignored = Diagnostic::error(Subject::named("file", &file), reason, message)
            .located(Some(location))
            .leads_to(Consequence::FileIgnored);
        Err(Box::new(ignored))
    };
    let Some(format) = Format::of_path(path) else {
        let message = "unsupported file extension: use yaml, yml, toml or json";
        return ignored(reason::UNPARSABLE, 0, message);
    };
    if let Some(template) = text.find("{{") {
        let message = "Go templates (`{{ … }}`) are not supported";
        let line = text[..template].matches('\n').count() + 1;
        return ignored(reason::NOT_SERVED, line, message);
    }
    let origin = Origin {
        provider: NAME,
        file: &file,
    };
    decoder.decode(text, format, origin)
}

#[cfg(test)]
mod tests;

//! What the tasks do.

use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use traefikrs_config::diagnostic::{Consequence, Location, Severity, Subject};
use traefikrs_config::{Diagnostic, reason};
use traefikrs_k8s_translate::manifest::documents;
use traefikrs_k8s_translate::{Cluster, translate};

use crate::args::{Args, Format, Task, Translate};

/// Does what the command line asks for.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    match &args.task {
        Task::Translate(task) => run_translate(task),
    }
}

/// Says why nothing came of it.
pub(crate) fn complain(error: &anyhow::Error) {
    // Without a standard error there is nowhere left to say it.
    writeln!(io::stderr().lock(), "error: {error:#}").ok();
}

fn run_translate(task: &Translate) -> anyhow::Result<()> {
    let mut cluster = Cluster::new();
    let mut diagnostics = Vec::new();
    for (name, text) in texts(&task.paths)? {
        diagnostics.extend(read(&name, &text, &mut cluster)?);
    }
    let translation = translate(&cluster, &task.options);
    diagnostics.extend(translation.diagnostics);
    write_diagnostics(&diagnostics, task.format).context("writing diagnostics")?;
    let configuration = translation.configuration.without_key_material();
    match write_configuration(&configuration) {
        // Whoever reads it may have seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("writing the configuration"),
    }
}

/// The texts of all inputs with their names, in the order of the command line.
fn texts(paths: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            let mut text = String::new();
            io::stdin()
                .lock()
                .read_to_string(&mut text)
                .context("reading the standard input")?;
            texts.push(("<stdin>".to_owned(), text));
            continue;
        }
        for file in files(path)? {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(&file).with_context(|| format!("reading {name}"))?;
            texts.push((name, text));
        }
    }
    Ok(texts)
}

/// The file itself, or the manifests below a directory in the order of their names.
fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let metadata =
        std::fs::metadata(path).with_context(|| format!("reading {}", path.display()))?;
    if !metadata.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    collect(path, &mut files)?;
    ensure!(
        !files.is_empty(),
        "no .yaml, .yml or .json file below {}",
        path.display()
    );
    Ok(files)
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(directory)
        .and_then(Iterator::collect::<io::Result<Vec<_>>>)
        .with_context(|| format!("reading {}", directory.display()))?;
    let mut entries: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).collect();
    entries.sort();
    for entry in entries {
        // A link to a directory is not followed: it could lead back up.
        let is_directory = entry
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.is_dir());
        let is_manifest = entry.extension().is_some_and(|extension| {
            ["yaml", "yml", "json"]
                .iter()
                .any(|known| extension == *known)
        });
        if is_directory {
            collect(&entry, files)?;
        } else if is_manifest && entry.is_file() {
            files.push(entry);
        }
    }
    Ok(())
}

/// Takes the objects of a text into the cluster; fails when there are documents but none can be read.
fn read(name: &str, text: &str, cluster: &mut Cluster) -> anyhow::Result<Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let mut n_objects = 0_usize;
    let at = |line| Location {
        file: name.to_owned(),
        line,
    };
    for document in documents(text) {
        match document.object {
            Ok(object) => {
                n_objects += 1;
                cluster.apply_manifest(object, Some(at(document.line)));
            }
            Err(error) => {
                let subject = Subject::named("file", name);
                diagnostics.push(
                    Diagnostic::error(subject, reason::UNPARSABLE, error.problem)
                        .located(Some(at(error.line)))
                        .leads_to(Consequence::ObjectDropped),
                );
            }
        }
    }
    if let (0, Some(first)) = (n_objects, diagnostics.first()) {
        let line = first.location.as_ref().map_or(0, |location| location.line);
        bail!("{name}:{line}: {}", first.message);
    }
    Ok(diagnostics)
}

fn write_diagnostics(diagnostics: &[Diagnostic], format: Format) -> io::Result<()> {
    let mut out = io::stderr().lock();
    for diagnostic in diagnostics {
        match format {
            Format::Human => writeln!(out, "{diagnostic}")?,
            Format::Json => writeln!(out, "{}", serde_json::to_string(diagnostic)?)?,
        }
    }
    if format == Format::Human && !diagnostics.is_empty() {
        let n_errors = diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            .count();
        let n_warnings = diagnostics.len() - n_errors;
        writeln!(out, "{n_errors} error(s), {n_warnings} warning(s)")?;
    }
    Ok(())
}

fn write_configuration(configuration: &traefikrs_config::dynamic::Configuration) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, configuration)?;
    writeln!(out)
}

//! The static configuration out of a file, the command line or the environment.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path as FilePath, PathBuf};

use serde::Deserialize;

use super::StaticConfiguration;
use super::entry_point::EntryPoints;
use super::log::Log;
use super::options::{Finding, Options};
use super::provider::Providers;
use super::service::{Api, Core, DefaultTransport, Ping};
use super::setting::{self, Flags, Setting};
use super::validate;
use crate::decode::{EmptyObjects, Path, Problem, ProblemKind, decode};
use crate::diagnostic::{Consequence, Diagnostic, Location, Severity, Subject};
use crate::node::{Format, Node, parse};
use crate::reason;

/// What is around the process when it starts.
#[expect(missing_debug_implementations, reason = "a function cannot be shown")]
pub struct Surroundings<'a> {
    /// The command line, without the program's name.
    pub args: &'a [String],
    /// The environment.
    pub env: &'a [(String, String)],
    /// Reads a file.
    pub read: &'a dyn Fn(&FilePath) -> io::Result<String>,
}

/// Where was it read from? Traefik: only one source counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// This file.
    File(PathBuf),
    /// The command line.
    Flags,
    /// Variables that start with `TRAEFIK_`.
    Environment,
    /// Nothing was given.
    Nothing,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Flags => f.write_str("the command line"),
            Self::Environment => f.write_str("the environment"),
            Self::Nothing => f.write_str("nothing: no file, option or variable was given"),
        }
    }
}

/// A configuration to start with.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub configuration: StaticConfiguration,
    /// Where it was read from.
    pub source: Source,
    /// What of it has no effect, or likely not the one that is meant.
    pub diagnostics: Vec<Diagnostic>,
}

/// Says why the process must not start.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// All that was found, with at least one error.
    pub diagnostics: Vec<Diagnostic>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = self
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.consequence == Consequence::StartRefused);
        let errors: Vec<String> = errors.map(Diagnostic::to_string).collect();
        f.write_str(&errors.join("\n"))
    }
}

impl std::error::Error for Refused {}

impl StaticConfiguration {
    /// Reads the configuration from the first source that has one.
    ///
    /// The sources are, in this order, the file of `--configFile` or the first of
    /// `/etc/traefik/traefik.*`, `$XDG_CONFIG_HOME/traefik.*`, `$HOME/.config/traefik.*` and
    /// `./traefik.*` with the extensions `toml`, `yaml` and `yml`; the command line; and the
    /// environment. They are not mixed: what is given elsewhere is reported as ignored.
    ///
    /// # Errors
    ///
    /// An option that does not exist or a value that does not fit; all of them are named.
    pub fn load(surroundings: &Surroundings<'_>) -> Result<Loaded, Refused> {
        let options = Options::all();
        let flags = Flags::parse(surroundings.args, &options);
        let variables = setting::from_environment(surroundings.env, &options);
        let mut reader = Reader {
            options: &options,
            origin: Origin::Settings(Vec::new()),
            diagnostics: Vec::new(),
        };
        for (arg, problem) in &flags.problems {
            reader.refuse_argument(arg, problem);
        }
        let file = match config_file(surroundings, flags.config_file.as_deref()) {
            Ok(file) => file,
            Err(diagnostic) => {
                reader.diagnostics.push(*diagnostic);
                None
            }
        };
        let (root, source) = match file {
            Some((path, text)) => {
                reader.report_ignored(&path, &flags.settings, &variables);
                let root = reader.file(&path, &text);
                (root, Source::File(path))
            }
            None if !flags.settings.is_empty() => {
                reader.report_ignored(FilePath::new(""), &[], &variables);
                let root = setting::tree(&flags.settings);
                reader.origin = Origin::Settings(flags.settings);
                (Some(root), Source::Flags)
            }
            None if !variables.is_empty() => {
                let root = setting::tree(&variables);
                reader.origin = Origin::Settings(variables);
                (Some(root), Source::Environment)
            }
            None => (Some(setting::tree(&[])), Source::Nothing),
        };
        reader.finish(root, source)
    }
}

/// The configuration as it is written, before anything is filled in.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Written {
    pub(super) entry_points: EntryPoints,
    pub(super) providers: Providers,
    pub(super) api: Option<Api>,
    pub(super) ping: Option<Ping>,
    pub(super) log: Log,
    pub(super) servers_transport: DefaultTransport,
    pub(super) core: Core,
    pub(super) certificates_resolvers: BTreeMap<String, serde_json::Value>,
    #[serde(rename = "global")]
    _global: serde::de::IgnoredAny,
}

/// Where a tree comes from, to name places in it.
enum Origin {
    File(String),
    /// The line of a node is the position of its setting here.
    Settings(Vec<Setting>),
}

impl Origin {
    fn name(&self, diagnostic: Diagnostic, line: usize) -> Diagnostic {
        match self {
            Self::File(file) => diagnostic.located(Some(Location {
                file: file.clone(),
                line,
            })),
            Self::Settings(settings) => {
                let setting = line.checked_sub(1).and_then(|index| settings.get(index));
                let name = setting.map_or("", |setting| setting.name.as_str());
                Diagnostic {
                    subject: Subject::named("option", name),
                    ..diagnostic
                }
            }
        }
    }
}

struct Reader<'o> {
    options: &'o Options,
    origin: Origin,
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn refuse_argument(&mut self, arg: &str, problem: &str) {
        let subject = Subject::named("argument", arg);
        let refused = Diagnostic::error(subject, reason::UNKNOWN_OPTION, problem);
        self.diagnostics
            .push(refused.leads_to(Consequence::StartRefused));
    }

    fn report_ignored(&mut self, file: &FilePath, flags: &[Setting], variables: &[Setting]) {
        let source = match file.as_os_str().is_empty() {
            true => "the command line".to_owned(),
            false => format!("the file {}", file.display()),
        };
        for setting in flags.iter().chain(variables) {
            let subject = Subject::named("option", &setting.name);
            let message = format!("not looked at, since the configuration is read from {source}");
            self.diagnostics
                .push(Diagnostic::warning(subject, reason::IGNORED, message));
        }
    }

    fn file(&mut self, path: &FilePath, text: &str) -> Option<Node> {
        let name = path.display().to_string();
        self.origin = Origin::File(name.clone());
        let Some(format) = Format::of_path(path) else {
            self.refuse_file(
                &name,
                0,
                "unsupported file extension: use yaml, yml, toml or json",
            );
            return None;
        };
        match parse(text, format) {
            Ok(parsed) => Some(parsed.root),
            Err(error) => {
                self.refuse_file(
                    &name,
                    error.line,
                    &format!("not {format}: {}", error.problem),
                );
                None
            }
        }
    }

    fn refuse_file(&mut self, name: &str, line: usize, problem: &str) {
        let refused = Diagnostic::error(Subject::named("file", name), reason::UNPARSABLE, problem)
            .leads_to(Consequence::StartRefused);
        self.diagnostics.push(self.origin.name(refused, line));
    }

    fn finish(mut self, root: Option<Node>, source: Source) -> Result<Loaded, Refused> {
        let written = root.and_then(|root| self.read(root));
        let configuration = written.map(|written| {
            let (configuration, found) = validate::complete(written);
            self.diagnostics.extend(found);
            configuration
        });
        let is_refused = self
            .diagnostics
            .iter()
            .any(|diagnostic| diagnostic.consequence == Consequence::StartRefused);
        match configuration {
            Some(configuration) if !is_refused => Ok(Loaded {
                configuration,
                source,
                diagnostics: self.diagnostics,
            }),
            _ => Err(Refused {
                diagnostics: self.diagnostics,
            }),
        }
    }

    fn read(&mut self, mut root: Node) -> Option<Written> {
        let mut has_unknown = false;
        for finding in self.options.check(&mut root, Path::Root("")) {
            let diagnostic = match finding {
                Finding::Unknown(problem) => {
                    has_unknown = true;
                    self.problem(&problem)
                }
                Finding::NotServed { path, line } => self.not_served(&path, line),
            };
            self.diagnostics.push(diagnostic);
        }
        if has_unknown {
            // What is missing without them would only hide them.
            return None;
        }
        match decode(&root, Path::Root(""), EmptyObjects::Refused) {
            Ok(written) => Some(written),
            Err(problems) => {
                let found: Vec<_> = problems
                    .iter()
                    .map(|problem| self.problem(problem))
                    .collect();
                self.diagnostics.extend(found);
                None
            }
        }
    }

    fn problem(&self, problem: &Problem) -> Diagnostic {
        let reason = match problem.kind {
            ProblemKind::UnknownField => reason::UNKNOWN_OPTION,
            ProblemKind::DuplicateField => reason::DUPLICATE_FIELD,
            ProblemKind::EmptyElement => reason::EMPTY_ELEMENT,
            ProblemKind::InvalidValue => reason::INVALID_VALUE,
        };
        let subject = Subject::named("option", &problem.path);
        let diagnostic = Diagnostic::error(subject, reason, &problem.message)
            .leads_to(Consequence::StartRefused);
        self.origin.name(diagnostic, problem.line)
    }

    fn not_served(&self, path: &str, line: usize) -> Diagnostic {
        let subject = Subject::named("option", path);
        let message = format!("{path} is known, but not served yet");
        let diagnostic = Diagnostic::warning(subject, reason::NOT_SERVED, message)
            .leads_to(Consequence::NotServed);
        debug_assert_eq!(diagnostic.severity, Severity::Warning);
        self.origin.name(diagnostic, line)
    }
}

/// The file to read, with its text.
fn config_file(
    surroundings: &Surroundings<'_>,
    given: Option<&str>,
) -> Result<Option<(PathBuf, String)>, Box<Diagnostic>> {
    if let Some(given) = given.filter(|given| !given.is_empty()) {
        // Traefik: goes on without a word when there is no such file. Nobody means that.
        return match (surroundings.read)(FilePath::new(given)) {
            Ok(text) => Ok(Some((PathBuf::from(given), text))),
            Err(error) => Err(Box::new(unreadable(given, &error))),
        };
    }
    for path in usual_files(surroundings.env) {
        match (surroundings.read)(&path) {
            Ok(text) => return Ok(Some((path, text))),
            Err(error) if is_absent(&error) => {}
            Err(error) => {
                return Err(Box::new(unreadable(&path.display().to_string(), &error)));
            }
        }
    }
    Ok(None)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
    )
}

fn unreadable(file: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::error(
        Subject::named("file", file),
        reason::UNREADABLE,
        error.to_string(),
    )
    .leads_to(Consequence::StartRefused)
}

fn usual_files(env: &[(String, String)]) -> Vec<PathBuf> {
    let variable = |name: &str| {
        env.iter()
            .find(|(variable, value)| variable == name && !value.is_empty())
            .map(|(_, value)| PathBuf::from(value))
    };
    let directories = [
        Some(PathBuf::from("/etc/traefik")),
        variable("XDG_CONFIG_HOME"),
        variable("HOME").map(|home| home.join(".config")),
        Some(PathBuf::from(".")),
    ];
    directories
        .into_iter()
        .flatten()
        .flat_map(|directory| {
            ["traefik.toml", "traefik.yaml", "traefik.yml"].map(|name| directory.join(name))
        })
        .collect()
}

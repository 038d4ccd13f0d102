//! A text into a configuration.

use serde::de::DeserializeOwned;

use super::{Configuration, Http, Tls};
use crate::decode::{EmptyObjects, Path, Problem, ProblemKind, closest, decode};
use crate::diagnostic::{Consequence, Diagnostic, Location, Reason, Subject};
use crate::elements::Elements;
use crate::node::{Format, Node, Value, parse};
use crate::reason;

mod again;
mod split;

pub use again::Decoder;

/// Which text is it?
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The provider that the elements will belong to.
    pub provider: &'a str,
    /// The file, or whatever it was read from; empty where there is none.
    pub file: &'a str,
}

/// What does a text ask for, and what of it cannot be meant?
///
/// Strict where Traefik is: a field that does not exist, a value that does not fit, or an empty
/// object where none is allowed. Traefik then refuses the whole file; here only the router, service,
/// middleware, transport, certificate, TLS option or store is left out that holds the mistake, and
/// all mistakes are told with their place. JSON is written by programs, which leave out zero values,
/// so empty objects are fine there; a configuration that is printed as JSON reads back.
///
/// ```
/// use traefikrs_config::Format;
/// use traefikrs_config::dynamic::{Origin, decode_text};
///
/// let text = "http:\n  routers:\n    web: {rule: Path(`/`), service: web}\n    api: {rul: Path(`/api`)}\n";
/// let origin = Origin { provider: "file", file: "routes.yml" };
/// let (configuration, diagnostics) = decode_text(text, Format::Yaml, origin)?;
/// assert!(configuration.http.unwrap().routers.contains_key("web"));
/// assert_eq!(
///     diagnostics[0].to_string(),
///     "routes.yml:4: error[UnknownField] router api@file at http.routers.api.rul: unknown field \"rul\", did you mean \"rule\"? (object dropped)",
/// );
/// # Ok::<(), Box<traefikrs_config::Diagnostic>>(())
/// ```
///
/// # Errors
///
/// A text that is not of the format at all, or no object: nothing of it can be used.
pub fn decode_text(
    text: &str,
    format: Format,
    origin: Origin<'_>,
) -> Result<(Configuration, Vec<Diagnostic>), Box<Diagnostic>> {
    let mut reader = Reader {
        origin,
        empty: match format {
            Format::Yaml | Format::Toml => EmptyObjects::Refused,
            Format::Json => EmptyObjects::Allowed,
        },
        found: Vec::new(),
    };
    let parsed = parse(text, format).map_err(|error| {
        let problem = format!("not {format}: {}", error.problem);
        Box::new(reader.file_ignored(reason::UNPARSABLE, error.line, problem))
    })?;
    let sections = match parsed.root.value {
        Value::Null => Vec::new(),
        Value::Map(sections) => sections,
        Value::Scalar(_) | Value::Seq(_) => {
            let problem = format!("expected an object, found {}", parsed.root.what());
            let line = parsed.root.line;
            return Err(Box::new(reader.file_ignored(
                reason::INVALID_VALUE,
                line,
                problem,
            )));
        }
    };
    if parsed.has_more_documents {
        let message = "only the first document is read".to_owned();
        let more = Diagnostic::warning(reader.file(), reason::IGNORED, message);
        reader.tell(more, 0);
    }
    let configuration = reader.configuration(&sections);
    Ok((configuration, reader.found))
}

struct Reader<'a> {
    origin: Origin<'a>,
    empty: EmptyObjects,
    found: Vec<Diagnostic>,
}

const SECTIONS: &[&str] = &["http", "tcp", "udp", "tls"];

impl Reader<'_> {
    fn configuration(&mut self, sections: &[(String, Node)]) -> Configuration {
        let mut configuration = Configuration::default();
        self.add_to(&mut configuration, sections);
        configuration
    }

    fn add_to(&mut self, configuration: &mut Configuration, sections: &[(String, Node)]) {
        for (name, node) in sections {
            match name.to_ascii_lowercase().as_str() {
                _ if node.value == Value::Null => {}
                "http" => configuration.http = self.http(node),
                "tls" => configuration.tls = self.tls(node),
                "tcp" => configuration.tcp = self.kept_raw(name, node),
                "udp" => configuration.udp = self.kept_raw(name, node),
                // Traefik: passes over what it does not know here, so files keep anchors there.
                other if other.starts_with("x-") => {}
                _ => {
                    let message = unknown("section", name, SECTIONS);
                    let unknown = Diagnostic::warning(self.file(), reason::UNKNOWN_FIELD, message)
                        .at(name)
                        .leads_to(Consequence::PartLeftOut);
                    self.tell(unknown, node.line);
                }
            }
        }
    }

    fn http(&mut self, node: &Node) -> Option<Http> {
        let mut http = Http::default();
        let parts = self.entries("http", node)?;
        self.add_to_http(&mut http, parts);
        (http != Http::default()).then_some(http)
    }

    fn add_to_http(&mut self, http: &mut Http, parts: &[(String, Node)]) {
        const FIELDS: &[&str] = &["routers", "services", "middlewares", "serversTransports"];
        for (name, node) in parts {
            let path = format!("http.{name}");
            match name.to_ascii_lowercase().as_str() {
                "routers" => self.elements("router", &path, node, &mut http.routers),
                "services" => self.elements("service", &path, node, &mut http.services),
                "middlewares" => self.elements("middleware", &path, node, &mut http.middlewares),
                "serverstransports" => self.elements(
                    "servers transport",
                    &path,
                    node,
                    &mut http.servers_transports,
                ),
                _ => self.unknown_part(&path, name, FIELDS, node.line),
            }
        }
    }

    fn tls(&mut self, node: &Node) -> Option<Tls> {
        let mut tls = Tls::default();
        const FIELDS: &[&str] = &["certificates", "options", "stores"];
        for (name, node) in self.entries("tls", node)? {
            let path = format!("tls.{name}");
            match name.to_ascii_lowercase().as_str() {
                "certificates" => self.certificates(&path, node, &mut tls),
                "options" => self.elements("TLS options", &path, node, &mut tls.options),
                "stores" => self.elements("TLS store", &path, node, &mut tls.stores),
                _ => self.unknown_part(&path, name, FIELDS, node.line),
            }
        }
        (tls != Tls::default()).then_some(tls)
    }

    fn certificates(&mut self, path: &str, node: &Node, tls: &mut Tls) {
        let Value::Seq(items) = &node.value else {
            if node.value != Value::Null {
                self.wrong_part(path, node, "a list");
            }
            return;
        };
        for (index, item) in items.iter().enumerate() {
            let subject = Subject::named("certificate", format!("{}[{index}]", self.origin.file));
            let root = Path::Root(path);
            if let Some(certificate) = self.element(&subject, Path::Index(&root, index), item) {
                tls.certificates.push(certificate);
            }
        }
    }

    fn elements<T: DeserializeOwned>(
        &mut self,
        kind: &str,
        path: &str,
        node: &Node,
        elements: &mut Elements<T>,
    ) {
        let mut decoded = Vec::new();
        for (name, node) in self.entries(path, node).unwrap_or_default() {
            if node.value == Value::Null {
                continue;
            }
            let subject = self.element_subject(kind, name);
            let root = Path::Root(path);
            if let Some(element) = self.element::<T>(&subject, Path::Field(&root, name), node) {
                decoded.push((name.as_str(), element));
            }
        }
        elements.extend(decoded);
    }

    /// One element, or nothing and what is wrong with it.
    fn element<T: DeserializeOwned>(
        &mut self,
        subject: &Subject,
        path: Path<'_>,
        node: &Node,
    ) -> Option<T> {
        match decode(node, path, self.empty) {
            Ok(element) => Some(element),
            Err(problems) => {
                self.element_dropped(subject, problems);
                None
            }
        }
    }

    fn element_subject(&self, kind: &str, name: &str) -> Subject {
        Subject::named(kind, format!("{name}@{}", self.origin.provider))
    }

    fn element_dropped(&mut self, subject: &Subject, problems: impl IntoIterator<Item = Problem>) {
        for problem in problems {
            let Problem {
                path,
                line,
                message,
                ..
            } = problem;
            let dropped = Diagnostic::error(subject.clone(), reason_of(problem.kind), message)
                .at(path)
                .leads_to(Consequence::ObjectDropped);
            self.tell(dropped, line);
        }
    }

    /// The entries of a section that must be an object.
    fn entries<'n>(&mut self, path: &str, node: &'n Node) -> Option<&'n [(String, Node)]> {
        match &node.value {
            Value::Map(entries) => {
                if node.value.is_empty() && self.empty == EmptyObjects::Refused {
                    // Traefik: refuses the file, although it loses nothing.
                    let message = "empty: Traefik would refuse the file for it";
                    let empty = Diagnostic::warning(self.file(), reason::EMPTY_ELEMENT, message);
                    self.tell(empty.at(path), node.line);
                }
                Some(entries)
            }
            Value::Null => None,
            Value::Scalar(_) | Value::Seq(_) => {
                self.wrong_part(path, node, "an object");
                None
            }
        }
    }

    /// TCP and UDP as they are written, for whoever will serve them.
    fn kept_raw(
        &mut self,
        name: &str,
        node: &Node,
    ) -> Option<serde_json::Map<String, serde_json::Value>> {
        self.entries(name, node)?;
        let section = self.element(&self.file(), Path::Root(name), node)?;
        let message = format!("{} is known, but not served yet", name.to_uppercase());
        let not_served = Diagnostic::warning(self.file(), reason::NOT_SERVED, message)
            .at(name)
            .leads_to(Consequence::NotServed);
        self.tell(not_served, node.line);
        Some(section)
    }

    fn unknown_part(&mut self, path: &str, name: &str, known: &[&str], line: usize) {
        let message = unknown("field", name, known);
        let left_out = Diagnostic::error(self.file(), reason::UNKNOWN_FIELD, message)
            .at(path)
            .leads_to(Consequence::PartLeftOut);
        self.tell(left_out, line);
    }

    fn wrong_part(&mut self, path: &str, node: &Node, expected: &str) {
        let message = format!("expected {expected}, found {}", node.what());
        let left_out = Diagnostic::error(self.file(), reason::INVALID_VALUE, message)
            .at(path)
            .leads_to(Consequence::PartLeftOut);
        self.tell(left_out, node.line);
    }

    fn file_ignored(&self, reason: Reason, line: usize, message: String) -> Diagnostic {
        Diagnostic::error(self.file(), reason, message)
            .located(self.location(line))
            .leads_to(Consequence::FileIgnored)
    }

    fn file(&self) -> Subject {
        Subject::named("file", self.origin.file)
    }

    fn tell(&mut self, diagnostic: Diagnostic, line: usize) {
        let location = self.location(line);
        self.found.push(diagnostic.located(location));
    }

    fn location(&self, line: usize) -> Option<Location> {
        (!self.origin.file.is_empty()).then(|| Location {
            file: self.origin.file.to_owned(),
            line,
        })
    }
}

fn reason_of(kind: ProblemKind) -> Reason {
    match kind {
        ProblemKind::UnknownField => reason::UNKNOWN_FIELD,
        ProblemKind::DuplicateField => reason::DUPLICATE_FIELD,
        ProblemKind::EmptyElement => reason::EMPTY_ELEMENT,
        ProblemKind::InvalidValue => reason::INVALID_VALUE,
    }
}

fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    match closest(name, known) {
        Some(near) => format!("unknown {what} {name:?}, did you mean {near:?}?"),
        None => format!("unknown {what} {name:?}"),
    }
}

#[cfg(test)]
mod tests;

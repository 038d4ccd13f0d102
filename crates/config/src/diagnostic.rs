//! What is wrong with a configuration, where, and what it led to.

use std::fmt;

use serde::Serialize;

/// One finding about one object: what, where, why, and what it led to.
///
/// Translating, merging and compiling never fail as a whole. Each returns what works, and one
/// diagnostic for each thing that does not.
///
/// ```
/// use traefikrs_config::diagnostic::{Consequence, Diagnostic, Reason, Subject};
///
/// const SERVICE_NOT_FOUND: Reason = Reason::new("ServiceNotFound");
///
/// let diagnostic = Diagnostic::error(Subject::object("IngressRoute", "apps", "web"), SERVICE_NOT_FOUND, "service apps/whoami not found")
///     .at("spec.routes[0].services[0].name")
///     .leads_to(Consequence::RouteDropped);
/// assert_eq!(
///     diagnostic.to_string(),
///     "error[ServiceNotFound] IngressRoute apps/web at spec.routes[0].services[0].name: service apps/whoami not found (route dropped)",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Why, in one stable word to search, count and filter by.
    pub reason: Reason,
    /// Which object it is about.
    pub subject: Subject,
    /// Where in the object, as a JSON path such as `spec.routes[0].match`; empty means all of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The file and line, where the object came from a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Why, in a sentence without capital and full stop.
    pub message: String,
    /// More to see, over several lines: the text in question with a mark, and how to mend it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// What it led to.
    pub consequence: Consequence,
}

impl Diagnostic {
    /// Something that does not work.
    pub fn error(subject: Subject, reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, subject, reason, message)
    }

    /// Something that works, but likely not as meant.
    pub fn warning(subject: Subject, reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, subject, reason, message)
    }

    fn new(
        severity: Severity,
        subject: Subject,
        reason: Reason,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            reason,
            subject,
            path: String::new(),
            location: None,
            message: message.into(),
            detail: String::new(),
            consequence: Consequence::None,
        }
    }

    /// Says where in the object.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Says in which file, and where there.
    #[must_use]
    pub fn located(mut self, location: Option<Location>) -> Self {
        self.location = location;
        self
    }

    /// Shows more.
    #[must_use]
    pub fn showing(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Says what it led to.
    #[must_use]
    pub fn leads_to(mut self, consequence: Consequence) -> Self {
        self.consequence = consequence;
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = &self.location {
            write!(f, "{location}: ")?;
        }
        write!(f, "{}[{}] {}", self.severity, self.reason, self.subject)?;
        if !self.path.is_empty() {
            write!(f, " at {}", self.path)?;
        }
        write!(f, ": {}", self.message)?;
        if self.consequence != Consequence::None {
            write!(f, " ({})", self.consequence)?;
        }
        for line in self.detail.lines() {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}

/// How bad is it?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It works, but likely not as meant.
    Warning,
    /// It does not work.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Why, in one stable word in Kubernetes' style, such as `ServiceNotFound`.
///
/// Each crate keeps its reasons together as constants; they are documented in
/// `docs/diagnostics.md` and never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Reason(&'static str);

impl Reason {
    /// A reason by this word.
    pub const fn new(word: &'static str) -> Self {
        Self(word)
    }

    /// The word.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Which object is it about?
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// `IngressRoute`, `router`, `service`, `file`, `option` and the like.
    pub kind: String,
    /// The namespace; empty where there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The name; for configuration elements the qualified one.
    pub name: String,
}

impl Subject {
    /// A Kubernetes object.
    pub fn object(
        kind: impl Into<String>,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self {
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// Something without a namespace: a file, an option, a router, a service.
    pub fn named(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self::object(kind, String::new(), name)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        match (self.namespace.is_empty(), self.name.is_empty()) {
            (_, true) => Ok(()),
            (true, false) => write!(f, " {}", self.name),
            (false, false) => write!(f, " {}/{}", self.namespace, self.name),
        }
    }
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// The file's path as it was given.
    pub file: String,
    /// The line, counted from 1; 0 where it is not known.
    pub line: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

/// What did it lead to?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Consequence {
    /// Nothing: it is only said.
    None,
    /// The whole object has no effect.
    ObjectDropped,
    /// One route of the object has no effect.
    RouteDropped,
    /// The faulty part has no effect, the rest of the object does.
    PartLeftOut,
    /// A default stands in for what was asked.
    DefaultUsed,
    /// Another object of the same name is used.
    Overridden,
    /// The router takes no requests: they go to the next matching router, or get 404.
    RouterDisabled,
    /// The service cannot be used; routers that need it are disabled.
    ServiceDisabled,
    /// The middleware cannot be used; routers that need it are disabled.
    MiddlewareDisabled,
    /// Servers that TLS would be spoken with get no requests; the routes to them answer 503.
    ServersClosed,
    /// The element works without what is not served yet.
    NotServed,
    /// The file has no effect; what was read from it before stays.
    FileIgnored,
    /// The process does not start.
    StartRefused,
}

impl fmt::Display for Consequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "no effect",
            Self::ObjectDropped => "object dropped",
            Self::RouteDropped => "route dropped",
            Self::PartLeftOut => "part left out",
            Self::DefaultUsed => "default used",
            Self::Overridden => "overridden by another object",
            Self::RouterDisabled => "router disabled",
            Self::ServiceDisabled => "service disabled",
            Self::MiddlewareDisabled => "middleware disabled",
            Self::ServersClosed => "servers with https closed",
            Self::NotServed => "not served yet",
            Self::FileIgnored => "file ignored",
            Self::StartRefused => "start refused",
        })
    }
}

//! What is wrong with one object, before it is known which object that is.

use std::fmt;

use traefikrs_config::Diagnostic;
use traefikrs_config::diagnostic::{Consequence, Location, Reason, Severity, Subject};

/// What is wrong, where in the object, and what did it lead to?
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) severity: Severity,
    pub(crate) reason: Reason,
    pub(crate) path: String,
    pub(crate) message: String,
    /// More to see, over several lines.
    pub(crate) detail: String,
    pub(crate) consequence: Consequence,
}

impl Problem {
    pub(crate) fn error(
        reason: Reason,
        path: impl fmt::Display,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Error,
            reason,
            path: path.to_string(),
            message: message.into(),
            detail: String::new(),
            consequence: Consequence::None,
        }
    }

    pub(crate) fn warning(
        reason: Reason,
        path: impl fmt::Display,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(reason, path, message)
        }
    }

    /// Shows more.
    pub(crate) fn showing(self, detail: String) -> Self {
        Self { detail, ..self }
    }

    /// Says what it led to.
    pub(crate) fn leads_to(self, consequence: Consequence) -> Self {
        Self {
            consequence,
            ..self
        }
    }

    pub(crate) fn diagnostic(self, subject: Subject, location: Option<Location>) -> Diagnostic {
        let diagnostic = match self.severity {
            Severity::Error => Diagnostic::error(subject, self.reason, self.message),
            Severity::Warning => Diagnostic::warning(subject, self.reason, self.message),
        };
        diagnostic
            .at(self.path)
            .located(location)
            .showing(self.detail)
            .leads_to(self.consequence)
    }
}

/// Where in an object? Costs nothing until it is printed: most places never have a problem.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Self>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    pub(crate) const SPEC: Path<'static> = Path {
        parent: None,
        step: Step::Field("spec"),
    };

    pub(crate) fn field(&'a self, name: &'a str) -> Self {
        Self {
            parent: Some(self),
            step: Step::Field(name),
        }
    }

    pub(crate) fn index(&'a self, index: usize) -> Self {
        Self {
            parent: Some(self),
            step: Step::Index(index),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Field(name) if self.parent.is_some() => write!(f, ".{name}"),
            Step::Field(name) => f.write_str(name),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn paths_print_as_json_paths() {
        let routes = Path::SPEC.field("routes");
        let route = routes.index(0);
        let services = route.field("services");
        assert_eq!(
            services.index(1).field("port").to_string(),
            "spec.routes[0].services[1].port"
        );
    }
}

//! What became of each element, for the API and for whoever asks why.

use std::sync::Arc;

use serde::Serialize;
use traefikrs_config::diagnostic::{Diagnostic, Reason};
use traefikrs_config::elements::Elements;
use traefikrs_config::{QualifiedName, dynamic};
use traefikrs_lb::ServerState;

use crate::asked::Ask;

/// What became of each router, service and middleware?
///
/// (Traefik: `pkg/config/runtime`, shown by its API.)
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// Routers by qualified name.
    pub routers: Elements<RouterReport, QualifiedName>,
    /// Services by qualified name.
    pub services: Elements<ServiceReport, QualifiedName>,
    /// Middlewares by qualified name.
    pub middlewares: Elements<MiddlewareReport, QualifiedName>,
    /// Everything found, in the order of the stages.
    pub diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// Puts what earlier stages found in front.
    pub fn after(&mut self, earlier: Vec<Diagnostic>) {
        self.diagnostics.splice(0..0, earlier);
    }
}

/// Does an element work?
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It does.
    #[default]
    Enabled,
    /// It does, but likely not as meant.
    Warning,
    /// It does not.
    Disabled,
}

/// What was found about one element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What was found, without repetitions, in the order it was found.
    pub findings: Vec<Finding>,
}

/// One thing that was found about an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it means for the element.
    pub status: Status,
    /// Why, in one word.
    pub reason: Reason,
    /// The field that it is about.
    pub path: &'static str,
    /// Why, in Traefik's words where it has some.
    pub message: String,
    /// More to see, over several lines.
    pub detail: String,
}

impl Finding {
    /// Shows more.
    pub(crate) fn showing(&mut self, detail: String) {
        self.detail = detail;
    }
}

impl Verdict {
    /// Whether the element works: as its worst finding says.
    pub fn status(&self) -> Status {
        self.findings
            .iter()
            .map(|finding| finding.status)
            .max()
            .unwrap_or_default()
    }

    pub(crate) fn disable(
        &mut self,
        reason: Reason,
        path: &'static str,
        message: impl Into<String>,
    ) -> &mut Finding {
        self.add(Status::Disabled, reason, path, message.into())
    }

    pub(crate) fn warn(
        &mut self,
        reason: Reason,
        path: &'static str,
        message: impl Into<String>,
    ) -> &mut Finding {
        self.add(Status::Warning, reason, path, message.into())
    }

    fn add(
        &mut self,
        status: Status,
        reason: Reason,
        path: &'static str,
        message: String,
    ) -> &mut Finding {
        let known = self
            .findings
            .iter()
            .position(|finding| finding.message == message);
        let index = known.unwrap_or(self.findings.len());
        if known.is_none() {
            self.findings.push(Finding {
                status,
                reason,
                path,
                message,
                detail: String::new(),
            });
        }
        &mut self.findings[index]
    }
}

/// What became of a router.
#[derive(Debug, Clone, PartialEq)]
pub struct RouterReport {
    /// The router as merged.
    pub router: Arc<dynamic::Router>,
    /// The priority that counts; that of the router where it did not come as far as to be built.
    pub priority: i64,
    /// Whether it works.
    pub verdict: Verdict,
    /// The entry points that it was put on.
    pub using: Box<[Arc<str>]>,
    /// What it was built from.
    pub(crate) asked: Box<[Ask]>,
}

/// What became of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceReport {
    /// The service as merged, with the name of its cookie if it was built.
    pub service: Arc<dynamic::Service>,
    /// Whether it works.
    pub verdict: Verdict,
    /// The routers that name it.
    pub used_by: Arc<Vec<QualifiedName>>,
    /// Its servers as far as they could be built; empty when no router needs it.
    pub servers: Vec<ServerReport>,
}

/// What is known of a server.
#[derive(Debug, Clone)]
pub struct ServerReport {
    /// Its URL, as Go writes it again.
    pub url: Arc<str>,
    /// What checks find; without them nothing is known.
    pub state: Option<Arc<ServerState>>,
}

impl ServerReport {
    /// Whether checks found it well, or there are none.
    pub fn is_well(&self) -> bool {
        self.state.as_ref().is_none_or(|state| state.is_well())
    }
}

/// Reports are equal when they are of equal configurations: what is found goes on changing.
impl PartialEq for ServerReport {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url && self.state.is_some() == other.state.is_some()
    }
}

/// What became of a middleware.
#[derive(Debug, Clone, PartialEq)]
pub struct MiddlewareReport {
    /// The middleware as merged.
    pub middleware: Arc<dynamic::Middleware>,
    /// Whether it works.
    pub verdict: Verdict,
    /// The routers that name it.
    pub used_by: Arc<Vec<QualifiedName>>,
}

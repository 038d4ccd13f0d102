//! Configuration from an HTTP endpoint.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use traefikrs_config::diagnostic::{Consequence, Diagnostic, Subject};
use traefikrs_config::dynamic::{Decoder, Origin, decode_text};
use traefikrs_config::{Format, reason, static_config};
use traefikrs_tls::Roots;

use crate::known::{Decoded, Known};
use crate::provider::{Provider, Update, Updates};

mod backoff;
mod endpoint;
mod exchange;
mod tls;
mod url;

use backoff::Backoff;
use endpoint::Endpoint;

/// The name behind the `@`.
const NAME: &str = "http";

/// Configuration from an HTTP endpoint, which is asked again and again.
///
/// The answer is YAML or JSON, as a file of the file provider would be. While there is none that can be understood, what
/// was understood before stays. A mistake in it costs the element that holds it.
///
/// (Traefik: `pkg/provider/http`, where one mistake costs the whole answer. `{{` is text, here as there.)
pub struct HttpProvider {
    endpoint: Endpoint,
    interval: Duration,
}

/// An option of which no request can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{option}: {problem}")]
pub struct InvalidOption {
    option: String,
    problem: String,
}

impl HttpProvider {
    /// A provider as the static configuration asks for it. Files of its TLS are read now.
    ///
    /// # Errors
    ///
    /// An endpoint that is no URL of `http` or `https`, a header that cannot be sent, certificates that cannot be used.
    pub fn new(
        options: &static_config::HttpProvider,
        system_roots: &Roots,
    ) -> Result<Self, InvalidOption> {
        let interval = options.poll_interval.positive();
        let interval = interval
            .ok_or_else(|| InvalidOption::new("pollInterval", "it must be greater than 0"))?;
        Ok(Self {
            endpoint: Endpoint::new(options, system_roots)?,
            interval,
        })
    }

    async fn poll(self, updates: Updates) {
        let file = self.endpoint.name();
        let mut known = Known::default();
        let mut backoff = Backoff::default();
        loop {
            let asked = Instant::now();
            let next = match self.endpoint.fetch().await {
                Ok(text) => {
                    known =
                        known.reading(text.into(), |text, decoder| decode(&file, text, decoder));
                    backoff = Backoff::default();
                    asked + self.interval
                }
                Err(failure) => {
                    known = known.unread(unread(&file, failure.to_string()));
                    Instant::now() + backoff.next(rand::random_range(0.0..1.0))
                }
            };
            updates.send(Update {
                configuration: Arc::clone(&known.configuration),
                diagnostics: known.diagnostics.clone(),
            });
            tokio::select! {
                () = sleep_until(next) => {}
                () = updates.asked() => {}
            }
        }
    }
}

impl Provider for HttpProvider {
    fn name(&self) -> &str {
        NAME
    }

    fn run(self: Box<Self>, updates: Updates) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.poll(updates))
    }
}

impl InvalidOption {
    fn new(option: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            option: option.into(),
            problem: problem.into(),
        }
    }
}

impl fmt::Debug for HttpProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What it sends may be secret.
        f.debug_struct("HttpProvider")
            .field("endpoint", &self.endpoint.name())
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

fn decode(file: &str, text: &Arc<str>, decoder: &mut Decoder) -> Decoded {
    let origin = Origin {
        provider: NAME,
        file,
    };
    // JSON is YAML, but written by programs, which leave out what is zero.
    let json = text.trim_start().starts_with('{');
    match json.then(|| decode_text(text, Format::Json, origin)) {
        Some(Ok(decoded)) => Ok(decoded),
        _ => decoder.decode(text, Format::Yaml, origin),
    }
}

fn unread(file: &str, failure: String) -> Diagnostic {
    Diagnostic::warning(Subject::named("file", file), reason::UNREADABLE, failure)
        .leads_to(Consequence::FileIgnored)
}

#[cfg(test)]
mod tests;

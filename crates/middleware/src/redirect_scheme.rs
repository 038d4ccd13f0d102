use http::{HeaderName, request};
use traefikrs_config::dynamic;
use traefikrs_gourl::host::split;

use crate::redirect::{host, redirect, target};
use crate::{Answer, Context, Error, Transform};

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Redirects to another scheme, and perhaps another port; the port of the request is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectScheme {
    scheme: String,
    /// With its colon, and empty when the scheme implies it.
    port: String,
    permanent: bool,
}

impl RedirectScheme {
    /// Checks that there is a scheme.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(config: &dynamic::RedirectScheme) -> Result<Self, Error> {
        if config.scheme.is_empty() {
            return Err(Error::NoScheme);
        }
        let is_implied = config.port.is_empty() || is_default(&config.scheme, &config.port);
        let port = if is_implied {
            String::new()
        } else {
            format!(":{}", config.port)
        };
        Ok(Self {
            scheme: config.scheme.clone(),
            port,
            permanent: config.permanent,
        })
    }
}

impl Transform for RedirectScheme {
    fn request(
        &self,
        request: &mut request::Parts,
        context: &mut Context,
    ) -> Result<(), Box<Answer>> {
        let (name, port) = name_and_port(host(request));
        let scheme = scheme(request, context);
        let port = port.filter(|port| !port.is_empty() && !is_default(scheme, port));
        let is_there = scheme == self.scheme
            && match port {
                Some(port) => self.port.strip_prefix(':') == Some(port),
                None => self.port.is_empty(),
            };
        if is_there {
            return Ok(());
        }
        let new = [&self.scheme, "://", name, &self.port, target(request)].concat();
        Err(redirect(new.as_bytes(), &request.method, self.permanent))
    }
}

/// What the client used, which a trusted proxy in front may know better.
fn scheme(request: &request::Parts, context: &Context) -> &'static str {
    let proto = request
        .headers
        .get(X_FORWARDED_PROTO)
        .map_or(&b""[..], |proto| proto.as_bytes());
    let is_any = |names: [&str; 2]| {
        names
            .iter()
            .any(|name| proto.eq_ignore_ascii_case(name.as_bytes()))
    };
    if is_any(["https", "wss"]) || (context.is_tls && !is_any(["http", "ws"])) {
        "https"
    } else {
        "http"
    }
}

/// Splits a host and keeps the brackets of an address.
// Traefik: it loses them here, and answers 502 to `Host: [::1]:8080`.
fn name_and_port(host: &str) -> (&str, Option<&str>) {
    match split(host) {
        Some((_, port)) => (&host[..host.len() - port.len() - 1], Some(port)),
        None => (host, None),
    }
}

fn is_default(scheme: &str, port: &str) -> bool {
    matches!((scheme, port), ("http", "80") | ("https", "443"))
}

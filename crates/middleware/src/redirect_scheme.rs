use http::{HeaderName, request};
use traefikrs_config::dynamic;
use traefikrs_gourl::host::split;

use crate::redirect::{host, move_to, target};
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
        let scheme = scheme(request, context);
        let host = without_default_port(host(request), scheme);
        let Host { name, port, rest } = Host::of(host);
        let target = target(request);
        let old = [scheme, "://", name, port, rest, target].concat();
        let new = [&self.scheme, "://", name, &self.port, rest, target].concat();
        move_to(new.as_bytes(), old.as_bytes(), request, self.permanent)
    }
}

/// A host as Traefik's pattern takes it apart, `(\[[\w:.]+\]|[\w._-]+)?(:\d+)?(.*)`.
// Traefik: an address with a port loses its brackets before, and `Host: [::1]:8080` gets 502.
struct Host<'a> {
    name: &'a str,
    /// With its colon.
    port: &'a str,
    /// Where there is more than a name and a port: it stays, and makes for a URL that is refused in most cases.
    rest: &'a str,
}

impl<'a> Host<'a> {
    fn of(host: &'a str) -> Self {
        let (name, after) = host.split_at(name_len(host));
        let digits = after.strip_prefix(':').map_or(0, |digits| {
            let is_end = |byte: &u8| !byte.is_ascii_digit();
            digits
                .as_bytes()
                .iter()
                .position(is_end)
                .unwrap_or(digits.len())
        });
        let (port, rest) = after.split_at(if digits == 0 { 0 } else { digits + 1 });
        Self { name, port, rest }
    }
}

fn without_default_port<'a>(host: &'a str, scheme: &str) -> &'a str {
    match split(host) {
        Some((_, port)) if is_default(scheme, port) => &host[..host.len() - port.len() - 1],
        _ => host,
    }
}

fn name_len(host: &str) -> usize {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let len = |text: &str, others: &[u8]| {
        let is_end = |byte: &u8| !(is_word(byte) || others.contains(byte));
        text.as_bytes()
            .iter()
            .position(is_end)
            .unwrap_or(text.len())
    };
    let Some(inside) = host.strip_prefix('[') else {
        return len(host, b".-");
    };
    match len(inside, b":.") {
        len if len > 0 && inside[len..].starts_with(']') => len + 2,
        _ => 0,
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

fn is_default(scheme: &str, port: &str) -> bool {
    matches!((scheme, port), ("http", "80") | ("https", "443"))
}

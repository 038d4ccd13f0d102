//! Where a question goes.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderValue, Uri};
use traefikrs_gourl::{host, reference};

/// A URL that can be asked: of `http` or `https`, with a host.
///
/// It shows neither its user and password nor its query, in which tokens are.
#[derive(Clone)]
pub(super) struct Url {
    uri: Uri,
    pub(super) is_https: bool,
    /// Without brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

impl Url {
    /// Where a link leads from a base; an empty link leads to the base.
    pub(super) fn resolve(base: &str, link: &str) -> Option<Self> {
        let uri: Uri = reference::resolve(base, link).ok()?.parse().ok()?;
        let is_https = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = without_user(&uri);
        let port = match host::split(authority) {
            Some((_, port)) if !port.is_empty() => port.parse().ok()?,
            _ if is_https => 443,
            _ => 80,
        };
        let host = host::canonical(authority).into_owned();
        (!host.is_empty()).then_some(Self {
            uri,
            is_https,
            host,
            port,
        })
    }

    /// Where a link in an answer from here leads.
    pub(super) fn follow(&self, link: &str) -> Option<Self> {
        Self::resolve(&self.uri.to_string(), link)
    }

    /// What the first line of a request names.
    pub(super) fn target(&self) -> Uri {
        let target = self.uri.path_and_query();
        target.map_or_else(Uri::default, |target| target.clone().into())
    }

    /// Host and port as they are written.
    pub(super) fn authority(&self) -> &str {
        without_user(&self.uri)
    }

    pub(super) fn has_origin_of(&self, other: &Self) -> bool {
        (self.is_https, &self.host, self.port) == (other.is_https, &other.host, other.port)
    }

    /// What `Authorization` says of its user, if it has one.
    pub(super) fn credentials(&self) -> Option<HeaderValue> {
        let url = self.uri.to_string();
        let pair = reference::Url::parse(&url).ok()?.credentials()?;
        let value = format!("Basic {}", BASE64_STANDARD.encode(pair));
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

fn without_user(uri: &Uri) -> &str {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.uri.path())
    }
}

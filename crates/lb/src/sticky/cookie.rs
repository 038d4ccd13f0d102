//! Cookies as Go's `net/http` reads and writes them.

use std::fmt::Write;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use sha1::{Digest, Sha1};

use super::hex;

/// What a cookie is called, and where it goes back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    /// What it is called.
    pub name: CookieName,
    /// The attribute `Path`; empty means none.
    pub path: String,
    /// The attribute `Domain`; one that is no domain is left out.
    pub domain: String,
    /// Seconds; negative deletes the cookie, 0 means that it ends with the session.
    pub max_age: i64,
    /// Hides it from scripts.
    pub http_only: bool,
    /// Sends it over TLS only.
    pub secure: bool,
    /// Whether it goes with requests that other sites cause.
    pub same_site: Option<SameSite>,
}

/// When does a cookie go with requests that other sites cause?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// Always.
    None,
    /// When a link is followed.
    Lax,
    /// Never.
    Strict,
}

impl SameSite {
    /// Upper and lower case are the same; any other word means no attribute.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "none" => Some(Self::None),
            "lax" => Some(Self::Lax),
            "strict" => Some(Self::Strict),
            _ => None,
        }
    }
}

/// What a cookie may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieName(Box<str>);

impl CookieName {
    /// The name, with `_` for what may not stand in one.
    ///
    /// ```
    /// use traefikrs_lb::sticky::CookieName;
    ///
    /// assert_eq!(CookieName::new("my cookie/1").as_str(), "my_cookie_1");
    /// ```
    pub fn new(name: &str) -> Self {
        let may_stand = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^`|~".contains(c);
        let name = name.chars().map(|c| if may_stand(c) { c } else { '_' });
        Self(name.collect())
    }

    /// The name for a service that chooses none.
    pub fn of_service(service: &str) -> Self {
        let digest = Sha1::new()
            .chain_update("_TRAEFIK_BACKEND_")
            .chain_update(service)
            .finalize();
        Self(format!("_{}", &hex(&digest[..3])[..5]).into())
    }

    /// It as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Cookie {
    /// A cookie without attributes.
    pub fn new(name: CookieName) -> Self {
        Self {
            name,
            path: String::new(),
            domain: String::new(),
            max_age: 0,
            http_only: false,
            secure: false,
            same_site: None,
        }
    }

    /// `Set-Cookie` with this value, which is made of what may stand in one.
    pub(super) fn holding(&self, value: &str) -> HeaderValue {
        let mut text = format!("{}={value}", self.name.as_str());
        let path: String = self.path.chars().filter(may_stand_in_path).collect();
        if !path.is_empty() {
            text += "; Path=";
            text += &path;
        }
        if is_domain(&self.domain) {
            text += "; Domain=";
            text += self.domain.strip_prefix('.').unwrap_or(&self.domain);
        }
        match self.max_age {
            0 => {}
            seconds => {
                write!(text, "; Max-Age={}", seconds.max(0)).expect("a string takes everything");
            }
        }
        if self.http_only {
            text += "; HttpOnly";
        }
        if self.secure {
            text += "; Secure";
        }
        text += match self.same_site {
            Some(SameSite::None) => "; SameSite=None",
            Some(SameSite::Lax) => "; SameSite=Lax",
            Some(SameSite::Strict) => "; SameSite=Strict",
            None => "",
        };
        HeaderValue::try_from(text).expect("printable ASCII makes a header value")
    }
}

/// The value of the first cookie of this name that is well formed.
pub(super) fn value<'h>(headers: &'h HeaderMap, name: &[u8]) -> Option<&'h [u8]> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|line| line.as_bytes().split(|&byte| byte == b';'))
        .filter_map(|pair| value_of(pair, name))
        .find(|value| value.iter().all(may_stand_in_value))
}

/// What this pair says, if it is of this name. Of ASCII's blanks a header has space and tab, which Go trims.
fn value_of<'p>(pair: &'p [u8], name: &[u8]) -> Option<&'p [u8]> {
    let after_name = pair.trim_ascii_start().strip_prefix(name)?;
    match after_name.trim_ascii_start() {
        // Go: a name alone is a cookie without a value.
        [] => Some(b""),
        [b'=', value @ ..] => Some(unquoted(value.trim_ascii_end())),
        _ => None,
    }
}

fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        value => value,
    }
}

fn may_stand_in_value(byte: &u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b';' | b'\\')
}

fn may_stand_in_path(c: &char) -> bool {
    matches!(c, ' '..='~') && *c != ';'
}

/// Whether this is a host name with a letter in it, or an IPv4 address.
fn is_domain(domain: &str) -> bool {
    if domain.parse::<std::net::Ipv4Addr>().is_ok() {
        return true;
    }
    let name = domain.strip_prefix('.').unwrap_or(domain);
    let labels = || name.strip_suffix('.').unwrap_or(name).split('.');
    domain.len() <= 255
        && name.bytes().any(|byte| byte.is_ascii_alphabetic())
        && labels().all(|label| {
            matches!(label.len(), 1..=63)
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_come_in_gos_order_and_only_if_they_are_good() {
        let full = Cookie {
            path: "/p;q".into(),
            domain: ".foo.test".into(),
            max_age: 3600,
            http_only: true,
            secure: true,
            same_site: SameSite::parse("nOnE"),
            ..Cookie::new(CookieName::new("my cookie/1"))
        };
        let check = |cookie: Cookie, expected: &str| {
            assert_eq!(cookie.holding("v"), expected);
        };
        check(
            full,
            "my_cookie_1=v; Path=/pq; Domain=foo.test; Max-Age=3600; HttpOnly; Secure; SameSite=None",
        );
        check(Cookie::new(CookieName::new("a")), "a=v");
        for (max_age, expected) in [(-1, "a=v; Max-Age=0"), (0, "a=v"), (1, "a=v; Max-Age=1")] {
            check(
                Cookie {
                    max_age,
                    ..Cookie::new(CookieName::new("a"))
                },
                expected,
            );
        }
        for (domain, expected) in [
            ("10.0.0.1", "a=v; Domain=10.0.0.1"),
            ("a.", "a=v; Domain=a."),
            ("-a.test", "a=v"),
            ("a..test", "a=v"),
            ("a b", "a=v"),
            ("::1", "a=v"),
            ("123", "a=v"),
            ("é.test", "a=v"),
        ] {
            check(
                Cookie {
                    domain: domain.into(),
                    ..Cookie::new(CookieName::new("a"))
                },
                expected,
            );
        }
        assert_eq!(SameSite::parse("sometimes"), None);
    }

    #[test]
    fn a_cookie_is_found_as_go_finds_it() {
        for (lines, expected) in [
            (&["a=1; seat=v"][..], Some("v")),
            (&["a=1", "seat=v"], Some("v")),
            (&["seat = v"], Some(" v")),
            (&[" seat=v ;b"], Some("v")),
            (&["seat=\"v\""], Some("v")),
            (&["seat=\"v"], None),
            (&["seat=v\\; seat=w"], Some("w")),
            (&["seat=v; seat=w"], Some("v")),
            (&["seat="], Some("")),
            (&["seat=a=b"], Some("a=b")),
            (&["seat"], Some("")),
            (&["seat; seat=v"], Some("")),
            (&["other; seat=v"], Some("v")),
            (&["Seat=v"], None),
            (&["xseat=v"], None),
            (&[";;=;"], None),
            (&["seat=é"], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(COOKIE, HeaderValue::from_bytes(line.as_bytes()).unwrap());
            }
            let found = value(&headers, b"seat").map(|value| str::from_utf8(value).unwrap());
            assert_eq!(found, expected, "{lines:?}");
        }
    }
}

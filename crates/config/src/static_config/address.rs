//! Where an entry point listens.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Where does an entry point listen? `host:port`, and `/tcp` or `/udp` behind it.
///
/// ```
/// use traefikrs_config::static_config::{Address, Host, Protocol};
///
/// let address: Address = ":8000/udp".parse()?;
/// assert_eq!((address.host, address.port, address.protocol), (Host::Any, 8000, Protocol::Udp));
/// # Ok::<(), traefikrs_config::static_config::InvalidAddress>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    text: String,
    /// The interface.
    pub host: Host,
    /// The port; 0 lets the system choose one.
    pub port: u16,
    /// TCP unless the text says otherwise.
    pub protocol: Protocol,
}

/// Which interface?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// All of them, IPv6 and IPv4.
    Any,
    /// The one with this address.
    Ip(IpAddr),
    /// The one that the name stands for.
    Name(String),
}

/// TCP or UDP?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Says why a text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid address {text:?}: {problem}")]
pub struct InvalidAddress {
    text: String,
    problem: String,
}

impl Address {
    /// All interfaces, at this TCP port.
    pub fn any(port: u16) -> Self {
        Self {
            text: format!(":{port}"),
            host: Host::Any,
            port,
            protocol: Protocol::Tcp,
        }
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        parse(text).map_err(|problem| InvalidAddress {
            text: text.to_owned(),
            problem,
        })
    }
}

fn parse(text: &str) -> Result<Address, String> {
    let (place, protocol) = match text.split_once('/') {
        None => (text, Protocol::Tcp),
        Some((place, protocol)) => match protocol.to_ascii_lowercase().as_str() {
            "tcp" => (place, Protocol::Tcp),
            "udp" => (place, Protocol::Udp),
            _ => return Err(format!("invalid protocol: {protocol}")),
        },
    };
    let (host, port) = place.rsplit_once(':').ok_or("missing port in address")?;
    let port = match port {
        // The two service names that anybody writes.
        "http" => 80,
        "https" => 443,
        port => port.parse().map_err(|_| format!("invalid port {port:?}"))?,
    };
    Ok(Address {
        text: text.to_owned(),
        host: parse_host(host)?,
        port,
        protocol,
    })
}

fn parse_host(host: &str) -> Result<Host, String> {
    if host.is_empty() {
        return Ok(Host::Any);
    }
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match bracketed {
        Some("") => Ok(Host::Any),
        Some(inside) => inside
            .parse()
            .map(Host::Ip)
            .map_err(|_| format!("invalid IPv6 address {inside:?}")),
        None if host.contains(':') => Err("too many colons in address".to_owned()),
        None => Ok(host
            .parse()
            .map_or_else(|_| Host::Name(host.to_owned()), Host::Ip)),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, Host, Protocol};

    fn check(text: &str, host: &Host, port: u16, protocol: Protocol) {
        let address: Address = text.parse().unwrap();
        assert_eq!(&address.host, host, "{text}");
        assert_eq!((address.port, address.protocol), (port, protocol), "{text}");
    }

    #[test]
    fn addresses_say_host_port_and_protocol() {
        check(":80", &Host::Any, 80, Protocol::Tcp);
        check(
            "[::]:80",
            &Host::Ip("::".parse().unwrap()),
            80,
            Protocol::Tcp,
        );
        check(
            "[::1]:80/tcp",
            &Host::Ip("::1".parse().unwrap()),
            80,
            Protocol::Tcp,
        );
        check(
            "127.0.0.1:443/UDP",
            &Host::Ip("127.0.0.1".parse().unwrap()),
            443,
            Protocol::Udp,
        );
        check(
            "localhost:https",
            &Host::Name("localhost".to_owned()),
            443,
            Protocol::Tcp,
        );
        check(":0", &Host::Any, 0, Protocol::Tcp);
    }

    #[test]
    fn other_texts_are_refused() {
        for (text, problem) in [
            ("", "missing port"),
            ("80", "missing port"),
            ("foo", "missing port"),
            (":", "invalid port"),
            (":99999", "invalid port"),
            (":80/sctp", "invalid protocol: sctp"),
            ("::1:80", "too many colons"),
            ("[x]:80", "invalid IPv6"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}

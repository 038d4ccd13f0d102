//! Peers that may say who the client is.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Whose word counts? An address or a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedIp {
    text: String,
    /// The network; for an address the one that holds only it.
    pub network: IpNet,
}

/// Says that a text is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid trusted IP {0:?}: expected an address or a network, such as `10.0.0.0/8`")]
pub struct InvalidTrustedIp(String);

impl TrustedIp {
    /// Whether the address is trusted; an IPv4 address stays one where it is written as IPv6.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.network.contains(&address.to_canonical())
    }
}

impl FromStr for TrustedIp {
    type Err = InvalidTrustedIp;

    fn from_str(text: &str) -> Result<Self, InvalidTrustedIp> {
        let network = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address.to_canonical()),
            Err(_) => text
                .parse()
                .map_err(|_| InvalidTrustedIp(text.to_owned()))?,
        };
        Ok(Self {
            text: text.to_owned(),
            network,
        })
    }
}

impl Serialize for TrustedIp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for TrustedIp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::TrustedIp;

    #[test]
    fn addresses_and_networks_contain_what_they_say() {
        for (text, address, expected) in [
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.1.2.3/8", "10.9.9.9", true),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("::1", "::1", true),
            ("fd00::/8", "fd12::1", true),
            ("0.0.0.0/0", "::1", false),
        ] {
            let trusted: TrustedIp = text.parse().unwrap();
            assert_eq!(
                trusted.contains(address.parse().unwrap()),
                expected,
                "{text} {address}"
            );
        }
        for text in ["", "foo", "10.0.0.0/33", "10.0.0.1:80"] {
            assert!(text.parse::<TrustedIp>().is_err(), "{text}");
        }
    }
}

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Is this address one of those?
///
/// An address or a block in CIDR notation, as the `ClientIP` matcher takes it. Host bits do not matter. The families never
/// mix, but an IPv4 address may be written as an IPv6 one (`::ffff:192.0.2.1`) on either side.
///
/// ```
/// use traefikrs_router::IpRange;
///
/// let range: IpRange = "192.0.2.7/24".parse()?;
/// assert!(range.contains("192.0.2.200".parse()?));
/// assert!(range.contains("::ffff:192.0.2.200".parse()?));
/// assert!(!range.contains("::1".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpRange(IpNet);

impl IpRange {
    /// Tells whether the address is in the range.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for IpRange {
    type Err = InvalidRange;

    fn from_str(text: &str) -> Result<Self, InvalidRange> {
        parse(text)
            .map(Self)
            .ok_or_else(|| InvalidRange(text.to_owned()))
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

fn parse(text: &str) -> Option<IpNet> {
    let Some((address, prefix)) = text.split_once('/') else {
        return text
            .parse()
            .ok()
            .map(|address: IpAddr| IpNet::from(address.to_canonical()));
    };
    // Traefik: Go's `net.ParseCIDR` takes digits only, but any number of leading zeros.
    if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let prefix: u8 = prefix.parse().ok()?;
    match address.parse().ok()? {
        IpAddr::V4(address) => v4(address, prefix),
        IpAddr::V6(address) => v6(address, prefix),
    }
}

fn v4(address: Ipv4Addr, prefix: u8) -> Option<IpNet> {
    Ipv4Net::new(address, prefix)
        .ok()
        .map(|net| IpNet::V4(net.trunc()))
}

fn v6(address: Ipv6Addr, prefix: u8) -> Option<IpNet> {
    const MAPPED: u8 = 96;
    match (address.to_ipv4_mapped(), prefix.checked_sub(MAPPED)) {
        (Some(address), Some(prefix)) => v4(address, prefix),
        _ => Ipv6Net::new(address, prefix)
            .ok()
            .map(|net| IpNet::V6(net.trunc())),
    }
}

/// The text is neither an address nor a block of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid CIDR address: {0}")]
pub struct InvalidRange(pub String);

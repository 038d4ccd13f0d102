//! Cookies that keep a client with its server.
//!
//! What a cookie says of a server comes from the server's URL, which has another address on each side. So requests
//! name servers, and each side is told its own values: an issued cookie that one proxy honours is honoured by the other.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::generate::{Conversation, fill};

/// Stands for all cookies that were issued before on the connection.
const ISSUED: &[u8] = b"{issued}";
/// Placeholders that name a server, each with the text from which its value is made.
const KINDS: [&str; 5] = ["sticky", "child", "url", "old", "older"];

/// What one side's placeholders stand for.
#[derive(Debug)]
pub(super) struct Values(Vec<(String, String)>);

impl Values {
    /// For servers by name and `host:port`.
    pub(super) fn new(addresses: &BTreeMap<&str, String>) -> Self {
        let values = addresses.iter().flat_map(|(name, address)| {
            let url = format!("http://{address}");
            let old = fnv(&url);
            let values = [digest(&url), digest(name), url, old.clone(), fnv(&old)];
            KINDS
                .iter()
                .map(move |kind| placeholder(kind, name))
                .zip(values)
        });
        Self(values.collect())
    }

    /// The conversation as this side hears it.
    pub(super) fn fill(&self, conversation: &Conversation) -> Conversation {
        let mut filled = conversation.clone();
        for exchange in &mut filled.exchanges {
            if !names_server(&exchange.raw) {
                continue;
            }
            for (placeholder, value) in &self.0 {
                exchange.raw = fill(&exchange.raw, placeholder.as_bytes(), value.as_bytes());
            }
        }
        filled
    }

    /// Each value with its placeholder, which is alike on both sides.
    pub(super) fn alike(&self) -> impl Iterator<Item = (String, String)> {
        self.0
            .iter()
            .filter(|(placeholder, _)| !placeholder.starts_with("{url:"))
            .map(|(placeholder, value)| (value.clone(), placeholder.clone()))
    }
}

/// Whether the server that was reached is one that the request's cookies name; `None` if they name none.
pub(super) fn is_asked_for(raw: &[u8], server: &str) -> Option<bool> {
    let is_in = |kind| contains(raw, placeholder(kind, server).as_bytes());
    names_server(raw).then(|| KINDS.into_iter().any(is_in))
}

/// Whether a request says again what was issued before.
pub(super) fn says_issued(raw: &[u8]) -> bool {
    contains(raw, ISSUED)
}

/// Fills in the cookies that `Set-Cookie` fields asked to be said again.
pub(super) fn with_issued<'a>(raw: &[u8], set: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let pairs: Vec<&str> = set
        .map(|cookie| cookie.split(';').next().unwrap_or_default())
        .collect();
    fill(raw, ISSUED, pairs.join("; ").as_bytes())
}

fn names_server(raw: &[u8]) -> bool {
    KINDS
        .iter()
        .any(|kind| contains(raw, format!("{{{kind}:").as_bytes()))
}

fn placeholder(kind: &str, server: &str) -> String {
    format!("{{{kind}:{server}}}")
}

/// Traefik: the first half of a short digest.
fn digest(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Traefik, once: FNV-1 of 64 bits, in hexadecimal without leading zeros; for a while the digest of that.
fn fnv(name: &str) -> String {
    let digest = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
    });
    format!("{digest:x}")
}

fn contains(text: &[u8], piece: &[u8]) -> bool {
    text.windows(piece.len()).any(|part| part == piece)
}

#[cfg(test)]
mod tests {
    use super::super::generate::{Exchange, Name};
    use super::*;

    #[test]
    fn placeholders_are_each_sides_own() {
        let values = Values::new(&BTreeMap::from([("a", "127.0.0.2:1".to_owned())]));
        let conversation = Conversation {
            name: Name::Made(0),
            exchanges: vec![Exchange {
                token: String::new(),
                raw: b"s={sticky:a}; c={child:a}; u={url:a}; b={sticky:b}; o={old:a}".to_vec(),
            }],
            pipelined: false,
            in_parts: false,
            client: None,
        };
        // Digests by sha256sum, and by FNV-1 as Python computes it.
        assert_eq!(
            values.fill(&conversation).raw().escape_ascii().to_string(),
            "s=a78a51a8c852899f; c=ca978112ca1bbdca; u=http://127.0.0.2:1; b={sticky:b}; o=9107467cc0a31f6a"
        );
    }

    #[test]
    fn what_was_issued_is_said_again() {
        let set = ["a=1; Path=/", "b=2"];
        assert_eq!(
            with_issued(b"Cookie: {issued}", set.into_iter()),
            b"Cookie: a=1; b=2"
        );
    }

    #[test]
    fn a_server_is_asked_for_by_name() {
        assert_eq!(is_asked_for(b"Cookie: s=1", "a"), None);
        assert_eq!(is_asked_for(b"Cookie: s={sticky:a}", "a"), Some(true));
        assert_eq!(is_asked_for(b"Cookie: s={child:b}", "a"), Some(false));
    }
}

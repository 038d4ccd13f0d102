//! Odd requests from a seed: plain ones of a vocabulary, each with up to three twists.

mod oddities;
mod request;
mod twist;

use std::fmt;
use std::net::Ipv4Addr;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde::Deserialize;

pub(super) use self::oddities::Oddities;
use self::request::Request;
use super::wire::Head;

/// The field that carries a request's token.
pub(super) const TOKEN_FIELD: &str = "X-Oracle";
/// Encloses a token, so that it is found in any garbled head.
const TOKEN_MARK: &str = "oracle~";

/// What a configuration knows about: the requests in which it can make a difference.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vocabulary {
    pub(super) hosts: Vec<String>,
    pub(super) paths: Vec<String>,
    #[serde(default)]
    pub(super) queries: Vec<String>,
    #[serde(default)]
    pub(super) methods: Vec<String>,
    /// Whole lines, `Name: value`.
    #[serde(default)]
    pub(super) headers: Vec<String>,
    /// Addresses from which clients connect, where it matters.
    #[serde(default)]
    clients: Vec<Ipv4Addr>,
    /// How often each kind of twist comes.
    #[serde(default)]
    emphasis: Emphasis,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Emphasis {
    target: u32,
    query: u32,
    host: u32,
    forwarded: u32,
    header: u32,
    line: u32,
    method: u32,
    version: u32,
    body: u32,
    answer: u32,
}

/// All that requests are made of.
#[derive(Clone, Debug)]
pub(super) struct Language<'a> {
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) oddities: &'a Oddities,
    /// What backends can be asked to do.
    pub(super) plans: Vec<&'a str>,
}

/// What is said on one connection.
#[derive(Clone, Debug)]
pub(super) struct Conversation {
    pub(super) name: Name,
    pub(super) exchanges: Vec<Exchange>,
    /// Whether all requests are sent before the first answer is awaited.
    pub(super) pipelined: bool,
    /// Whether requests are sent in several writes.
    pub(super) in_parts: bool,
    /// The client's address; the system's choice where there is none.
    pub(super) client: Option<Ipv4Addr>,
}

/// Repeats a conversation, together with seed and configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// Made from the seed.
    Made(usize),
    /// Written in `cases.toml`.
    Case(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) token: String,
    pub(super) raw: Vec<u8>,
}

impl Conversation {
    pub(super) fn tokens(&self) -> Vec<&str> {
        self.exchanges
            .iter()
            .map(|exchange| exchange.token.as_str())
            .collect()
    }

    pub(super) fn raw(&self) -> Vec<u8> {
        self.exchanges
            .iter()
            .flat_map(|exchange| exchange.raw.iter().copied())
            .collect()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made(index) => index.fmt(f),
            Self::Case(number) => write!(f, "case {number}"),
        }
    }
}

impl Exchange {
    pub(super) fn is_head(&self) -> bool {
        self.raw.trim_ascii_start().starts_with(b"HEAD ")
    }
}

/// The conversation of that index; the same arguments give the same one.
pub(super) fn conversation(
    seed: u64,
    configuration: &str,
    index: usize,
    language: &Language<'_>,
) -> Conversation {
    let mut rng = StdRng::seed_from_u64(mix(seed, configuration, index));
    let (count, pipelined) = match rng.random_range(0..10) {
        0..7 => (1, false),
        7 | 8 => (rng.random_range(2..4), true),
        _ => (rng.random_range(2..4), false),
    };
    let exchanges = (0..count)
        .map(|exchange| {
            let token = token(configuration, &index.to_string(), exchange);
            let mut request = plain(&mut rng, &token, language.vocabulary);
            twist(&mut rng, &mut request, language);
            Exchange {
                raw: request.bytes(),
                token,
            }
        })
        .collect();
    Conversation {
        name: Name::Made(index),
        exchanges,
        pipelined,
        in_parts: rng.random_ratio(1, 8),
        client: language.vocabulary.clients.choose(&mut rng).copied(),
    }
}

/// Marks a request, so that it is known again where it arrives.
pub(super) fn token(configuration: &str, conversation: &str, exchange: usize) -> String {
    format!("{TOKEN_MARK}{configuration}-{conversation}-{exchange}~")
}

/// Replaces a placeholder wherever it stands.
pub(super) fn fill(template: &[u8], placeholder: &[u8], value: &[u8]) -> Vec<u8> {
    let mut filled = Vec::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest
        .windows(placeholder.len())
        .position(|part| part == placeholder)
    {
        filled.extend_from_slice(&rest[..at]);
        filled.extend_from_slice(value);
        rest = &rest[at + placeholder.len()..];
    }
    filled.extend_from_slice(rest);
    filled
}

/// The token of a request that a server saw, wherever it ended up; empty when it is lost.
pub(super) fn token_in(head: &Head) -> String {
    let fields = head.fields.iter().flat_map(|(name, value)| [name, value]);
    [&head.line]
        .into_iter()
        .chain(fields)
        .find_map(|text| token_of(text))
        .unwrap_or_default()
}

fn token_of(text: &[u8]) -> Option<String> {
    let mark = TOKEN_MARK.as_bytes();
    let start = text.windows(mark.len()).position(|part| part == mark)?;
    let inner = start + mark.len();
    let length = text[inner..].iter().position(|&byte| byte == b'~')?;
    String::from_utf8(text[start..=inner + length].to_vec()).ok()
}

/// FNV-1a over all that names a conversation.
fn mix(seed: u64, configuration: &str, index: usize) -> u64 {
    let bytes = seed
        .to_le_bytes()
        .into_iter()
        .chain(configuration.bytes())
        .chain(index.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A request that nobody could object to.
fn plain(rng: &mut StdRng, token: &str, vocabulary: &Vocabulary) -> Request {
    let method = vocabulary.methods.choose(rng).map_or("GET", String::as_str);
    let mut target = word(rng, &vocabulary.paths).to_owned();
    if rng.random_ratio(1, 3) && !vocabulary.queries.is_empty() {
        target += "?";
        target += word(rng, &vocabulary.queries);
    }
    let mut request = Request::new(method, &target);
    request.add("Host", word(rng, &vocabulary.hosts));
    request.add(TOKEN_FIELD, token);
    // Traefik asks for gzip where the client says nothing: half of the requests stay clear of that.
    if rng.random_bool(0.5) {
        request.add("Accept-Encoding", "identity");
    }
    if rng.random_bool(0.5) {
        request.add("User-Agent", "oracle/1");
    }
    if rng.random_bool(0.4) && !vocabulary.headers.is_empty() {
        request
            .lines
            .push(word(rng, &vocabulary.headers).as_bytes().to_vec());
    }
    if matches!(method, "POST" | "PUT" | "PATCH") {
        plain_body(rng, &mut request);
    }
    request
}

fn twist(rng: &mut StdRng, request: &mut Request, language: &Language<'_>) {
    let emphasis = language.vocabulary.emphasis;
    let twists: [(u32, Twist); 10] = [
        (emphasis.target, twist::target),
        (emphasis.query, twist::query),
        (emphasis.host, twist::host),
        (emphasis.forwarded, twist::forwarded),
        (emphasis.header, twist::header),
        (emphasis.line, twist::line),
        (emphasis.method, twist::method),
        (emphasis.version, twist::version),
        (emphasis.body, twist::body),
        (emphasis.answer, twist::answer),
    ];
    let count = [0, 1, 1, 1, 1, 1, 2, 2, 3]
        .choose(rng)
        .copied()
        .unwrap_or(1);
    for _ in 0..count {
        if let Ok((_, twist)) = twists.choose_weighted(rng, |(weight, _)| *weight) {
            twist(rng, request, language);
        }
    }
}

type Twist = fn(&mut StdRng, &mut Request, &Language<'_>);

fn plain_body(rng: &mut StdRng, request: &mut Request) {
    match rng.random_range(0..10) {
        0..6 => {
            request.add("Content-Length", "11");
            request.body = b"hello world".to_vec();
        }
        6..9 => {
            request.add("Transfer-Encoding", "chunked");
            request.body = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n".to_vec();
        }
        _ => {}
    }
}

fn word<'a>(rng: &mut StdRng, words: &'a [String]) -> &'a str {
    words.choose(rng).map_or("", String::as_str)
}

impl Default for Emphasis {
    fn default() -> Self {
        Self {
            target: 3,
            query: 2,
            host: 2,
            forwarded: 2,
            header: 4,
            line: 1,
            method: 1,
            version: 1,
            body: 2,
            answer: 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_says_the_same() {
        let vocabulary = toml::from_str(
            r#"hosts = ["a.test"]
paths = ["/", "/x"]
methods = ["GET", "POST"]"#,
        )
        .unwrap();
        let language = Language {
            vocabulary: &vocabulary,
            oddities: &Oddities::read(&super::super::data().join("oddities.toml")).unwrap(),
            plans: vec!["drop"],
        };
        let raw = |seed| conversation(seed, "c", 7, &language).raw();
        assert_eq!(raw(1), raw(1));
        assert!(
            (1..20)
                .map(raw)
                .collect::<std::collections::BTreeSet<_>>()
                .len()
                > 15
        );
    }

    #[test]
    fn a_token_is_found_wherever_it_ended_up() {
        let head = Head {
            line: b"GET / HTTP/1.1".to_vec(),
            fields: vec![(b"X".to_vec(), b"1 X-Oracle: oracle~c-7-0~, b".to_vec())],
        };
        assert_eq!(token_in(&head), "oracle~c-7-0~");
    }
}

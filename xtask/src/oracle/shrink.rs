//! The shortest conversation that still shows a difference.

use super::generate::{Conversation, TOKEN_FIELD};

/// Drops requests, lines and queries as long as `shows` holds.
pub(super) fn shortest(
    conversation: &Conversation,
    mut shows: impl FnMut(&Conversation) -> bool,
) -> Conversation {
    let mut best = conversation.clone();
    let mut attempt = |best: &mut Conversation, change: &dyn Fn(&mut Conversation)| {
        let mut candidate = best.clone();
        change(&mut candidate);
        if shows(&candidate) {
            *best = candidate;
        }
    };
    for index in (0..best.exchanges.len()).rev() {
        if best.exchanges.len() > 1 {
            attempt(&mut best, &|candidate| {
                drop(candidate.exchanges.remove(index));
            });
        }
    }
    if best.in_parts {
        attempt(&mut best, &|candidate| candidate.in_parts = false);
    }
    if best.pipelined {
        attempt(&mut best, &|candidate| candidate.pipelined = false);
    }
    for exchange in 0..best.exchanges.len() {
        for line in (1..lines(&best.exchanges[exchange].raw).len() - 1).rev() {
            let kept = lines(&best.exchanges[exchange].raw);
            if contains(kept[line], TOKEN_FIELD.as_bytes()) || kept[line].trim_ascii().is_empty() {
                continue;
            }
            attempt(&mut best, &|candidate| {
                let raw = &mut candidate.exchanges[exchange].raw;
                let mut kept = lines(raw);
                kept.remove(line);
                *raw = kept.concat();
            });
        }
        attempt(&mut best, &|candidate| {
            drop_query(&mut candidate.exchanges[exchange].raw);
        });
    }
    best
}

/// The lines of the head, each with its end, and all that follows as the last one.
fn lines(raw: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = raw;
    while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
        let (line, after) = rest.split_at(end + 1);
        if line.trim_ascii().is_empty() && !lines.is_empty() {
            break;
        }
        lines.push(line);
        rest = after;
    }
    lines.push(rest);
    lines
}

fn drop_query(raw: &mut Vec<u8>) {
    let end = raw
        .iter()
        .position(|&byte| byte == b'\n')
        .unwrap_or(raw.len());
    let query = raw[..end].iter().position(|&byte| byte == b'?');
    let version = raw[..end].windows(6).rposition(|part| part == b" HTTP/");
    if let (Some(query), Some(version)) = (query, version)
        && query < version
    {
        raw.drain(query..version);
    }
}

fn contains(line: &[u8], piece: &[u8]) -> bool {
    line.windows(piece.len())
        .any(|part| part.eq_ignore_ascii_case(piece))
}

#[cfg(test)]
mod tests {
    use super::super::generate::{Exchange, Name};
    use super::*;

    #[test]
    fn only_what_matters_stays() {
        let exchange = |token: &str, raw: &str| Exchange {
            token: token.to_owned(),
            raw: raw.as_bytes().to_vec(),
        };
        let conversation = Conversation {
            name: Name::Made(0),
            exchanges: vec![
                exchange("1", "GET / HTTP/1.1\r\nHost: a\r\nX-Oracle: 1\r\n\r\n"),
                exchange(
                    "2",
                    "GET /?q HTTP/1.1\r\nHost: a\r\nX-Oracle: 2\r\nX-Bad: 1\r\nX-Good: 1\r\n\r\nbody",
                ),
            ],
            pipelined: true,
            in_parts: true,
            client: None,
        };
        let short = shortest(&conversation, |conversation| {
            contains(&conversation.raw(), b"x-bad")
        });
        assert_eq!(
            short.raw().escape_ascii().to_string(),
            r"GET / HTTP/1.1\r\nX-Oracle: 2\r\nX-Bad: 1\r\n\r\nbody"
        );
        assert!(!short.pipelined && !short.in_parts);
    }
}

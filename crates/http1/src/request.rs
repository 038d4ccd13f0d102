//! Reads the head of a request: a line and fields, and what they say about the bytes that follow.

use bytes::{Buf, Bytes};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Version,
    header::{CONNECTION, CONTENT_LENGTH, HOST, TRAILER, TRANSFER_ENCODING},
};
use memchr::{memchr, memchr_iter};

use crate::{
    Decoder, Refused,
    field::{self, parse_length},
};

/// Go has no such limit; a map of fields has one.
const MAX_FIELDS: usize = 4096;
/// Room for the fields that a proxy adds.
const MORE_FIELDS: usize = 7;

/// What does the head of a request say, and how does the request go on?
#[derive(Debug)]
pub struct RequestHead<T> {
    /// The method, whichever it is.
    pub method: Method,
    /// What the target is to the caller.
    pub target: T,
    /// 1.0 or 1.1; what comes after 1.1 has to be understood as 1.1 (RFC 9110 §2.5).
    pub version: Version,
    /// All fields, with one `Content-Length` at most, and none beside chunks. `Transfer-Encoding` is taken out.
    pub headers: HeaderMap,
    /// The body.
    pub body: Decoder,
    /// Whether another request may follow on the connection.
    pub keep_alive: bool,
}

/// Finds heads in the bytes of a connection, without reading the same bytes over and over when they trickle.
#[derive(Debug, Default)]
pub struct RequestReader {
    /// The beginning of the first line that is not complete.
    line_at: usize,
    /// How much has been searched for the end of a line.
    searched: usize,
    n_lines: usize,
}

impl RequestReader {
    /// Takes a whole head, and empty lines before it, from the front of `pending`; `None` as long as it is not complete.
    ///
    /// A head is refused as early as its first line that is none. `target` reads the target of the first line; nothing
    /// means that it is none.
    ///
    /// # Errors
    /// When it is refused. Of several faults, Go's server names the same.
    pub fn read<T>(
        &mut self,
        pending: &mut Bytes,
        limit: usize,
        target: impl FnOnce(&Method, Bytes) -> Option<T>,
    ) -> Result<Option<RequestHead<T>>, Refused> {
        if self.line_at == 0 {
            // RFC 9112 §2.2
            let n_blank = blank(pending);
            if n_blank > 0 {
                pending.advance(n_blank);
                *self = Self::default();
            }
        }
        let Some(len) = self.find_end(pending) else {
            self.check_lines(pending)?;
            return if pending.len() >= limit {
                Err(Refused::TooLarge)
            } else {
                Ok(None)
            };
        };
        let n_fields = self.n_lines.saturating_sub(1);
        *self = Self::default();
        // Copied, so that a long request does not keep a buffer of many.
        let head = Bytes::copy_from_slice(&pending[..len]);
        pending.advance(len);
        let head = parse(&head, n_fields, target)?;
        if len > limit {
            return Err(Refused::TooLarge);
        }
        Ok(Some(head))
    }

    /// The length of the head, if its last, empty, line is there.
    fn find_end(&mut self, pending: &[u8]) -> Option<usize> {
        let mut line_at = self.line_at;
        for at in memchr_iter(b'\n', &pending[self.searched..]) {
            let at = self.searched + at;
            if matches!(pending[line_at..at], [] | [b'\r']) {
                return Some(at + 1);
            }
            self.n_lines += 1;
            line_at = at + 1;
        }
        None
    }

    /// Looks at the lines that have become complete.
    fn check_lines(&mut self, pending: &[u8]) -> Result<(), Refused> {
        for at in memchr_iter(b'\n', &pending[self.searched..]) {
            let at = self.searched + at;
            let line = without_return(&pending[self.line_at..at]);
            if self.line_at == 0 {
                request_line(line)?;
            } else if !is_continuation(line) {
                match split_field(line) {
                    Ok(_) | Err(Refused::Name) => {}
                    Err(refused) => return Err(refused),
                }
            } else if !has_first_field(&pending[..self.line_at]) {
                return Err(Refused::Malformed);
            }
            self.line_at = at + 1;
        }
        self.searched = pending.len();
        Ok(())
    }
}

/// Whether there is a field that a line can go on from.
fn has_first_field(before: &[u8]) -> bool {
    memchr(b'\n', before).is_some_and(|end_of_line| end_of_line + 1 < before.len())
}

/// How many bytes of empty lines come first.
fn blank(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some(after) = rest
        .strip_prefix(b"\r\n")
        .or_else(|| rest.strip_prefix(b"\n"))
    {
        rest = after;
    }
    bytes.len() - rest.len()
}

fn parse<T>(
    head: &Bytes,
    n_fields: usize,
    target: impl FnOnce(&Method, Bytes) -> Option<T>,
) -> Result<RequestHead<T>, Refused> {
    let mut lines = Lines { head, at: 0 };
    let line = lines.next().ok_or(Refused::Malformed)?;
    let (method, raw, version) = request_line(line)?;
    let target = target(&method, head.slice_ref(raw)).ok_or(Refused::Malformed)?;
    let mut has_spaced_name = false;
    let mut headers = HeaderMap::with_capacity(n_fields.min(MAX_FIELDS) + MORE_FIELDS);
    let mut framing = FramingFields::default();
    while let Some(line) = lines.next() {
        if line.is_empty() {
            break;
        }
        let (name, value) = match split_field(line) {
            Ok(field) => field,
            Err(Refused::Name) => {
                has_spaced_name = true;
                continue;
            }
            Err(refused) => return Err(refused),
        };
        let value = if lines.goes_on() {
            if matches!(name, CONTENT_LENGTH | TRANSFER_ENCODING) {
                // Whoever does not know of such lines would see another end of the message.
                return Err(Refused::Malformed);
            }
            unfolded(value, &mut lines)
        } else {
            HeaderValue::from_maybe_shared(head.slice_ref(value))
        };
        let value = value.map_err(|_| Refused::Malformed)?;
        if framing.wants(&name, &value) {
            if headers.len() == MAX_FIELDS {
                return Err(Refused::TooLarge);
            }
            headers
                .try_append(name, value)
                .map_err(|_| Refused::TooLarge)?;
        }
    }
    let (body, keep_alive) = framing.settle(version, &mut headers)?;
    if version > Version::HTTP_11 {
        return Err(Refused::Version);
    }
    let needs_host = version == Version::HTTP_11 && method != Method::CONNECT;
    if needs_host && !headers.contains_key(HOST) {
        return Err(Refused::MissingHost);
    }
    if has_spaced_name {
        return Err(Refused::Name);
    }
    Ok(RequestHead {
        method,
        target,
        version,
        headers,
        body,
        keep_alive,
    })
}

/// The lines of a head, without their ends.
struct Lines<'h> {
    head: &'h [u8],
    at: usize,
}

impl<'h> Lines<'h> {
    fn next(&mut self) -> Option<&'h [u8]> {
        let rest = &self.head[self.at..];
        let end = memchr(b'\n', rest)?;
        self.at += end + 1;
        Some(without_return(&rest[..end]))
    }

    /// Whether the line before goes on in the next one: RFC 9112 §5.2.
    fn goes_on(&self) -> bool {
        is_continuation(&self.head[self.at..])
    }
}

fn is_continuation(line: &[u8]) -> bool {
    matches!(line, [b' ' | b'\t', ..])
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cold]
fn unfolded(
    first: &[u8],
    lines: &mut Lines<'_>,
) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    let mut value = first.to_vec();
    while lines.goes_on() {
        let Some(line) = lines.next() else { break };
        value.push(b' ');
        value.extend_from_slice(trim(line));
    }
    // Traefik: white space at the end of the last line stays.
    HeaderValue::from_bytes(value.trim_ascii_start())
}

fn request_line(line: &[u8]) -> Result<(Method, &[u8], Version), Refused> {
    let mut words = line.splitn(3, |&byte| byte == b' ');
    let (Some(method), Some(target), Some(version)) = (words.next(), words.next(), words.next())
    else {
        return Err(Refused::Malformed);
    };
    let method = Method::from_bytes(method).map_err(|_| Refused::Malformed)?;
    let version = match version {
        b"HTTP/1.1" => Version::HTTP_11,
        b"HTTP/1.0" => Version::HTTP_10,
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9'] => Version::HTTP_11,
        // Refused when the fields are read, as Go does.
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => Version::HTTP_2,
        _ => return Err(Refused::Malformed),
    };
    if target.is_empty() || target.iter().any(|&byte| byte < b' ' || byte == 0x7f) {
        return Err(Refused::Malformed);
    }
    Ok((method, target, version))
}

/// The name of a field and the value without the white space around it.
fn split_field(line: &[u8]) -> Result<(HeaderName, &[u8]), Refused> {
    let colon = memchr(b':', line).ok_or(Refused::Malformed)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    match HeaderName::from_bytes(name) {
        Ok(name) => Ok((name, trim(value))),
        Err(_) if is_continuation(line) => Err(Refused::Malformed),
        Err(_) => Err(refused_name(name)),
    }
}

/// Traefik: Go's server has a word for names that are fine but for a space.
#[cold]
fn refused_name(name: &[u8]) -> Refused {
    let is_token = |part: &[u8]| part.is_empty() || HeaderName::from_bytes(part).is_ok();
    if name.contains(&b' ') && name.split(|&byte| byte == b' ').all(is_token) {
        Refused::Name
    } else {
        Refused::Malformed
    }
}

fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// The fields that say where a message ends and whether another may follow, as they are met.
#[derive(Debug, Default)]
struct FramingFields {
    content_length: Option<HeaderValue>,
    n_hosts: u32,
    is_contradictory: bool,
    is_coded: bool,
    is_unsupported: bool,
    close: bool,
    keep_alive: bool,
}

impl FramingFields {
    /// Notes what the field says about framing; is it also for the caller?
    fn wants(&mut self, name: &HeaderName, value: &HeaderValue) -> bool {
        match *name {
            CONTENT_LENGTH => match &self.content_length {
                None => self.content_length = Some(value.clone()),
                Some(first) => {
                    self.is_contradictory |= first != value;
                    return false;
                }
            },
            HOST => self.n_hosts += 1,
            TRANSFER_ENCODING => {
                self.is_unsupported |=
                    self.is_coded || !value.as_bytes().eq_ignore_ascii_case(b"chunked");
                self.is_coded = true;
                return false;
            }
            CONNECTION => {
                for token in field::tokens(value.as_bytes()) {
                    self.close |= token.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            _ => {}
        }
        true
    }

    /// The body, and whether another request may follow.
    fn settle(self, version: Version, headers: &mut HeaderMap) -> Result<(Decoder, bool), Refused> {
        let mut keep_alive = !self.close && (version == Version::HTTP_11 || self.keep_alive);
        if self.n_hosts > 1 {
            return Err(Refused::Malformed);
        }
        if self.is_coded && version == Version::HTTP_10 {
            // RFC 9112 §6.1: such framing is faulty.
            return Err(Refused::Malformed);
        }
        if self.is_unsupported {
            return Err(Refused::Coding);
        }
        let length = match &self.content_length {
            Some(_) if self.is_contradictory => return Err(Refused::Malformed),
            Some(length) => parse_length(length.as_bytes()).ok_or(Refused::Malformed)?,
            None => 0,
        };
        if !self.is_coded {
            return Ok((Decoder::length(length), keep_alive));
        }
        check_announced_trailers(headers)?;
        if self.content_length.is_some() {
            // RFC 9112 §6.1: with both, chunks win, and nothing after them on this connection can be trusted.
            headers.remove(CONTENT_LENGTH);
            keep_alive = false;
        }
        Ok((Decoder::chunked(), keep_alive))
    }
}

/// RFC 9110 §6.5.1: what frames a message cannot come behind it.
fn check_announced_trailers(headers: &HeaderMap) -> Result<(), Refused> {
    let frames = |name: &[u8]| {
        [TRANSFER_ENCODING, CONTENT_LENGTH, TRAILER]
            .iter()
            .any(|framing| name.eq_ignore_ascii_case(framing.as_str().as_bytes()))
    };
    let announced = headers.get_all(TRAILER).iter();
    if announced
        .flat_map(|line| field::tokens(line.as_bytes()))
        .any(frames)
    {
        return Err(Refused::Malformed);
    }
    Ok(())
}

#[cfg(test)]
mod tests;

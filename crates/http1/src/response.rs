//! Reads the head of a response: a status line and fields, and what they say about the bytes that follow.

use std::mem::MaybeUninit;

use bytes::{Buf, Bytes};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version,
    header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING},
    response::Parts,
};
use httparse::{Header, ParserConfig, Status};
use memchr::memchr_iter;

use crate::{Decoder, MalformedHead, field};

/// Traefik allows 10 MiB, which no server needs and a thread of many connections cannot afford.
const MAX_HEAD: usize = 1024 * 1024;
const FIELDS_ON_STACK: usize = 64;
const MAX_FIELDS: usize = 4096;

/// What does the head of a response say, and how does the response go on?
#[derive(Debug)]
pub struct ResponseHead {
    /// Status and fields, `Transfer-Encoding` taken out.
    pub parts: Parts,
    content_length: Option<u64>,
    chunked: bool,
    keep_alive: bool,
}

/// Finds heads in the bytes of a connection, without reading the same bytes over and over when they trickle.
#[derive(Debug, Default)]
pub struct ResponseReader {
    seen: usize,
}

impl ResponseReader {
    /// Takes a whole head from the front of `pending`, or leaves `pending` alone.
    ///
    /// # Errors
    /// When what is there is the beginning of no head, or of one that is not safe to believe.
    pub fn read(&mut self, pending: &mut Bytes) -> Result<Option<ResponseHead>, MalformedHead> {
        if !self.is_worth_parsing(pending) {
            return Ok(None);
        }
        match parse(pending)? {
            Some((length, head)) => {
                pending.advance(length);
                self.seen = 0;
                Ok(Some(head))
            }
            None if pending.len() >= MAX_HEAD => Err(MalformedHead::TooLarge),
            None => {
                self.seen = pending.len();
                Ok(None)
            }
        }
    }

    /// Either the end of the head is among the new bytes, or they have doubled since the last attempt, so that garbage
    /// is found early and the sum of all attempts stays linear.
    fn is_worth_parsing(&self, pending: &[u8]) -> bool {
        if pending.len() >= (2 * self.seen).min(MAX_HEAD) {
            return !pending.is_empty();
        }
        let fresh = &pending[self.seen.saturating_sub(3)..];
        memchr_iter(b'\n', fresh)
            .any(|at| matches!(&fresh[at + 1..], [b'\n', ..] | [b'\r', b'\n', ..]))
    }
}

impl ResponseHead {
    /// How is the body of this head framed, in answer to `method`, and may the connection be used after it?
    #[must_use]
    pub fn framing(&self, method: &Method) -> (Decoder, bool) {
        let bodiless = method == Method::HEAD || is_bodiless(self.parts.status);
        let decoder = match (bodiless, self.chunked, self.content_length) {
            (true, ..) => Decoder::length(0),
            (false, true, _) => Decoder::chunked(),
            (false, false, Some(length)) => Decoder::length(length),
            (false, false, None) => Decoder::until_close(),
        };
        let reusable = self.keep_alive && !decoder.is_until_close();
        (decoder, reusable)
    }
}

/// RFC 9112 §6.3: these never have a body, whatever their fields say.
fn is_bodiless(status: StatusCode) -> bool {
    status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

fn parse(pending: &Bytes) -> Result<Option<(usize, ResponseHead)>, MalformedHead> {
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS_ON_STACK];
    match parse_into(pending, &mut fields) {
        Err(MalformedHead::TooManyFields) => {
            let mut fields = vec![MaybeUninit::uninit(); MAX_FIELDS];
            parse_into(pending, &mut fields)
        }
        parsed => parsed,
    }
}

fn parse_into<'b>(
    pending: &'b Bytes,
    fields: &mut [MaybeUninit<Header<'b>>],
) -> Result<Option<(usize, ResponseHead)>, MalformedHead> {
    let mut response = httparse::Response::new(&mut []);
    let length = match lenient().parse_response_with_uninit_headers(&mut response, pending, fields)
    {
        Ok(Status::Complete(length)) if length > MAX_HEAD => return Err(MalformedHead::TooLarge),
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(MalformedHead::TooManyFields),
        Err(error) => return Err(MalformedHead::Syntax(error)),
    };
    let status = response
        .code
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or(MalformedHead::Status)?;
    let version = if response.version == Some(0) {
        Version::HTTP_10
    } else {
        Version::HTTP_11
    };
    assemble(pending, status, version, response.headers).map(|head| Some((length, head)))
}

fn lenient() -> ParserConfig {
    let mut config = ParserConfig::default();
    // RFC 9112 §5.1: a proxy removes white space before the colon of a response. §5.2: it unfolds lines.
    config
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_multiple_spaces_in_response_status_delimiters(true);
    config
}

fn assemble(
    pending: &Bytes,
    status: StatusCode,
    version: Version,
    fields: &[Header<'_>],
) -> Result<ResponseHead, MalformedHead> {
    let mut headers = HeaderMap::with_capacity(fields.len());
    let mut framing = FramingFields::default();
    for field in fields {
        let name =
            HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| MalformedHead::Field)?;
        let value = shared_value(pending, field.value)?;
        if framing.wants(&name, &value) {
            headers
                .try_append(name, value)
                .map_err(|_| MalformedHead::TooManyFields)?;
        }
    }
    let (content_length, chunked, keep_alive) = framing.settle(version, status)?;
    if content_length.is_none() {
        // Overruled by chunks, or without meaning for this status.
        headers.remove(CONTENT_LENGTH);
    }
    let (mut parts, ()) = Response::new(()).into_parts();
    parts.status = status;
    parts.version = version;
    parts.headers = headers;
    Ok(ResponseHead {
        parts,
        content_length,
        chunked,
        keep_alive,
    })
}

/// Values are slices of what was read; only folded ones are copied.
fn shared_value(pending: &Bytes, value: &[u8]) -> Result<HeaderValue, MalformedHead> {
    let value = if memchr::memchr(b'\n', value).is_some() {
        HeaderValue::from_maybe_shared(Bytes::from(unfold(value)))
    } else {
        HeaderValue::from_maybe_shared(pending.slice_ref(value))
    };
    value.map_err(|_| MalformedHead::Field)
}

fn unfold(value: &[u8]) -> Vec<u8> {
    value
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .collect::<Vec<_>>()
        .join(&b' ')
}

/// The fields that say where a message ends and whether another may follow, as they are met.
#[derive(Debug, Default)]
struct FramingFields {
    content_length: Option<Result<u64, ()>>,
    transfer_codings: u32,
    unsupported_coding: bool,
    close: bool,
    keep_alive: bool,
}

impl FramingFields {
    /// Notes what the field says about framing; is it also for the caller?
    fn wants(&mut self, name: &HeaderName, value: &HeaderValue) -> bool {
        if *name == CONTENT_LENGTH {
            let length = field::parse_length(value.as_bytes()).ok_or(());
            let first = self.content_length.is_none();
            match self.content_length {
                Some(known) if known != length => self.content_length = Some(Err(())),
                Some(_) => {}
                None => self.content_length = Some(length),
            }
            return first;
        }
        if *name == TRANSFER_ENCODING {
            self.transfer_codings += 1;
            self.unsupported_coding |= !value.as_bytes().eq_ignore_ascii_case(b"chunked");
            return false;
        }
        if *name == CONNECTION {
            for token in field::tokens(value.as_bytes()) {
                self.close |= token.eq_ignore_ascii_case(b"close");
                self.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
            }
        }
        true
    }

    /// Length, chunked, keep-alive.
    fn settle(
        self,
        version: Version,
        status: StatusCode,
    ) -> Result<(Option<u64>, bool, bool), MalformedHead> {
        let mut keep_alive = !self.close && (version == Version::HTTP_11 || self.keep_alive);
        let mut chunked = self.transfer_codings > 0;
        if chunked && version == Version::HTTP_10 {
            // RFC 9112 §6.1: such framing is faulty. Go, and so Traefik, goes by the rest.
            keep_alive = false;
            chunked = false;
        } else if self.transfer_codings > 1 || self.unsupported_coding {
            return Err(MalformedHead::TransferEncoding);
        }
        if chunked {
            // RFC 9112 §6.1: with both, chunked wins, and nothing after it on this connection can be trusted.
            keep_alive &= self.content_length.is_none();
            return Ok((None, true, keep_alive));
        }
        match self.content_length {
            // Go reads no length of these.
            Some(length) if is_bodiless(status) => {
                Ok((length.ok(), false, keep_alive && length.is_ok()))
            }
            Some(Err(())) => Err(MalformedHead::ContentLength),
            Some(Ok(length)) => Ok((Some(length), false, keep_alive)),
            None => Ok((None, false, keep_alive)),
        }
    }
}

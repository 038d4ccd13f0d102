//! Takes a body out of its framing.

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::error::MalformedBody;

const MAX_OVERHEAD: u64 = 16 * 1024;
const MAX_TRAILERS: usize = 64 * 1024;
const MAX_TRAILER_FIELDS: usize = 512;

/// Where in its framing a body is.
#[derive(Debug)]
pub(crate) enum Decoder {
    /// So many bytes are to come.
    Length(u64),
    /// RFC 9112 §7.1.
    Chunked(Chunked),
    /// All bytes until the server closes.
    UntilClose,
}

/// One step of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// Nothing before more bytes are there.
    More,
    /// A piece, never empty.
    Data(Bytes),
    /// The fields after the last chunk; the end follows.
    Trailers(HeaderMap),
    /// Nothing any more.
    End,
}

impl Decoder {
    pub(crate) fn length(length: u64) -> Self {
        Self::Length(length)
    }

    pub(crate) fn chunked() -> Self {
        Self::Chunked(Chunked::default())
    }

    pub(crate) fn until_close() -> Self {
        Self::UntilClose
    }

    pub(crate) fn is_until_close(&self) -> bool {
        matches!(self, Self::UntilClose)
    }

    /// Whether there is nothing left to decode, not even a terminator.
    pub(crate) fn is_done(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunked) => chunked.state == State::End,
            Self::UntilClose => false,
        }
    }

    /// How many bytes are to come, where the head has said so.
    pub(crate) fn left(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            Self::Chunked(_) | Self::UntilClose => None,
        }
    }

    /// Takes the next step from the front of `pending`.
    pub(crate) fn decode(&mut self, pending: &mut Bytes) -> Result<Decoded, MalformedBody> {
        match self {
            Self::Length(0) => Ok(Decoded::End),
            Self::Length(left) => Ok(take(left, pending).map_or(Decoded::More, Decoded::Data)),
            Self::Chunked(chunked) => chunked.decode(pending),
            Self::UntilClose if pending.is_empty() => Ok(Decoded::More),
            Self::UntilClose => Ok(Decoded::Data(std::mem::take(pending))),
        }
    }
}

/// At most `left` bytes from the front of `pending`, or nothing when there are none.
fn take(left: &mut u64, pending: &mut Bytes) -> Option<Bytes> {
    if pending.is_empty() {
        return None;
    }
    let n = usize::try_from(*left)
        .unwrap_or(usize::MAX)
        .min(pending.len());
    *left -= n as u64;
    Some(if n == pending.len() {
        std::mem::take(pending)
    } else {
        pending.split_to(n)
    })
}

/// Reads chunks byte by byte, save for their data: where the network cut them makes no difference.
#[derive(Debug, Default)]
pub(crate) struct Chunked {
    state: State,
    left: u64,
    overhead: u64,
    trailers: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    SizeStart,
    Size,
    SizeSpace,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    EndLf,
    End,
}

impl Chunked {
    fn decode(&mut self, pending: &mut Bytes) -> Result<Decoded, MalformedBody> {
        loop {
            match self.state {
                State::End => return Ok(Decoded::End),
                State::Data => {
                    let data = take(&mut self.left, pending);
                    if self.left == 0 {
                        self.state = State::DataCr;
                    }
                    return Ok(data.map_or(Decoded::More, Decoded::Data));
                }
                _ => {}
            }
            let Some(&byte) = pending.first() else {
                return Ok(Decoded::More);
            };
            pending.advance(1);
            self.state = self.step(byte)?;
            if self.state == State::End && !self.trailers.is_empty() {
                return self.read_trailers().map(Decoded::Trailers);
            }
        }
    }

    fn step(&mut self, byte: u8) -> Result<State, MalformedBody> {
        match (self.state, byte) {
            (State::SizeStart | State::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                self.digit(byte)
            }
            (State::Size | State::SizeSpace, b' ' | b'\t') => self.overhead(State::SizeSpace),
            (State::Size | State::SizeSpace, b';') => self.overhead(State::Extension),
            (State::Size | State::SizeSpace | State::Extension, b'\r') => Ok(State::SizeLf),
            (State::Extension, b'\n') => Err(MalformedBody::LineEnd),
            (State::Extension, _) => self.overhead(State::Extension),
            (State::SizeLf, b'\n') => Ok(self.size_known()),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::SizeStart),
            (State::TrailerStart, b'\r') => Ok(State::EndLf),
            (State::Trailer, b'\r') => self.trailer(byte, State::TrailerLf),
            (State::TrailerStart | State::Trailer, b'\n') => Err(MalformedBody::LineEnd),
            (State::TrailerStart | State::Trailer, _) => self.trailer(byte, State::Trailer),
            (State::TrailerLf, b'\n') => self.trailer(byte, State::TrailerStart),
            (State::EndLf, b'\n') => Ok(State::End),
            (State::SizeStart | State::Size | State::SizeSpace, _) => Err(MalformedBody::ChunkSize),
            _ => Err(MalformedBody::LineEnd),
        }
    }

    fn digit(&mut self, byte: u8) -> Result<State, MalformedBody> {
        let digit = char::from(byte)
            .to_digit(16)
            .ok_or(MalformedBody::ChunkSize)?;
        self.left = self
            .left
            .checked_mul(16)
            .map(|left| left + u64::from(digit))
            .ok_or(MalformedBody::ChunkSize)?;
        self.overhead(State::Size)
    }

    /// Go's rule: what is not data may exceed sixteen bytes a chunk and twice the data by so much and no more.
    fn overhead(&mut self, next: State) -> Result<State, MalformedBody> {
        self.overhead += 1;
        if self.overhead > MAX_OVERHEAD {
            Err(MalformedBody::Overhead)
        } else {
            Ok(next)
        }
    }

    fn size_known(&mut self) -> State {
        self.overhead = self
            .overhead
            .saturating_sub(16)
            .saturating_sub(self.left.saturating_mul(2));
        if self.left == 0 {
            State::TrailerStart
        } else {
            State::Data
        }
    }

    fn trailer(&mut self, byte: u8, next: State) -> Result<State, MalformedBody> {
        if self.trailers.len() >= MAX_TRAILERS {
            return Err(MalformedBody::TrailersTooLarge);
        }
        self.trailers.push(byte);
        Ok(next)
    }

    fn read_trailers(&mut self) -> Result<HeaderMap, MalformedBody> {
        let mut block = std::mem::take(&mut self.trailers);
        block.extend_from_slice(b"\r\n");
        let mut fields = vec![httparse::EMPTY_HEADER; MAX_TRAILER_FIELDS];
        let fields = match httparse::parse_headers(&block, &mut fields) {
            Ok(httparse::Status::Complete((_, fields))) => fields,
            Ok(httparse::Status::Partial) => return Err(MalformedBody::Trailer),
            Err(httparse::Error::TooManyHeaders) => return Err(MalformedBody::TrailersTooLarge),
            Err(_) => return Err(MalformedBody::Trailer),
        };
        let mut trailers = HeaderMap::with_capacity(fields.len());
        for field in fields {
            let name = HeaderName::from_bytes(field.name.as_bytes())
                .map_err(|_| MalformedBody::Trailer)?;
            let value = HeaderValue::from_bytes(field.value).map_err(|_| MalformedBody::Trailer)?;
            // RFC 9110 §6.5.1: framing has no place in trailers.
            if name != header::CONTENT_LENGTH && name != header::TRANSFER_ENCODING {
                trailers
                    .try_append(name, value)
                    .map_err(|_| MalformedBody::TrailersTooLarge)?;
            }
        }
        Ok(trailers)
    }
}

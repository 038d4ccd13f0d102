//! Takes a body out of its framing.

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{MalformedBody, trailers::may_trail};

const MAX_OVERHEAD: u64 = 16 * 1024;
const MAX_TRAILERS: usize = 64 * 1024;
const MAX_TRAILER_FIELDS: usize = 512;

/// Where does a body end, and how far has it come?
///
/// ```
/// use bytes::Bytes;
/// use traefikrs_http1::{Decoded, Decoder};
///
/// let mut body = Decoder::chunked();
/// let mut read = Bytes::from("3\r\nabc\r\n0\r\n\r\nGET /");
/// assert_eq!(body.decode(&mut read), Ok(Decoded::Data(Bytes::from("abc"))));
/// assert_eq!(body.decode(&mut read), Ok(Decoded::End));
/// assert_eq!(read, "GET /");
/// ```
#[derive(Debug)]
pub struct Decoder(Framing);

#[derive(Debug)]
enum Framing {
    /// So many bytes are to come.
    Length(u64),
    /// RFC 9112 §7.1.
    Chunked(Box<Chunked>),
    /// All bytes until the peer closes.
    UntilClose,
}

/// One step of a body.
#[derive(Debug, PartialEq, Eq)]
pub enum Decoded {
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
    /// A body of so many bytes; none for 0.
    #[must_use]
    pub fn length(length: u64) -> Self {
        Self(Framing::Length(length))
    }

    /// A body in chunks.
    #[must_use]
    pub fn chunked() -> Self {
        Self(Framing::Chunked(Box::default()))
    }

    /// A body that lasts as long as the connection.
    #[must_use]
    pub fn until_close() -> Self {
        Self(Framing::UntilClose)
    }

    /// Whether the end of the connection is the end of the body.
    #[must_use]
    pub fn is_until_close(&self) -> bool {
        matches!(self.0, Framing::UntilClose)
    }

    /// Whether there is nothing left to decode, not even a terminator.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match &self.0 {
            Framing::Length(left) => *left == 0,
            Framing::Chunked(chunked) => chunked.state == State::End,
            Framing::UntilClose => false,
        }
    }

    /// How many bytes are to come, where the head has said so.
    #[must_use]
    pub fn left(&self) -> Option<u64> {
        match self.0 {
            Framing::Length(left) => Some(left),
            Framing::Chunked(_) | Framing::UntilClose => None,
        }
    }

    /// Takes the next step from the front of `pending`.
    ///
    /// # Errors
    /// When the chunks are none; nothing that follows can be understood then.
    pub fn decode(&mut self, pending: &mut Bytes) -> Result<Decoded, MalformedBody> {
        match &mut self.0 {
            Framing::Length(0) => Ok(Decoded::End),
            Framing::Length(left) => Ok(take(left, pending).map_or(Decoded::More, Decoded::Data)),
            Framing::Chunked(chunked) => chunked.decode(pending),
            Framing::UntilClose if pending.is_empty() => Ok(Decoded::More),
            Framing::UntilClose => Ok(Decoded::Data(std::mem::take(pending))),
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
struct Chunked {
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
                let trailers = self.read_trailers()?;
                if !trailers.is_empty() {
                    return Ok(Decoded::Trailers(trailers));
                }
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
            if may_trail(&name) {
                trailers
                    .try_append(name, value)
                    .map_err(|_| MalformedBody::TrailersTooLarge)?;
            }
        }
        Ok(trailers)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The body and what follows it, if the wire holds a whole chunked body: RFC 9112 §7.1 read off the page.
    fn reference(mut wire: &[u8]) -> Option<(Vec<u8>, usize, Vec<u8>)> {
        let mut body = Vec::new();
        loop {
            let line = until_crlf(&mut wire)?;
            let size = line.split(|&byte| byte == b';').next()?;
            let size = size.strip_suffix(b" ").unwrap_or(size);
            if size.is_empty() || line.contains(&b'\n') || !size.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            let size = usize::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(wire.get(..size)?);
            wire = wire[size..].strip_prefix(b"\r\n")?;
        }
        let mut n_trailers = 0;
        loop {
            match until_crlf(&mut wire)? {
                b"" => return Some((body, n_trailers, wire.to_vec())),
                line if line.contains(&b'\n') => return None,
                _ => n_trailers += 1,
            }
        }
    }

    fn until_crlf<'a>(wire: &mut &'a [u8]) -> Option<&'a [u8]> {
        let at = wire.windows(2).position(|window| window == b"\r\n")?;
        let line = &wire[..at];
        *wire = &wire[at + 2..];
        Some(line)
    }

    fn decode(wire: &[u8], cuts: &[usize]) -> Option<(Vec<u8>, usize, Vec<u8>)> {
        let mut decoder = Decoder::chunked();
        let (mut body, mut n_trailers) = (Vec::new(), 0);
        let mut wire = Bytes::copy_from_slice(wire);
        for n in cuts.iter().copied().chain([usize::MAX]) {
            let mut piece = wire.split_to(n.min(wire.len()));
            loop {
                match decoder.decode(&mut piece).ok()? {
                    Decoded::More => break assert!(piece.is_empty()),
                    Decoded::Data(data) => body.extend_from_slice(&data),
                    Decoded::Trailers(trailers) => n_trailers = trailers.len(),
                    Decoded::End => return Some((body, n_trailers, [piece, wire].concat())),
                }
            }
        }
        None
    }

    fn chunk() -> impl Strategy<Value = Vec<u8>> {
        let data = proptest::collection::vec(any::<u8>(), 1..40);
        let extension = prop_oneof![Just(""), Just(";a"), Just(" ;a=\"b\"")];
        (data, extension).prop_map(|(data, extension)| {
            [
                format!("{:x}{extension}\r\n", data.len()).as_bytes(),
                &data,
                b"\r\n",
            ]
            .concat()
        })
    }

    proptest! {
        #[test]
        fn the_cut_makes_no_difference(
            chunks in proptest::collection::vec(chunk(), 0..6),
            trailers in proptest::collection::vec("x[a-z]{1,5}: [a-z]{0,5}\r\n", 0..3),
            rest in "[a-z]{0,5}",
            cuts in proptest::collection::vec(0_usize..12, 0..60),
            mutation in proptest::option::weighted(0.3, (any::<prop::sample::Index>(), any::<u8>())),
        ) {
            let mut wire = [&chunks.concat(), b"0\r\n".as_slice(), trailers.concat().as_bytes(), b"\r\n", rest.as_bytes()].concat();
            if let Some((at, byte)) = mutation {
                let at = at.index(wire.len());
                wire[at] = byte;
                // Trailers must also be fields, which the reference does not know.
                if let Some(decoded) = decode(&wire, &cuts) {
                    prop_assert_eq!(Some(decoded), reference(&wire));
                }
            } else {
                prop_assert_eq!(decode(&wire, &cuts), reference(&wire));
            }
        }
    }
}

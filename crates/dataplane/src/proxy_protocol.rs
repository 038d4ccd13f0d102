//! Who is the client, if the peer is a proxy that says so first?
//!
//! The header of the PROXY protocol, version 1 (a line of text) or 2 (binary). It is optional: a connection that does
//! not start with one is read as it is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The largest header that is read; longer ones are [`Malformed`].
pub const MAX_LEN: usize = 16 * 1024;

/// The longest line of version 1, with its end.
const MAX_LINE: usize = 107;
const V1: &[u8] = b"PROXY ";
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// What the first bytes of a connection are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Not a header.
    Absent,
    /// Perhaps a header: more bytes must tell.
    Partial,
    /// A header of this many bytes.
    Header {
        /// How many bytes it has.
        len: usize,
        /// The client; `None` if the proxy speaks for itself or does not know.
        client: Option<SocketAddr>,
    },
}

/// It starts like a header and is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed PROXY protocol header")]
pub struct Malformed;

/// Reads what `bytes`, the first of a connection, are.
///
/// # Errors
/// When they start as a header starts and go on as none does.
///
/// ```
/// use traefikrs_dataplane::proxy_protocol::{Start, read};
///
/// let start = read(b"PROXY TCP4 192.0.2.1 192.0.2.2 5000 80\r\nGET / HTTP/1.1\r\n")?;
/// assert_eq!(start, Start::Header { len: 40, client: Some("192.0.2.1:5000".parse().unwrap()) });
/// assert_eq!(read(b"GET / HTTP/1.1\r\n")?, Start::Absent);
/// assert_eq!(read(b"P")?, Start::Partial);
/// # Ok::<(), traefikrs_dataplane::proxy_protocol::Malformed>(())
/// ```
pub fn read(bytes: &[u8]) -> Result<Start, Malformed> {
    if let Some(rest) = bytes.strip_prefix(V1) {
        return line(rest);
    }
    if let Some(rest) = bytes.strip_prefix(V2) {
        return binary(rest);
    }
    let could_be = |signature: &[u8]| signature.starts_with(bytes);
    Ok(if could_be(V1) || could_be(V2) {
        Start::Partial
    } else {
        Start::Absent
    })
}

/// `TCP4 source destination port port\r\n`, or `UNKNOWN` and anything.
fn line(rest: &[u8]) -> Result<Start, Malformed> {
    let longest = MAX_LINE - V1.len();
    let searched = rest.get(..longest).unwrap_or(rest);
    let Some(end) = searched.iter().position(|&byte| byte == b'\n') else {
        return if rest.len() < longest {
            Ok(Start::Partial)
        } else {
            Err(Malformed)
        };
    };
    let text = rest
        .get(..end)
        .and_then(|line| line.strip_suffix(b"\r"))
        .and_then(|line| std::str::from_utf8(line).ok())
        .ok_or(Malformed)?;
    Ok(Start::Header {
        len: V1.len() + end + 1,
        client: client_of_line(text)?,
    })
}

fn client_of_line(text: &str) -> Result<Option<SocketAddr>, Malformed> {
    let mut words = text.split(' ');
    let family = words.next().ok_or(Malformed)?;
    if family == "UNKNOWN" {
        return Ok(None);
    }
    let mut address = || -> Result<IpAddr, Malformed> {
        let word = words.next().ok_or(Malformed)?;
        match family {
            "TCP4" => word.parse::<Ipv4Addr>().map(IpAddr::from),
            "TCP6" => word.parse::<Ipv6Addr>().map(IpAddr::from),
            _ => return Err(Malformed),
        }
        .map_err(|_| Malformed)
    };
    let source = address()?;
    address()?;
    let mut port = || words.next().and_then(port).ok_or(Malformed);
    let source_port = port()?;
    port()?;
    match words.next() {
        None => Ok(Some(SocketAddr::new(source.to_canonical(), source_port))),
        Some(_) => Err(Malformed),
    }
}

fn port(word: &str) -> Option<u16> {
    word.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| word.parse().ok())
        .flatten()
}

/// Version and command, family, length, addresses and extensions.
fn binary(rest: &[u8]) -> Result<Start, Malformed> {
    let &[version, family, high, low, ref addresses @ ..] = rest else {
        return match rest {
            [version, ..] if version >> 4 != 2 => Err(Malformed),
            _ => Ok(Start::Partial),
        };
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    let total = V2.len() + 4 + len;
    if version >> 4 != 2 || version & 0xF > 1 || total > MAX_LEN {
        return Err(Malformed);
    }
    let Some(addresses) = addresses.get(..len) else {
        return Ok(Start::Partial);
    };
    let is_local = version & 0xF == 0;
    let client = if is_local {
        None
    } else {
        client_of_binary(family, addresses)?
    };
    Ok(Start::Header { len: total, client })
}

fn client_of_binary(family: u8, addresses: &[u8]) -> Result<Option<SocketAddr>, Malformed> {
    let at = |from: usize, to: usize| addresses.get(from..to).ok_or(Malformed);
    let port_at = |from: usize| -> Result<u16, Malformed> {
        let bytes = at(from, from + 2)?.try_into().map_err(|_| Malformed)?;
        Ok(u16::from_be_bytes(bytes))
    };
    let (address, port): (IpAddr, u16) = match family >> 4 {
        1 => {
            at(0, 12)?;
            let source: [u8; 4] = at(0, 4)?.try_into().map_err(|_| Malformed)?;
            (source.into(), port_at(8)?)
        }
        2 => {
            at(0, 36)?;
            let source: [u8; 16] = at(0, 16)?.try_into().map_err(|_| Malformed)?;
            (source.into(), port_at(32)?)
        }
        // A Unix socket, or unspecified: whoever it is has no address that could be passed on.
        0 | 3 => return Ok(None),
        _ => return Err(Malformed),
    };
    Ok(Some(SocketAddr::new(address.to_canonical(), port)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(bytes: &[u8], expected: Result<Start, Malformed>) {
        assert_eq!(read(bytes), expected, "{}", bytes.escape_ascii());
    }

    fn header(len: usize, client: &str) -> Result<Start, Malformed> {
        Ok(Start::Header {
            len,
            client: Some(client.parse().unwrap()),
        })
    }

    fn v2(version: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let mut bytes = V2.to_vec();
        bytes.extend([version, family]);
        bytes.extend(u16::try_from(addresses.len()).unwrap().to_be_bytes());
        bytes.extend(addresses);
        bytes
    }

    #[test]
    fn lines() {
        check(
            b"PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n",
            header(33, "1.2.3.4:9"),
        );
        check(
            b"PROXY TCP6 ::1 ::2 65535 0\r\nrest",
            header(28, "[::1]:65535"),
        );
        let nobody = |len| Ok(Start::Header { len, client: None });
        check(b"PROXY UNKNOWN\r\n", nobody(15));
        check(b"PROXY UNKNOWN ffff::1 whatever\r\n", nobody(32));
        for malformed in [
            "PROXY \r\n",
            "PROXY TCP4\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 9\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 9 10\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 9 10 11\r\n",
            "PROXY TCP4 1.2.3.4  5.6.7.8 9 10\r\n",
            "PROXY TCP4 1.2.3 5.6.7.8 9 10\r\n",
            "PROXY TCP4 ::1 ::1 9 10\r\n",
            "PROXY TCP6 1.2.3.4 5.6.7.8 9 10\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 65536 10\r\n",
            "PROXY TCP4 1.2.3.4 5.6.7.8 +9 10\r\n",
            "PROXY UDP4 1.2.3.4 5.6.7.8 9 10\r\n",
            "PROXY \u{e9}\r\n",
        ] {
            check(malformed.as_bytes(), Err(Malformed));
        }
        let endless = ["PROXY ".as_bytes(), &[b'1'; 200]].concat();
        check(&endless[..106], Ok(Start::Partial));
        check(&endless[..107], Err(Malformed));
    }

    #[test]
    fn binaries() {
        let four = [1, 2, 3, 4, 5, 6, 7, 8, 0, 80, 1, 187];
        check(&v2(0x21, 0x11, &four), header(28, "1.2.3.4:80"));
        let with_extension = [&four[..], &[4, 0, 1, 9]].concat();
        check(&v2(0x21, 0x11, &with_extension), header(32, "1.2.3.4:80"));
        let mut six = [0; 36];
        six[15] = 1;
        six[33] = 80;
        check(&v2(0x21, 0x21, &six), header(52, "[::1]:80"));
        let local = v2(0x20, 0x11, &four);
        check(
            &local,
            Ok(Start::Header {
                len: 28,
                client: None,
            }),
        );
        check(
            &v2(0x21, 0, &[]),
            Ok(Start::Header {
                len: 16,
                client: None,
            }),
        );
        check(&v2(0x11, 0x11, &four), Err(Malformed));
        check(&v2(0x22, 0x11, &four), Err(Malformed));
        check(&v2(0x21, 0x41, &four), Err(Malformed));
        check(&v2(0x21, 0x11, &four[..11]), Err(Malformed));
        check(&v2(0x21, 0x21, &four), Err(Malformed));
        check(&v2(0x21, 0x11, &vec![0; MAX_LEN]), Err(Malformed));
    }

    #[test]
    fn what_is_no_header_is_left_alone() {
        for absent in [
            "GET / HTTP/1.1",
            "PRI * HTTP/2.0",
            "PROXZ",
            "\r\n\r\nGET",
            "\0",
        ] {
            check(absent.as_bytes(), Ok(Start::Absent));
        }
        for partial in ["", "P", "PROXY", "PROXY ", "\r\n\r\n"] {
            check(partial.as_bytes(), Ok(Start::Partial));
        }
    }

    proptest! {
        #[test]
        fn no_prefix_of_a_header_is_refused(
            port: u16, extension in prop::collection::vec(any::<u8>(), 0..64), text: bool,
        ) {
            let bytes = if text {
                format!("PROXY TCP4 192.0.2.1 192.0.2.2 {port} 80\r\n").into_bytes()
            } else {
                let [high, low] = port.to_be_bytes();
                v2(0x21, 0x11, &[&[192, 0, 2, 1, 192, 0, 2, 2, high, low, 0, 80], &extension[..]].concat())
            };
            for len in 0..bytes.len() {
                prop_assert_eq!(read(&bytes[..len]), Ok(Start::Partial));
            }
            let client = Some(SocketAddr::from(([192, 0, 2, 1], port)));
            prop_assert_eq!(read(&bytes), Ok(Start::Header { len: bytes.len(), client }));
        }

        #[test]
        fn nothing_panics_and_a_header_is_no_longer_than_what_was_read(
            signature in 0..3, bytes in prop::collection::vec(any::<u8>(), 0..128),
        ) {
            let bytes = match signature {
                0 => bytes,
                1 => [V1, &bytes].concat(),
                _ => [V2, &bytes].concat(),
            };
            if let Ok(Start::Header { len, .. }) = read(&bytes) {
                prop_assert!(len <= bytes.len());
            }
        }
    }
}

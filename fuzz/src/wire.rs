use traefikrs_dataplane::proxy_protocol;

/// Any start of a connection is a PROXY protocol header, is none, needs more bytes, or is malformed.
pub(crate) fn proxy_protocol(data: &[u8]) {
    let whole = proxy_protocol::read(data);
    // What a longer text says must not depend on what follows a complete header.
    if let Ok(proxy_protocol::Start::Header { len, .. }) = whole {
        assert!(len <= data.len());
        assert_eq!(proxy_protocol::read(&data[..len]), whole);
    }
}

pub(crate) fn proxy_protocol_seeds() -> Vec<Vec<u8>> {
    let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x02\x10\0\x20\0GET";
    [
        &b"PROXY TCP4 127.0.0.1 127.0.0.2 1 2\r\nGET / HTTP/1.1\r\n"[..],
        b"PROXY TCP6 ::1 ::2 65535 0\r\n",
        b"PROXY UNKNOWN\r\n",
        v2,
    ]
    .map(<[u8]>::to_vec)
    .into()
}

/// Any bytes that a server answers are a response or an error, wherever the network cuts them.
pub(crate) fn response(data: &[u8]) {
    traefikrs_http1::fuzz_response(data);
}

pub(crate) fn response_seeds() -> Vec<Vec<u8>> {
    [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.0 204 No Content\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x00",
    ]
    .map(<[u8]>::to_vec)
    .into()
}

/// Any bytes that a client sends are a request or are refused, wherever the network cuts them.
pub(crate) fn request(data: &[u8]) {
    traefikrs_http1::fuzz_request(data);
}

pub(crate) fn request_seeds() -> Vec<Vec<u8>> {
    [
        &b"\0GET /a?b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"[..],
        b"\x02POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.0\n\n",
        b"\x07PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n",
        b"\x01GET / HTTP/1.1\nX: a\n b\nContent-Length: 1\nTransfer-Encoding: chunked\n\n",
    ]
    .map(<[u8]>::to_vec)
    .into()
}

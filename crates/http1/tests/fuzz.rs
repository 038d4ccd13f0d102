//! Where the network cuts a message makes no difference.

use proptest::prelude::*;
use traefikrs_http1::{fuzz_request, fuzz_response};

/// Pieces that meet in ways nobody would write.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("HTTP/1.1 200 OK\r\n".to_owned()),
        Just("HTTP/1.1 100 Continue\r\n\r\n".to_owned()),
        Just("HTTP/1.0 404\r\n".to_owned()),
        Just("POST / HTTP/1.1\r\n".to_owned()),
        Just("GET /a?b HTTP/1.0\n".to_owned()),
        Just("Content-Length: 7\r\n".to_owned()),
        Just("Transfer-Encoding: chunked\r\n".to_owned()),
        Just("X-Folded: a\r\n b\r\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("0\r\n".to_owned()),
        Just("3\r\nabc\r\n".to_owned()),
        Just("A;x=y\r\n0123456789\r\n".to_owned()),
        Just("X-Trailer: v\r\n".to_owned()),
        "[ -~\r\n]{0,12}",
    ];
    let mutation = proptest::option::of((any::<prop::sample::Index>(), any::<u8>()));
    (
        any::<u8>(),
        proptest::collection::vec(piece, 0..24),
        mutation,
    )
        .prop_map(|(knobs, pieces, mutation)| {
            let mut wire = vec![knobs];
            wire.extend(pieces.concat().into_bytes());
            if let Some((at, byte)) = mutation {
                let at = at.index(wire.len());
                wire[at] = byte;
            }
            wire
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn cuts_make_no_difference(wire in wire()) {
        fuzz_response(&wire);
        fuzz_request(&wire);
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
        fuzz_response(&bytes);
        fuzz_request(&bytes);
    }
}

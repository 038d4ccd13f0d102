use http::HeaderMap;
use http::header::{
    CONNECTION, EXPECT, PRAGMA, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};

use super::forwarded;

/// Which headers are there that hardly any request has, found in one pass instead of one search for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen(u8);

const CONNECTION_BIT: u8 = 1;
const EXPECT_BIT: u8 = 1 << 1;
const PRAGMA_BIT: u8 = 1 << 2;
const TRANSFER_ENCODING_BIT: u8 = 1 << 3;
const HOP_BY_HOP_BIT: u8 = 1 << 4;
const FORWARDED_BIT: u8 = 1 << 5;

impl Seen {
    pub(crate) fn among(headers: &HeaderMap) -> Self {
        Self(headers.keys().fold(0, |bits, name| {
            bits | match *name {
                CONNECTION => CONNECTION_BIT,
                EXPECT => EXPECT_BIT,
                PRAGMA => PRAGMA_BIT,
                TRANSFER_ENCODING => TRANSFER_ENCODING_BIT,
                TE | TRAILER | UPGRADE | PROXY_AUTHENTICATE | PROXY_AUTHORIZATION => HOP_BY_HOP_BIT,
                _ => match name.as_str() {
                    "keep-alive" | "proxy-connection" | "http2-settings" => HOP_BY_HOP_BIT,
                    name if forwarded::is_managed(name) => FORWARDED_BIT,
                    _ => 0,
                },
            }
        }))
    }

    pub(crate) fn connection(self) -> bool {
        self.0 & CONNECTION_BIT != 0
    }

    pub(crate) fn expect(self) -> bool {
        self.0 & EXPECT_BIT != 0
    }

    pub(crate) fn pragma(self) -> bool {
        self.0 & PRAGMA_BIT != 0
    }

    pub(crate) fn transfer_encoding(self) -> bool {
        self.0 & TRANSFER_ENCODING_BIT != 0
    }

    /// Headers that go no further than this connection.
    pub(crate) fn any_for_one_hop(self) -> bool {
        self.0 & (CONNECTION_BIT | TRANSFER_ENCODING_BIT | HOP_BY_HOP_BIT) != 0
    }

    /// Headers that tell about the client, in whatever spelling.
    pub(crate) fn forwarded(self) -> bool {
        self.0 & FORWARDED_BIT != 0
    }
}

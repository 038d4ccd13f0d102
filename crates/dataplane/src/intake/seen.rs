use http::HeaderMap;
use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, PRAGMA, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};

use super::forwarded;

/// Which headers are there that hardly any request has, found in one pass instead of one search for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen(u8);

const CONNECTION_BIT: u8 = 1;
const EXPECT_BIT: u8 = 1 << 1;
const PRAGMA_BIT: u8 = 1 << 2;
const HOP_BY_HOP_BIT: u8 = 1 << 3;
const FORWARDED_BIT: u8 = 1 << 4;
const CONTENT_LENGTH_BIT: u8 = 1 << 5;
const FRAMING_ALIAS_BIT: u8 = 1 << 6;

/// What servers that read an underscore as a dash take for the framing of a message.
pub(super) const CONTENT_LENGTH_ALIAS: &str = "content_length";
pub(super) const TRANSFER_ENCODING_ALIAS: &str = "transfer_encoding";

impl Seen {
    pub(crate) fn among(headers: &HeaderMap) -> Self {
        Self(headers.keys().fold(0, |bits, name| {
            bits | match *name {
                CONNECTION => CONNECTION_BIT,
                CONTENT_LENGTH => CONTENT_LENGTH_BIT,
                EXPECT => EXPECT_BIT,
                PRAGMA => PRAGMA_BIT,
                TE | TRAILER | TRANSFER_ENCODING | UPGRADE | PROXY_AUTHENTICATE
                | PROXY_AUTHORIZATION => HOP_BY_HOP_BIT,
                _ => match name.as_str() {
                    "keep-alive" | "proxy-connection" | "http2-settings" => HOP_BY_HOP_BIT,
                    CONTENT_LENGTH_ALIAS | TRANSFER_ENCODING_ALIAS => FRAMING_ALIAS_BIT,
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

    pub(crate) fn content_length(self) -> bool {
        self.0 & CONTENT_LENGTH_BIT != 0
    }

    /// Headers that some servers would take for the framing of the message, and that are not.
    pub(crate) fn framing_alias(self) -> bool {
        self.0 & FRAMING_ALIAS_BIT != 0
    }

    /// Headers that go no further than this connection.
    pub(crate) fn any_for_one_hop(self) -> bool {
        self.0 & (CONNECTION_BIT | HOP_BY_HOP_BIT) != 0
    }

    /// Headers that tell about the client, in whatever spelling.
    pub(crate) fn forwarded(self) -> bool {
        self.0 & FORWARDED_BIT != 0
    }
}

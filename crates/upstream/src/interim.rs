//! What a server says before it answers.

use std::time::Duration;

use http::{HeaderMap, header};

/// Traefik's transport (`pkg/server/service/transport.go`, 3.7) waits so long for `100 Continue`.
pub(crate) const CONTINUE_TIMEOUT: Duration = Duration::from_secs(1);

pub(crate) const MAX_INTERIM: usize = 100;

/// Whether the body is to wait for the server's word.
pub(crate) fn expects_continue(headers: &HeaderMap) -> bool {
    headers
        .get(header::EXPECT)
        .is_some_and(|expect| expect.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

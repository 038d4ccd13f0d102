use std::error::Error as StdError;

use http::StatusCode;
use traefikrs_upstream as upstream;

use crate::body::{Malformed, ReadTimeout};
use crate::replay::TooLarge;

/// Why there is no answer from a server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The path of the server's URL and that of the request make none together.
    #[error("base path and path make no request target")]
    Target,
    /// The client wants to switch to a protocol whose name is none.
    #[error("name of the wanted protocol is not printable")]
    Upgrade,
    /// The client does not wait for it.
    #[error("client closed request")]
    ClientGone,
    /// The server, the way there, or what the client sent.
    #[error(transparent)]
    Upstream(#[from] upstream::Error),
}

impl Error {
    /// What the client gets.
    ///
    /// Traefik: what the network did is 502 or, if it took too long, 504; what the server said and is not understood
    /// is 500.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Target | Self::Upgrade => StatusCode::INTERNAL_SERVER_ERROR,
            Self::ClientGone => client_closed_request(),
            Self::Upstream(error) if is_read_timeout(error) => StatusCode::GATEWAY_TIMEOUT,
            Self::Upstream(upstream::Error::RequestBody(error)) if error.is::<Malformed>() => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Upstream(upstream::Error::RequestBody(error)) if error.is::<TooLarge>() => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::Upstream(upstream::Error::RequestBody(_)) => StatusCode::BAD_GATEWAY,
            Self::Upstream(error) if error.is_timeout() => StatusCode::GATEWAY_TIMEOUT,
            Self::Upstream(error) if error.is_network() => StatusCode::BAD_GATEWAY,
            Self::Upstream(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether the server has nothing to do with it.
    pub(crate) fn is_clients_fault(&self) -> bool {
        match self {
            Self::ClientGone | Self::Target | Self::Upgrade => true,
            Self::Upstream(
                upstream::Error::RequestBody(_) | upstream::Error::InvalidRequest(_),
            ) => true,
            Self::Upstream(error) => is_read_timeout(error),
        }
    }

    /// What is behind it, for the log.
    pub(crate) fn cause(&self) -> Option<&(dyn StdError + 'static)> {
        self.source()
    }
}

/// Traefik: nginx's status for it.
fn client_closed_request() -> StatusCode {
    StatusCode::from_u16(499).expect("499 is a status")
}

/// Whether it was the client that took too long.
fn is_read_timeout(error: &upstream::Error) -> bool {
    let mut error: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(cause) = error {
        if cause.is::<ReadTimeout>() {
            return true;
        }
        error = cause.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn each_failure_has_its_status() {
        let check = |error: upstream::Error, status: u16| {
            let text = error.to_string();
            assert_eq!(Error::from(error).status(), status, "{text}");
        };
        let io = |kind: io::ErrorKind| io::Error::from(kind);
        check(upstream::Error::Closed, 502);
        check(
            upstream::Error::Connect(io(io::ErrorKind::ConnectionRefused)),
            502,
        );
        check(upstream::Error::Connect(io(io::ErrorKind::TimedOut)), 504);
        check(upstream::Error::Io(io(io::ErrorKind::ConnectionReset)), 502);
        check(upstream::Error::DialTimeout, 504);
        check(upstream::Error::ResponseHeaderTimeout, 504);
        check(upstream::Error::TruncatedHead, 500);
        check(upstream::Error::UpgradeMismatch, 500);
        check(upstream::Error::RequestBody(ReadTimeout.into()), 504);
        check(upstream::Error::RequestBody("truncated".into()), 502);
        check(upstream::Error::RequestBody(TooLarge.into()), 413);
        assert_eq!(Error::ClientGone.status(), 499);
    }
}

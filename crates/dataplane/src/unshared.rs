//! Connections to servers that nobody but one client may use.
//!
//! NTLM and Negotiate authenticate the connection instead of the request: whoever asks next on it is taken for the same
//! person. So a client connection on which a server has asked for either gets connections of its own.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue};
use smallvec::SmallVec;
use traefikrs_compile::compiled::PoolId;

use crate::worker::Worker;

/// Whether a client shares connections to servers with others.
pub(crate) struct Unshared {
    worker: Rc<Worker>,
    /// Absent until a server asks for it: mostly for ever.
    own: RefCell<Option<Own>>,
}

/// The client's own pools, by those that it would share.
type Own = SmallVec<[(PoolId, u64); 1]>;

impl Unshared {
    pub(crate) fn new(worker: &Rc<Worker>) -> Self {
        Self {
            worker: Rc::clone(worker),
            own: RefCell::default(),
        }
    }

    /// Hears what a server answers.
    ///
    /// Traefik: the answer's status does not matter (`pkg/server/service/transport.go`, `KerberosRoundTripper`).
    pub(crate) fn heed(&self, answer: &HeaderMap) {
        if answer
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .any(is_for_connection)
        {
            self.own.borrow_mut().get_or_insert_default();
        }
    }

    /// The number of the pool to take a connection from, where everyone else takes it from `shared`.
    pub(crate) fn pool(&self, shared: PoolId) -> u64 {
        let mut own = self.own.borrow_mut();
        let Some(own) = own.as_mut() else {
            return shared.into();
        };
        if let Some((_, number)) = own.iter().find(|(id, _)| *id == shared) {
            return *number;
        }
        let number = self.worker.unshared_pool();
        own.push((shared, number));
        number
    }
}

fn is_for_connection(challenge: &HeaderValue) -> bool {
    let challenge = challenge.as_bytes();
    challenge.starts_with(b"NTLM") || challenge.starts_with(b"Negotiate")
}

impl Drop for Unshared {
    fn drop(&mut self) {
        if let Some(own) = self.own.take() {
            let is_own = |pool| own.iter().any(|&(_, number)| number == pool);
            self.worker.upstreams.retain(|pool| !is_own(pool));
        }
    }
}

impl fmt::Debug for Unshared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unshared")
            .field("own", &self.own)
            .finish_non_exhaustive()
    }
}

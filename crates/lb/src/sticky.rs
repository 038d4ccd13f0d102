//! Which server was this client on?

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};

use crate::fnv::fnv1;

mod cookie;

pub use cookie::{Cookie, CookieName, SameSite};

/// A client's place, kept in a cookie that names a member by a hash of its name.
///
/// Values and attributes are those of Traefik 3.7, byte for byte, so that both can serve the same clients.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::COOKIE};
/// use traefikrs_lb::sticky::{Cookie, CookieName, Place, Sticky};
///
/// let cookie = Cookie { path: "/".into(), ..Cookie::new(CookieName::new("seat")) };
/// let sticky = Sticky::new(&cookie, [(0, "http://10.0.0.1".into()), (1, "http://10.0.0.2".into())]);
/// assert_eq!(sticky.set_cookie(1).unwrap(), "seat=939d815192497c6a; Path=/");
///
/// let mut headers = HeaderMap::new();
/// headers.insert(COOKIE, HeaderValue::from_static("a=b; seat=939d815192497c6a"));
/// assert_eq!(sticky.place(&headers), Some(Place { index: 1, is_current: true }));
/// ```
#[derive(Debug)]
pub struct Sticky {
    name: Box<[u8]>,
    places: HashMap<Box<[u8]>, Place, RandomState>,
    /// By position; absent for a member that is never picked.
    set_cookie: Box<[Option<HeaderValue>]>,
}

/// Whom a cookie names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The member's position.
    pub index: usize,
    /// False for values of old versions, which are to be replaced.
    pub is_current: bool,
}

impl Sticky {
    /// A cookie for members with their positions; of equal names the last one counts.
    pub fn new(cookie: &Cookie, members: impl IntoIterator<Item = (usize, Arc<str>)>) -> Self {
        let members: Vec<_> = members.into_iter().collect();
        let mut places = HashMap::default();
        for (index, name) in &members {
            let place = Place {
                index: *index,
                is_current: false,
            };
            for value in legacy_values(name) {
                places.insert(value.into_bytes().into(), place);
            }
        }
        let n_slots = members.iter().map(|(index, _)| index + 1).max();
        let mut set_cookie = vec![None; n_slots.unwrap_or(0)];
        for (index, name) in members {
            let value = value(&name);
            set_cookie[index] = Some(cookie.holding(&value));
            let place = Place {
                index,
                is_current: true,
            };
            places.insert(value.into_bytes().into(), place);
        }
        Self {
            name: cookie.name.as_str().as_bytes().into(),
            places,
            set_cookie: set_cookie.into(),
        }
    }

    /// The member that the client's cookie names.
    pub fn place(&self, headers: &HeaderMap) -> Option<Place> {
        let value = cookie::value(headers, &self.name)?;
        self.places.get(value).copied()
    }

    /// What keeps a client on this member.
    pub fn set_cookie(&self, index: usize) -> Option<&HeaderValue> {
        self.set_cookie.get(index)?.as_ref()
    }
}

fn value(name: &str) -> String {
    hex(&Sha256::digest(name)[..8])
}

// Traefik: what versions before 3 wrote (pkg/server/service/loadbalancer/sticky.go, 3.7).
fn legacy_values(name: &str) -> [String; 3] {
    let hash = |text: &str| format!("{:x}", fnv1(text.as_bytes()));
    let once = hash(name);
    let twice = hash(&once);
    [name.to_owned(), once, twice]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

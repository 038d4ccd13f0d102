//! The sequences, choices and cookies of Traefik.

use std::collections::BTreeMap;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use traefikrs_lb::sticky::{Cookie, CookieName, Place, SameSite, Sticky};
use traefikrs_lb::strategy::{Wrr, highest};

#[derive(Deserialize)]
struct Case {
    weights: Vec<i64>,
    picks: String,
}

/// Every order of `0..n`.
fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(n - 1);
    let insert = |order: &Vec<usize>, at| {
        let mut order = order.clone();
        order.insert(at, n - 1);
        order
    };
    shorter
        .iter()
        .flat_map(|order| (0..n).map(move |at| insert(order, at)))
        .collect()
}

fn picks(weights: &[i64], order: &[usize], n: usize) -> String {
    let mut wrr = Wrr::new(order.iter().map(|&server| weights[server]));
    let label = |at: usize| char::from(b"abcdefgh"[order[at]]);
    (0..n)
        .filter_map(|_| wrr.pick(|_| true).map(label))
        .collect()
}

#[test]
fn a_shuffle_of_the_weights_gives_traefiks_sequence() {
    for line in include_str!("../testdata/traefik-wrr.json").lines() {
        let Case {
            weights,
            picks: expected,
        } = serde_json::from_str(line).unwrap();
        let orders = orders(weights.len());
        let fits = |order: &&Vec<usize>| picks(&weights, order, expected.len()) == expected;
        assert!(
            orders.iter().any(|order| fits(&order)),
            "{weights:?} {expected}"
        );
    }
}

#[test]
fn the_heap_breaks_ties_as_gos_does() {
    assert_eq!(
        picks(&[3, 2, 1], &[0, 1, 2], 24),
        "ababacabaabcababacababac"
    );
}

#[derive(Deserialize)]
struct Hashed {
    members: Vec<(String, f64)>,
    choices: BTreeMap<String, usize>,
}

#[test]
fn a_client_is_given_the_member_that_traefik_gives_it() {
    for line in include_str!("../testdata/traefik-hrw.json").lines() {
        let Hashed { members, choices } = serde_json::from_str(line).unwrap();
        for (ip, choice) in choices {
            let members = members.iter().enumerate();
            let members = members.map(|(index, (name, weight))| (index, name.as_str(), *weight));
            assert_eq!(highest(&ip, members), Some(choice), "{ip} {line}");
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stuck {
    member: String,
    service: String,
    cookie: Configured,
    set_cookie: String,
    legacy: Vec<String>,
}

#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Configured {
    name: String,
    path: String,
    domain: String,
    max_age: i64,
    http_only: bool,
    secure: bool,
    same_site: String,
}

impl Default for Configured {
    fn default() -> Self {
        Self {
            name: String::new(),
            path: "/".into(),
            domain: String::new(),
            max_age: 0,
            http_only: false,
            secure: false,
            same_site: String::new(),
        }
    }
}

fn cookie(configured: Configured, service: &str) -> Cookie {
    let name = if configured.name.is_empty() {
        CookieName::of_service(service)
    } else {
        CookieName::new(&configured.name)
    };
    Cookie {
        name,
        path: configured.path,
        domain: configured.domain,
        max_age: configured.max_age,
        http_only: configured.http_only,
        secure: configured.secure,
        same_site: SameSite::parse(&configured.same_site),
    }
}

#[test]
fn cookies_are_traefiks_byte_for_byte() {
    for line in include_str!("../testdata/traefik-sticky.json").lines() {
        let stuck: Stuck = serde_json::from_str(line).unwrap();
        let cookie = cookie(stuck.cookie, &stuck.service);
        let members = [(0, "other".into()), (1, stuck.member.into())];
        let sticky = Sticky::new(&cookie, members);
        assert_eq!(sticky.set_cookie(1).unwrap(), &*stuck.set_cookie);

        let place = |value: &str| {
            let sent = HeaderValue::try_from(format!("{}={value}", cookie.name.as_str())).unwrap();
            sticky.place(&HeaderMap::from_iter([(COOKIE, sent)]))
        };
        let (issued, _) = stuck.set_cookie.split_once(';').unwrap();
        let (_, value) = issued.split_once('=').unwrap();
        let found = |is_current| {
            Some(Place {
                index: 1,
                is_current,
            })
        };
        assert_eq!(place(value), found(true), "{line}");
        for value in stuck.legacy {
            assert_eq!(place(&value), found(false), "{line}");
        }
        assert_eq!(place("0"), None);
    }
}

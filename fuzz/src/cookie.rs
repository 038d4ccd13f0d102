use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use traefikrs_lb::sticky::{Cookie, CookieName, SameSite, Sticky};

/// Whatever a cookie is configured to be makes a header of one line, and leads back; whatever a client sends leads to
/// a member or nowhere.
pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.splitn(4, '|');
    let mut part = || parts.next().unwrap_or_default();
    let cookie = Cookie {
        name: CookieName::new(part()),
        path: part().to_owned(),
        domain: part().to_owned(),
        max_age: i64::try_from(data.len()).unwrap_or(i64::MAX),
        http_only: true,
        secure: true,
        same_site: SameSite::parse(&text),
    };
    let sticky = Sticky::new(&cookie, [(0, "a".into()), (1, part().into())]);
    let issued = sticky.set_cookie(1).expect("a member has a cookie");
    let issued = issued.to_str().expect("a cookie is ASCII");
    assert_eq!(issued.matches(';').count(), issued.matches("; ").count());

    let (pair, _) = issued.split_once(';').expect("it has attributes");
    let place = |sent: &[u8]| {
        let sent = HeaderValue::from_bytes(sent).ok()?;
        sticky.place(&HeaderMap::from_iter([(COOKIE, sent)]))
    };
    // A cookie without a name is none.
    if !cookie.name.as_str().is_empty() {
        let found = place(pair.as_bytes()).expect("what was issued leads back");
        assert!(found.is_current && found.index == 1);
    }
    if let Some(found) = place(data) {
        assert!(found.index < 2);
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    [
        "seat|/|a.test|http://10.0.0.1:80",
        "my cookie/1é|/p;q|.foo.test|b",
        "a=1; seat=\"ca978112ca1bbdca\"; ;=;b",
        "|||",
    ]
    .map(|seed| seed.as_bytes().to_vec())
    .into()
}

//! Where clients are sent, and when.

use http::Request;
use traefikrs_middleware::{Context, Middleware, Transform};

use crate::support::{middleware, parts, values};

/// Status and location of the answer to `METHOD URL`; `None` when the request passes. The scheme of the URL says
/// whether the connection is encrypted.
fn answer(middleware: &Middleware, request: &str, proto: Option<&str>) -> Option<(u16, String)> {
    let (method, url) = request.split_once(' ').expect("a method and a URL");
    let (scheme, rest) = url.split_once("://").expect("an absolute URL");
    let (host, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let target = if target.is_empty() { "/" } else { target };
    let mut request = Request::builder()
        .method(method)
        .uri(target)
        .header("host", host);
    if let Some(proto) = proto {
        request = request.header("x-forwarded-proto", proto);
    }
    let mut context = Context::default();
    context.is_tls = scheme == "https";
    let answer = middleware
        .request(&mut parts(request), &mut context)
        .err()?;
    let location = values(answer.headers(), "location").concat();
    let text = answer.status().canonical_reason().expect("a known status");
    assert_eq!(answer.body, text);
    assert!(answer.headers().get("content-type").is_none());
    Some((answer.status().as_u16(), location))
}

fn check(config: &str, request: &str, proto: Option<&str>, expected: Option<(u16, &str)>) {
    let seen = answer(&middleware(config), request, proto);
    let seen = seen
        .as_ref()
        .map(|(status, location)| (*status, location.as_str()));
    assert_eq!(seen, expected, "{config} {request} {proto:?}");
}

#[test]
fn redirect_regex() {
    let upgrade = r"'regex':'^(?:http?:\\/\\/)(foo)(\\.com)(:\\d+)(.*)$','replacement':'https://${1}bar$2:443$4'";
    let to_https = "'regex':'^http://','replacement':'https://$1'";
    let permanent = "'regex':'^http://','replacement':'https://$1','permanent':true";
    let ports = "'regex':'http://foo:80','replacement':'https://foo:443'";
    let back = "'regex':'https://foo:443','replacement':'http://foo:80'";
    let example = "'regex':'(https?)://[^/:]+(:[0-9]+)?/(.*)','replacement':'$1://example.com$2/$3','permanent':true";
    let query = "'regex':'^http://([^/]+)/old(.*)$','replacement':'http://${1}/new${2}&u=$0'";
    for (options, request, expected) in [
        (
            upgrade,
            "GET http://foo.com:80",
            Some((302, "https://foobar.com:443/")),
        ),
        (upgrade, "GET http://bar.com:80", None),
        (
            "'regex':'^(.*)$','replacement':'http://192.168.0.%31/'",
            "GET http://foo",
            Some((502, "")),
        ),
        (permanent, "GET http://foo", Some((301, "https://foo/"))),
        (permanent, "POST http://foo", Some((308, "https://foo/"))),
        (permanent, "HEAD http://foo", Some((308, "https://foo/"))),
        (to_https, "GET http://foo", Some((302, "https://foo/"))),
        (to_https, "POST http://foo", Some((307, "https://foo/"))),
        (to_https, "HEAD http://foo", Some((307, "https://foo/"))),
        (
            to_https,
            "GET http://[::1]:31480/x",
            Some((302, "https://[::1]:31480/x")),
        ),
        (
            "'regex':'https://foo','replacement':'http://foo','permanent':true",
            "GET https://foo",
            Some((301, "http://foo/")),
        ),
        (ports, "GET http://foo:80", Some((302, "https://foo:443/"))),
        (back, "GET https://foo:443", Some((302, "http://foo:80/"))),
        (
            "'regex':'http://foo:80','replacement':'http://foo:88'",
            "GET http://foo:80",
            Some((302, "http://foo:88/")),
        ),
        (
            example,
            "GET http://www.example.com/path",
            Some((301, "http://example.com/path")),
        ),
        (
            example,
            "GET http://www.example.com:8080/path",
            Some((301, "http://example.com:8080/path")),
        ),
        (
            example,
            "GET http://www.example.com/",
            Some((301, "http://example.com/")),
        ),
        (
            example,
            "GET https://www.example.com/path",
            Some((301, "https://example.com/path")),
        ),
        (
            query,
            "GET http://h/old/x?a=1",
            Some((302, "http://h/new/x?a=1&u=http://h/old/x?a=1")),
        ),
        (
            "'regex':'^http://(.*)','replacement':'http://$1'",
            "GET http://h/a",
            None,
        ),
        (
            "'regex':'/old','replacement':'/n w'",
            "GET http://h/old",
            Some((302, "http://h/n%20w")),
        ),
        (
            "'regex':'^.*$','replacement':'/q'",
            "GET http://h/x",
            Some((302, "/q")),
        ),
        ("", "GET http://h/x", None),
    ] {
        check(
            &format!("{{'redirectRegex':{{{options}}}}}"),
            request,
            None,
            expected,
        );
    }
    // The header says nothing here.
    check(
        &format!("{{'redirectRegex':{{{ports}}}}}"),
        "GET http://foo:80",
        Some("https"),
        Some((302, "https://foo:443/")),
    );
}

#[test]
fn redirect_scheme() {
    let https = "'scheme':'https'";
    let port = "'scheme':'https','port':'8443'";
    for (options, request, expected) in [
        (https, "GET http://foo", Some((302, "https://foo/"))),
        (https, "GET http://foo:8080", Some((302, "https://foo/"))),
        (https, "GET https://foo:8000", Some((302, "https://foo/"))),
        (
            https,
            "GET https://foo:8000/theother",
            Some((302, "https://foo/theother")),
        ),
        (https, "GET http://foo:443", Some((302, "https://foo/"))),
        (https, "GET https://foo:80", Some((302, "https://foo/"))),
        (https, "GET https://foo/x", None),
        (https, "GET https://foo:443/x", None),
        (
            https,
            "GET http://a~b/x?y=z",
            Some((302, "https://a~b/x?y=z")),
        ),
        (port, "GET http://foo", Some((302, "https://foo:8443/"))),
        (
            port,
            "GET http://foo:8000",
            Some((302, "https://foo:8443/")),
        ),
        (
            port,
            "GET https://foo:8000",
            Some((302, "https://foo:8443/")),
        ),
        (port, "GET https://foo:8443/x", None),
        (
            "'scheme':'https','port':'8443','permanent':true",
            "GET http://foo",
            Some((301, "https://foo:8443/")),
        ),
        (
            "'scheme':'https','port':'8443','permanent':true",
            "PUT http://foo",
            Some((308, "https://foo:8443/")),
        ),
        ("'scheme':'http','port':'80'", "GET http://foo:80", None),
        ("'scheme':'https','port':'443'", "GET https://foo:443", None),
        (
            "'scheme':'wss','port':'9443'",
            "GET http://foo",
            Some((302, "wss://foo:9443/")),
        ),
        (
            "'scheme':'wss','port':'9443'",
            "GET http://foo:5678",
            Some((302, "wss://foo:9443/")),
        ),
        (
            "'scheme':'wss'",
            "GET http://foo",
            Some((302, "wss://foo/")),
        ),
        (
            "'scheme':'wss'",
            "GET http://foo:5678",
            Some((302, "wss://foo/")),
        ),
        (
            "'scheme':'http','port':'8181'",
            "GET http://foo:8080",
            Some((302, "http://foo:8181/")),
        ),
        (
            "'scheme':'http','port':'80'",
            "GET http://x:8080/",
            Some((302, "http://x/")),
        ),
        (https, "GET http://[::1]/x", Some((302, "https://[::1]/x"))),
        (
            https,
            "GET http://[::1]:80/x",
            Some((302, "https://[::1]/x")),
        ),
        (
            https,
            "GET http://[::1]:20305/x",
            Some((302, "https://[::1]/x")),
        ),
        (
            port,
            "GET http://[::1]:80/x",
            Some((302, "https://[::1]:8443/x")),
        ),
        (port, "HEAD http://foo", Some((307, "https://foo:8443/"))),
        (https, "GET http://foo:", Some((302, "https://foo:/"))),
        (https, "GET http://foo:abc/x", Some((502, ""))),
        (
            https,
            "GET http://foo:80../x",
            Some((302, "https://foo../x")),
        ),
        (port, "GET http://foo:80../x", Some((502, ""))),
        (https, "GET https://foo:abc/x", Some((502, ""))),
        (https, "GET http://a!b:80/x", Some((302, "https://a!b/x"))),
        (
            https,
            "GET https://foo:443:/x",
            Some((302, "https://foo:/x")),
        ),
        (https, "GET http://[::1", Some((502, ""))),
    ] {
        check(
            &format!("{{'redirectScheme':{{{options}}}}}"),
            request,
            None,
            expected,
        );
    }
}

#[test]
fn redirect_scheme_believes_the_forwarded_scheme() {
    let config = "{'redirectScheme':{'scheme':'https'}}";
    let redirected = Some((302, "https://foo/"));
    for (proto, expected) in [
        ("http", redirected),
        ("bar", redirected),
        ("ws", redirected),
        ("https", None),
        ("wss", None),
        ("HTTPS", None),
    ] {
        check(config, "GET http://foo", Some(proto), expected);
    }
    check(config, "GET https://foo", Some("http"), redirected);
    check(config, "GET https://foo", Some("bar"), None);
}

//! The request target as the server sees it.

use serde_json::json;
use traefikrs_gourl::query::Semicolons;

use crate::support::{Proxy, echo, to};

#[track_caller]
fn check(proxy: &Proxy, target: &[u8], expected: &str) {
    let request = [b"GET ", target, b" HTTP/1.1\r\nHost: x.test\r\n\r\n"].concat();
    let response = proxy.ask_bytes(&request);
    let seen = match response.status() {
        200 => response.body.split(' ').nth(1).unwrap(),
        400 => "400",
        other => panic!("{other}"),
    };
    assert_eq!(seen, expected, "{}", target.escape_ascii());
}

#[test]
fn paths_are_clean_when_they_arrive() {
    let proxy = Proxy::to(echo());
    for (target, expected) in [
        ("/a/../b", "/b"),
        ("//a//b", "/a/b"),
        ("/a/b/..", "/a"),
        ("/a/b/../", "/a/"),
        ("/..", "/"),
        ("/a//", "/a/"),
        ("/a/.", "/a"),
        ("/a;b=c", "/a;b=c"),
        ("/a%2Fb", "/a%2Fb"),
        ("/a%2fb", "/a%2Fb"),
        ("/a%2F..%2Fb", "/a%2F..%2Fb"),
        ("/%41%62c", "/Abc"),
        ("/%2e%2e/x", "/x"),
        ("/a?", "/a?"),
        ("/a%23b", "/a%23b"),
        ("/a|b", "/a%7Cb"),
        ("/a\\b", "/a%5Cb"),
        ("/a%2Fb{c(", "/a/b%7Bc%28"),
        ("/a?x;y;z", "/a?x&y&z"),
        ("/a?b=%zz&c=%", "/a?b=%zz&c=%"),
        ("/a?//../b", "/a?//../b"),
        ("http://x.test", "/"),
        ("http://x.test?a", "/?a"),
        ("*", "*"),
        // What hyper does not read as Go does.
        ("/<>", "/%3C%3E"),
        ("/a\"b", "/a%22b"),
        ("/a?b#c", "/a?b%23c"),
        ("/a#b", "400"),
        ("/%zz", "400"),
        ("/%", "400"),
        ("foo", "400"),
    ] {
        check(&proxy, target.as_bytes(), expected);
    }
    check(&proxy, b"/\xe9", "/%E9");
    check(&proxy, b"/a?\xe9", "/a?%E9");
}

#[test]
fn paths_may_be_left_as_they_are() {
    let proxy = Proxy::with(&to(echo()), |web| web.http.sanitize_path = false);
    check(&proxy, b"/a/../b//c", "/a/../b//c");
    check(&proxy, b"/%2e%2e/%2f", "/../%2F");
}

#[test]
fn semicolons_may_be_text() {
    let proxy = Proxy::with(&to(echo()), |web| web.http.semicolons = Semicolons::Encode);
    check(&proxy, b"/a;b?c;d", "/a;b?c%3Bd");
}

#[test]
fn the_path_of_the_server_is_kept_only_if_told_so() {
    let server = echo();
    let mut http = to(server);
    let servers = |preserve| json!([{ "url": format!("http://{server}/base/?x=1"), "preservePath": preserve }]);
    http["services"]["server"]["loadBalancer"]["servers"] = servers(true);
    let proxy = Proxy::with(&http, |_| {});
    check(&proxy, b"/a?b", "/base/a?b");
    http["services"]["server"]["loadBalancer"]["servers"] = servers(false);
    proxy.publish(&http);
    check(&proxy, b"/a?b", "/a?b");
}

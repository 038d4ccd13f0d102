//! What becomes of the path, and which header tells of it.

use traefikrs_gourl::canonical_path;

use crate::support::{get, middleware, pass, stack, values};

/// Target, and the values of `X-Forwarded-Prefix` and `X-Replaced-Path`; or status and body.
type Outcome<'a> = Result<(&'a str, &'a [&'a str]), (u16, &'a str)>;

fn check(configs: &[&str], target: &str, expected: Outcome<'_>) {
    let (path, query) = target
        .split_once('?')
        .map_or((target, None), |(path, query)| (path, Some(query)));
    let path = canonical_path(path).expect("a path");
    let clean = query.map_or_else(|| path.to_string(), |query| format!("{path}?{query}"));
    let mut request = get(&clean);
    match pass(&stack(configs), &mut request) {
        Ok(seen) => {
            let mut headers = values(&request.headers, "x-forwarded-prefix");
            headers.extend(values(&request.headers, "x-replaced-path"));
            assert_eq!(
                Ok((seen.as_str(), headers.as_slice())),
                expected,
                "{configs:?} {target}"
            );
        }
        Err(answer) => {
            let body = std::str::from_utf8(&answer.body).expect("text");
            assert_eq!(
                Err((answer.status().as_u16(), body)),
                expected,
                "{configs:?} {target}"
            );
        }
    }
}

const BAD_REQUEST: Outcome<'static> = Err((400, "Bad Request\n"));

#[test]
fn add_prefix() {
    for (prefix, target, expected) in [
        ("/a", "/b", "/a/b"),
        ("a", "/", "/a/"),
        ("/a", "/b%2Fc", "/a/b%2Fc"),
        ("/pre", "/a?x=1&y=2", "/pre/a?x=1&y=2"),
        ("/pre", "/a?", "/pre/a?"),
        ("/pre", "/a%20b", "/pre/a%20b"),
        ("pre fix%2F", "/b", "/pre%20fix%252F/b"),
        ("pre fix%2F", "/b%2Fc", "/pre%20fix%252F/b/c"),
    ] {
        check(
            &[&format!("{{'addPrefix':{{'prefix':'{prefix}'}}}}")],
            target,
            Ok((expected, &[])),
        );
    }
}

#[test]
fn strip_prefix() {
    let untouched = |target| (target, Ok((target, &[][..])));
    for (prefixes, (target, expected)) in [
        ("[]", untouched("/noprefixes")),
        ("['/']", ("/", Ok(("/", &["/"][..])))),
        ("['/stat']", ("/stat", Ok(("/", &["/stat"])))),
        ("['/stat/']", ("/stat/", Ok(("/", &["/stat/"])))),
        ("['/stat/']", ("/stat/us", Ok(("/us", &["/stat/"])))),
        ("['/stat/']", untouched("/status")),
        ("['/stat']", ("/stat/", Ok(("/", &["/stat"])))),
        (
            "['/stat','/stat/us']",
            ("/stat/us", Ok(("/us", &["/stat"]))),
        ),
        ("['/mismatch','/stat']", ("/stat", Ok(("/", &["/stat"])))),
        ("['/stat']", ("/status", Ok(("/us", &["/stat"])))),
        ("['/stat']", ("/stat/a%2Fb", Ok(("/a%2Fb", &["/stat"])))),
        ("['/api/']", ("/ap%69/a%2Fb", Ok(("/a%2Fb", &["/api/"])))),
        ("['/api']", ("/api./foo", BAD_REQUEST)),
        ("['/api']", ("/api../foo", BAD_REQUEST)),
        (
            "['/api','/api/v1']",
            ("/api/v1/z", Ok(("/v1/z", &["/api"]))),
        ),
        ("['/api']", ("/apix", Ok(("/x", &["/api"])))),
        ("[' /api ']", ("/api/x?a=b", Ok(("/x?a=b", &["/api"])))),
        ("['']", ("/x", Ok(("/x", &[""])))),
        ("['/a b']", ("/a%20b/c", Ok(("/c", &["/a b"])))),
    ] {
        check(
            &[&format!("{{'stripPrefix':{{'prefixes':{prefixes}}}}}")],
            target,
            expected,
        );
    }
}

#[test]
fn strip_prefix_with_a_slash_forced() {
    let config = "{'stripPrefix':{'prefixes':['/api'],'forceSlash':true}}";
    check(&[config], "/api", Ok(("/", &["/api"])));
    check(&[config], "/apix", Ok(("/x", &["/api"])));
    check(&[config], "/api/x", Ok(("/x", &["/api"])));
    check(&[config], "/api./foo", BAD_REQUEST);
    check(&[config], "/api../foo", BAD_REQUEST);
}

#[test]
fn strip_prefix_leaves_no_doubled_slash_when_paths_are_not_sanitised() {
    let strip = middleware("{'stripPrefix':{'prefixes':['/api']}}");
    assert_eq!(pass(&strip, &mut get("/api//x")).unwrap_err().status(), 400);
}

#[test]
fn strip_prefix_regex() {
    let untouched = |target| (target, target, &[][..]);
    for (pattern, (target, expected, headers)) in [
        ("/a/api/", untouched("/a/test")),
        ("/a/api/", untouched("/a/test/")),
        ("/a/api/", ("/a/api/", "/", &["/a/api/"][..])),
        ("/a/api/", ("/a/api/test", "/test", &["/a/api/"])),
        ("/a/api/", ("/a/api/test/", "/test/", &["/a/api/"])),
        ("/a/api/", ("/a/api/a%2Fb", "/a%2Fb", &["/a/api/"])),
        ("/b/([a-z0-9]+)/", ("/b/api/", "/", &["/b/api/"])),
        ("/b/([a-z0-9]+)/", untouched("/b/api")),
        ("/b/([a-z0-9]+)/", ("/b/api/test1", "/test1", &["/b/api/"])),
        (
            "/b/([a-z0-9]+)/",
            ("/b/api2/test2", "/test2", &["/b/api2/"]),
        ),
        ("/b/([a-z0-9]+)/", ("/b/ap%69/test", "/test", &["/b/api/"])),
        (
            "/b/([a-z0-9]+)/",
            ("/b/ap%69/a%2Fb", "/a%2Fb", &["/b/api/"]),
        ),
        (
            "/c/[a-z0-9]+/[0-9]+/",
            ("/c/api/123/", "/", &["/c/api/123/"]),
        ),
        ("/c/[a-z0-9]+/[0-9]+/", untouched("/c/api/123")),
        (
            "/c/[a-z0-9]+/[0-9]+/",
            ("/c/api/123/test3", "/test3", &["/c/api/123/"]),
        ),
        ("/c/[a-z0-9]+/[0-9]+/", untouched("/c/api/abc/test4")),
        ("/t /test", untouched("/t%2F/test/foo")),
        ("/t /test", ("/t%20/test/a%2Fb", "/a%2Fb", &["/t /test"])),
        ("/v[0-9]+", ("/v12/x", "/x", &["/v12"])),
        ("/v[0-9]+", ("/v1", "/", &["/v1"])),
        ("/v[0-9]+", ("/v1a", "/a", &["/v1"])),
        ("/v[0-9]+", ("/v1%2Fa", "/a", &["/v1"])),
        ("/v[0-9]+", untouched("/a/v12/x")),
        ("^/a/(b|bc)", ("/a/bc/d", "/c/d", &["/a/b"])),
        ("/t.+?%", ("/tf%2525/x", "/25/x", &["/tf%"])),
        ("x*", untouched("/a")),
    ] {
        check(
            &[&format!("{{'stripPrefixRegex':{{'regex':['{pattern}']}}}}")],
            target,
            Ok((expected, headers)),
        );
    }
    check(
        &["{'stripPrefixRegex':{'regex':['/api']}}"],
        "/api./foo",
        BAD_REQUEST,
    );
    check(
        &["{'stripPrefixRegex':{'regex':['/api']}}"],
        "/api../foo",
        BAD_REQUEST,
    );
    check(
        &["{'stripPrefixRegex':{'regex':['/no',' /api ']}}"],
        "/api/x",
        Ok(("/x", &["/api"])),
    );
}

#[test]
fn replace_path() {
    for (path, target, expected, header) in [
        (
            "/replacement-path",
            "/example",
            "/replacement-path",
            "/example",
        ),
        (
            "/replacement-path",
            "/some/really/long/path",
            "/replacement-path",
            "/some/really/long/path",
        ),
        (
            "/replacement-path",
            "/foo%2Fbar",
            "/replacement-path",
            "/foo%2Fbar",
        ),
        ("/foo%2Fbar", "/path", "/foo%2Fbar", "/path"),
        (
            "/path/%08bar",
            "/path/%08bar",
            "/path/%08bar",
            "/path/%08bar",
        ),
        (
            "/new/path%2Fx",
            "/o%2Fld?q=1",
            "/new/path%2Fx?q=1",
            "/o%2Fld",
        ),
        ("/new?a=1", "/x?z=2", "/new%3Fa=1?z=2", "/x"),
        ("", "/x?z=2", "/?z=2", "/x"),
    ] {
        check(
            &[&format!("{{'replacePath':{{'path':'{path}'}}}}")],
            target,
            Ok((expected, &[header])),
        );
    }
    let bad = "{'replacePath':{'path':'/a%zz'}}";
    check(&[bad], "/x", Err((500, "invalid URL escape \"%zz\"\n")));
}

#[test]
fn replace_path_regex() {
    for (regex, replacement, target, expected) in [
        (
            "^/whoami/(.*)",
            "/who-am-i/$1",
            "/whoami/and/whoami",
            "/who-am-i/and/whoami",
        ),
        (
            "/whoami",
            "/who-am-i",
            "/whoami/and/whoami",
            "/who-am-i/and/who-am-i",
        ),
        ("/whoami", "", "/whoami/and/whoami", "/and"),
        ("/whoami", " ", "/whoami/and/whoami", "/and"),
        (
            "^(?i)/downloads/([^/]+)/([^/]+)$",
            "/downloads/$1-$2",
            "/downloads/src/source.go",
            "/downloads/src-source.go",
        ),
        ("/aaa/bbb", "/foo%2Fbar", "/aaa/bbb", "/foo%2Fbar"),
        ("/aaa%2Fbbb", "/foo/bar", "/aaa%2Fbbb", "/foo/bar"),
        ("^/foo/(.*)", "/$1", "/foo/%08bar", "/%08bar"),
        ("^/foo/(.*)", "/bar/$1", "/foo/a%2Fb?q=1", "/bar/a%2Fb?q=1"),
        ("^/foo(.*)", "/bar/$1", "/foox", "/bar/x"),
        ("^/foo/(.*)", "/bar?x=$1", "/foo/z?q=1", "/bar%3Fx=z?q=1"),
        ("^/foo/(.*)", "/bar/$1x", "/foo/z", "/bar/"),
        ("^/foo/(?P<n>.*)", "/${n}x$$1", "/foo/z", "/zx$1"),
        ("^/t2.*", "", "/t2/x", "/"),
        // Traefik sends x/xbxcx, which is no request target.
        ("a*", "x", "/baaac", "/x/xbxcx"),
    ] {
        let config =
            format!("{{'replacePathRegex':{{'regex':'{regex}','replacement':'{replacement}'}}}}");
        let old = target.split('?').next().unwrap();
        check(&[&config], target, Ok((expected, &[old])));
    }
    for (regex, replacement, target, expected) in [
        ("/no-match", "/x", "/whoami", Ok(("/whoami", &[][..]))),
        (
            "/aaa/bbb",
            "/foo/bar",
            "/aaa%2Fbbb",
            Ok(("/aaa%2Fbbb", &[])),
        ),
        ("^/foo(.*)", "/$1", "/foo../bar", BAD_REQUEST),
        ("^/foo(.*)", "/bar/$1", "/foo/x", BAD_REQUEST),
        (
            "^/foo",
            "/%zz",
            "/foo",
            Err((500, "invalid URL escape \"%zz\"\n")),
        ),
    ] {
        let config =
            format!("{{'replacePathRegex':{{'regex':'{regex}','replacement':'{replacement}'}}}}");
        check(&[&config], target, expected);
    }
}

#[test]
fn an_empty_path_is_no_slash_to_the_next_middleware() {
    let strip = "{'stripPrefix':{'prefixes':['/t']}}";
    let add = "{'addPrefix':{'prefix':'/pre'}}";
    let replace = "{'replacePathRegex':{'regex':'^(.*)$','replacement':'/all$1'}}";
    check(&[strip, add], "/t", Ok(("/pre", &["/t"])));
    check(&[strip, add], "/t?q=1", Ok(("/pre?q=1", &["/t"])));
    check(&[strip, add], "/t/", Ok(("/pre/", &["/t"])));
    check(&[strip, replace], "/t", Ok(("/all", &["/t", ""])));
    check(&[add, strip], "/t/z", Ok(("/pre/t/z", &[])));
    check(
        &[add, "{'replacePath':{'path':''}}"],
        "/t/z",
        Ok(("/", &["/pre/t/z"])),
    );
}

#[test]
fn former_paths_accumulate() {
    let strip = "{'stripPrefix':{'prefixes':['/a']}}";
    check(&[strip, strip], "/a/a/x", Ok(("/x", &["/a", "/a"])));
}

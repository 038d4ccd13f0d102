//! Headers of requests and responses.

use http::Request;
use traefikrs_config::dynamic;
use traefikrs_middleware::{Context, Headers, Transform};

use crate::support::{middleware, parts, response, values};

fn request_after(config: &str, headers: &[(&str, &str)]) -> (Vec<(String, String)>, Context) {
    let mut request = Request::get("/").header("host", "h.test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = parts(request);
    let mut context = Context::default();
    middleware(config)
        .request(&mut request, &mut context)
        .expect("headers answer nothing");
    let text = |value: &http::HeaderValue| value.to_str().expect("ASCII").to_owned();
    let mut seen: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect();
    seen.sort();
    (seen, context)
}

fn check_request(custom: &str, headers: &[(&str, &str)], expected: &[(&str, &str)]) {
    let config = format!("{{'headers':{{'customRequestHeaders':{custom}}}}}");
    let (seen, _) = request_after(&config, headers);
    let seen: Vec<_> = seen
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(seen, expected, "{custom}");
}

#[test]
fn request_headers_are_set_and_removed() {
    let host = ("host", "h.test");
    check_request("{'X-Custom':'test'}", &[], &[host, ("x-custom", "test")]);
    check_request("{'Foo':''}", &[("foo", "bar"), ("foo", "baz")], &[host]);
    check_request(
        "{'foo':'test'}",
        &[("foo", "bar"), ("foo", "baz")],
        &[("foo", "test"), host],
    );
    check_request("{'Host':'example.com'}", &[], &[("host", "example.com")]);
    check_request("{'hOsT':'example.com'}", &[], &[("host", "example.com")]);
    check_request("{'host':''}", &[], &[host]);
}

#[test]
fn the_framing_of_a_message_is_left_alone() {
    let custom = "{'Content-Length':'7','Transfer-Encoding':'x','Trailer':'','X-A':'1'}";
    let sent = [("content-length", "3"), ("trailer", "t")];
    check_request(
        custom,
        &sent,
        &[sent[0], ("host", "h.test"), sent[1], ("x-a", "1")],
    );
    let config =
        "{'headers':{'customResponseHeaders':{'Content-Length':'','Transfer-Encoding':'x'}}}";
    let mut response = response(200, &[("content-length", "5")]);
    middleware(config).response(&mut response, &Context::default());
    assert_eq!(values(&response.headers, "content-length"), ["5"]);
    assert!(response.headers.get("transfer-encoding").is_none());
}

#[test]
fn only_its_usual_spelling_suppresses_x_forwarded_for() {
    let check = |name: &str, value: &str, expected: (bool, usize)| {
        let config = format!("{{'headers':{{'customRequestHeaders':{{'{name}':'{value}'}}}}}}");
        let (headers, context) = request_after(&config, &[("x-forwarded-for", "1.2.3.4")]);
        let seen = headers
            .iter()
            .filter(|(name, _)| name == "x-forwarded-for")
            .count();
        assert_eq!((context.suppress_x_forwarded_for, seen), expected, "{name}");
    };
    check("X-Forwarded-For", "", (true, 0));
    check("x-forwarded-for", "", (false, 0));
    check("X-Forwarded-For", "5.6.7.8", (false, 1));
}

#[test]
fn response_headers_are_set_and_removed() {
    let config = "{'headers':{'customResponseHeaders':{'Testing':'foo','Foo':'','Multi':'3','X-B':'b\\nc\\n','x y':'1'}}}";
    let mut response = response(
        200,
        &[
            ("foo", "bar"),
            ("multi", "1"),
            ("multi", "2"),
            ("other", "o"),
        ],
    );
    middleware(config).response(&mut response, &Context::default());
    assert_eq!(values(&response.headers, "testing"), ["foo"]);
    assert_eq!(values(&response.headers, "multi"), ["3"]);
    assert_eq!(values(&response.headers, "x-b"), ["b c"]);
    assert_eq!(values(&response.headers, "other"), ["o"]);
    assert!(response.headers.get("foo").is_none());
    assert_eq!(response.headers.len(), 4);
}

#[test]
fn options_that_are_not_served_are_named() {
    let config: dynamic::Headers = serde_json::from_str(
        r#"{"customRequestHeaders":{"a":"b"},"frameDeny":true,"stsSeconds":0,"stsPreload":true}"#,
    )
    .unwrap();
    assert!(Headers::new(&config).is_ok());
    assert_eq!(
        Headers::unserved(&config).collect::<Vec<_>>(),
        ["stsPreload", "frameDeny"]
    );
}

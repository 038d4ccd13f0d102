//! The conformance tests of h2spec (RFC 9113 and 7541, frame by frame), which others wrote.

use std::collections::BTreeSet;
use std::process::Command;

use crate::strict::Strict;
use crate::{Site, routes_to};

/// What is known not to be as h2spec wants it.
const ACCEPTED: &[&str] = &[
    // On a port that speaks HTTP/1 too, what does not begin as HTTP/2 is answered as HTTP/1.
    "Sends invalid connection preface",
    // It sends no more than our frames may hold, which is Go's 1 MiB.
    "Sends a large size HEADERS frame that exceeds the SETTINGS_MAX_FRAME_SIZE",
];

#[test]
fn http2_is_spoken_as_h2spec_wants_it() {
    let named = std::env::var_os("H2SPEC_BIN");
    let h2spec = named.unwrap_or_else(|| "h2spec".into());
    if Command::new(&h2spec).arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "CI asks h2spec");
        println!("SKIPPED: h2spec is neither H2SPEC_BIN nor on the PATH");
        return;
    }
    // One that answers before it has read the body would hide that the body is none.
    let server = Strict::answering("more than a few bytes");
    let url = format!("http://{}", server.address);
    let site = Site::start(&routes_to("PathPrefix(`/`)", &url), &[]);
    let address = site.proxy.address("web");
    let port = address.port().to_string();
    let output = Command::new(h2spec)
        .args(["-h", "127.0.0.1", "-p", &port, "--timeout", "5"])
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    let (_, failures) = report.split_once("Failures:").unwrap_or_default();
    let failed: BTreeSet<_> = failures.lines().filter_map(failed).collect();
    let unexpected: Vec<_> = failed
        .iter()
        .filter(|name| !ACCEPTED.contains(name))
        .collect();
    assert!(unexpected.is_empty(), "{failures}");
    assert!(report.contains("0 skipped"), "{report}");
    assert_eq!(site.status("a.test"), 200);
}

/// The name of a test behind `× 3: `.
fn failed(line: &str) -> Option<&str> {
    let (_, test) = line.split_once("× ")?;
    let (_, name) = test.split_once(": ")?;
    Some(name.trim())
}

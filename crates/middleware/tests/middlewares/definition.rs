//! What users may write, and what they are told.

use traefikrs_middleware::{Definition, Error, Kind};

use crate::support::define;

fn check(config: &str, expected: &str) {
    let error = define(config).map(|_| ()).expect_err(config);
    assert_eq!(error.to_string(), expected, "{config}");
}

#[test]
fn a_definition_has_exactly_one_kind() {
    check(
        "{}",
        "invalid middleware \"name\" configuration: invalid middleware type or middleware does not exist",
    );
    check(
        "{'addPrefix':{'prefix':'/a'},'replacePath':{'path':'/b'}}",
        "cannot create middleware: multi-types middleware not supported, consider declaring two different pieces of middleware instead",
    );
}

#[test]
fn options_that_do_not_fit_are_refused_in_traefiks_words() {
    check("{'addPrefix':{}}", "prefix cannot be empty");
    check(
        "{'redirectScheme':{'port':'443'}}",
        "you must provide a target scheme",
    );
    check("{'headers':{}}", "headers configuration not valid");
    check(
        "{'headers':{'sslRedirect':false}}",
        "headers configuration not valid",
    );
    check(
        "{'redirectRegex':{'regex':'^(.*'}}",
        "error parsing regexp: missing closing ): `^(.*`",
    );
    check(
        "{'stripPrefixRegex':{'regex':['a(b']}}",
        "error parsing regexp: missing closing ): `a(b`",
    );
    check(
        "{'replacePathRegex':{'regex':'^(?err)/'}}",
        "error compiling regular expression ^(?err)/: error parsing regexp: invalid or unsupported Perl syntax: `(?e`",
    );
    check(
        "{'headers':{'customRequestHeaders':{'x y':'1'}}}",
        "invalid header \"x y\": invalid name",
    );
    check(
        "{'headers':{'customRequestHeaders':{'x':'a\\nb'}}}",
        "invalid header \"x\": invalid value",
    );
}

#[test]
fn options_that_do_nothing_count_for_traefik() {
    for config in [
        "{'headers':{'sslRedirect':true}}",
        "{'headers':{'stsSeconds':0}}",
        "{'headers':{'sslHost':'h'}}",
    ] {
        assert!(define(config).is_ok(), "{config}");
    }
}

#[test]
fn a_kind_that_is_not_served_yet_is_named() {
    let error = define("{'rateLimit':{'average':1}}").unwrap_err();
    assert_eq!(error, Error::NotServed(Kind::RateLimit));
    assert_eq!(
        error.to_string(),
        "middleware type rateLimit is not served yet"
    );
}

#[test]
fn a_chain_keeps_its_names() {
    let Ok(Definition::Chain(chain)) = define("{'chain':{'middlewares':['a','b@file']}}") else {
        panic!("a chain");
    };
    assert_eq!(chain.names(), ["a", "b@file"]);
}

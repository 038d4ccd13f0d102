//! Several middlewares, one after the other.

use traefikrs_middleware::{Context, Stack, Transform};

use crate::support::{get, pass, response, stack, values};

fn headers(name: &str, value: &str) -> String {
    format!("{{'headers':{{'customResponseHeaders':{{'{name}':'{value}'}}}}}}")
}

#[test]
fn the_outermost_has_the_last_word_on_a_response() {
    let stack = stack(&[&headers("x", "outer"), &headers("x", "inner")]);
    let mut response = response(200, &[]);
    stack.response(&mut response, &Context::default());
    assert_eq!(values(&response.headers, "x"), ["outer"]);
}

#[test]
fn an_answer_passes_back_through_those_before_it_only() {
    let redirect = "{'redirectScheme':{'scheme':'https'}}";
    let stack = stack(&[&headers("a", "before"), redirect, &headers("b", "after")]);
    let answer = pass(&stack, &mut get("/")).unwrap_err();
    assert_eq!(values(answer.headers(), "a"), ["before"]);
    assert!(answer.headers().get("b").is_none());
    assert_eq!(answer.status(), 302);
}

#[test]
fn informational_responses_are_left_alone() {
    let stack = stack(&[&headers("x", "y")]);
    for status in [100, 101, 103] {
        let mut response = response(status, &[]);
        stack.response(&mut response, &Context::default());
        assert!(response.headers.is_empty());
    }
}

#[test]
fn an_empty_stack_changes_nothing() {
    let stack = Stack::default();
    assert!(stack.is_empty());
    assert_eq!(pass(&stack, &mut get("/a?b")).unwrap(), "/a?b");
}

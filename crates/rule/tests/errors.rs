//! How a wrong rule is explained to the person who wrote it.
#![expect(clippy::unwrap_used, reason = "a helper of tests")]

use traefikrs_rule::{Function, Syntax, parse};

fn check(rule: &str, drawing: &str) {
    check_in(Syntax::V3, rule, drawing);
}

fn check_in(syntax: Syntax, rule: &str, drawing: &str) {
    let error = parse(rule, syntax)
        .and_then(|rule| rule.check())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        drawing.trim_start_matches('\n'),
        "{rule:?}"
    );
}

#[test]
fn a_misspelt_function_is_named() {
    check(
        "Host(`a`) && Pathprefx(`/x`)",
        "
unknown function `Pathprefx`
  |
1 | Host(`a`) && Pathprefx(`/x`)
  |              ^^^^^^^^^
  = help: did you mean `PathPrefix`?",
    );
}

#[test]
fn a_function_of_the_other_language_has_a_counterpart() {
    check(
        "Headers(`a`, `b`)",
        "
unknown function `Headers`
  |
1 | Headers(`a`, `b`)
  | ^^^^^^^
  = help: did you mean `Header`?",
    );
    check_in(
        Syntax::V2,
        "PathRegexp(`^/a`)",
        "
unknown function `PathRegexp`
  |
1 | PathRegexp(`^/a`)
  | ^^^^^^^^^^
  = help: did you mean `Path`?",
    );
}

#[test]
fn a_name_unlike_any_other_gets_no_suggestion() {
    check(
        "Weather(`rain`)",
        "
unknown function `Weather`
  |
1 | Weather(`rain`)
  | ^^^^^^^",
    );
}

#[test]
fn an_operator_at_the_start_of_a_line_belongs_to_the_line_above() {
    check(
        "Host(`a`)\n  && Path(`/b`)",
        "
expected the end of the rule, found `&&`
  |
2 |   && Path(`/b`)
  |   ^^
  = help: a rule ends at a line break behind `)`; put the operator at the end of the line above",
    );
}

#[test]
fn single_ampersands_and_words_are_no_operators() {
    check(
        "Host(`a`) & Path(`/b`)",
        "
unknown operator `&`
  |
1 | Host(`a`) & Path(`/b`)
  |           ^
  = help: write `&&`",
    );
    check(
        "Host(`a`) or Host(`b`)",
        "
expected the end of the rule, found `or`
  |
1 | Host(`a`) or Host(`b`)
  |           ^^
  = help: write `||`",
    );
}

#[test]
fn regular_expressions_belong_into_back_quotes() {
    check(
        r#"HostRegexp("^.+\.example$")"#,
        r#"
`\.` is not an escape sequence
  |
1 | HostRegexp("^.+\.example$")
  |                 ^
  = help: put regular expressions into back-quotes, where a backslash stands for itself"#,
    );
}

#[test]
fn a_rule_without_end_is_marked_behind_its_end() {
    check(
        "Host(`a`) &&",
        "
expected a condition, found the end of the rule
  |
1 | Host(`a`) &&
  |             ^",
    );
    check(
        "(Host(`a`)",
        "
expected `)`, found the end of the rule
  |
1 | (Host(`a`)
  |           ^",
    );
}

#[test]
fn text_without_quotes_is_a_name() {
    check(
        "Host(example.com)",
        "
unknown name `example.com`
  |
1 | Host(example.com)
  |      ^^^^^^^^^^^
  = help: put text into back-quotes: `example.com`",
    );
    check(
        "Host",
        "
unknown name `Host`
  |
1 | Host
  | ^^^^
  = help: call it with its arguments: Host(`…`)",
    );
}

#[test]
fn the_arguments_of_v2_are_too_many_for_v3() {
    check(
        "Path(`/x`) && Host(`a`, `b`)",
        "
`Host` takes 1, not 2 arguments
  |
1 | Path(`/x`) && Host(`a`, `b`)
  |               ^^^^^^^^^^^^^^
  = help: write Host(`a`) || Host(`b`)",
    );
}

#[test]
fn long_lines_are_cut_and_control_characters_hidden() {
    let long = format!(
        "Path(`{}`) && Path(`\u{1b}[2J`) && Weather(`rain`) && Path(`{}`)",
        "/a".repeat(100),
        "/b".repeat(100)
    );
    check(
        &long,
        &format!(
            "
unknown function `Weather`
  |
1 | …{}`) && Path(`\u{fffd}[2J`) && Weather(`rain`) && Path(`{}…
  | {}^^^^^^^",
            "/a".repeat(18) + "/a",
            "/b".repeat(17) + "/",
            " ".repeat(61),
        ),
    );
}

#[test]
fn every_function_is_described_in_the_reference() {
    let reference = include_str!("../src/reference.md");
    let (v3, v2) = reference.split_once("# Functions of v2").unwrap();
    for function in Function::ALL {
        let call = format!("`{function}(");
        assert_eq!(
            v3.contains(&call),
            function.arity(Syntax::V3).is_some(),
            "{function} in v3"
        );
        assert_eq!(
            v2.contains(&call),
            function.arity(Syntax::V2).is_some(),
            "{function} in v2"
        );
    }
}

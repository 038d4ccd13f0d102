//! Compares with the answers recorded from Traefik; see `testdata/README.md`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use traefikrs_rule::{
    Call, Expr, ExprKind, ParseError, Rule, Syntax, certificate_covers, domains, parse,
};

fn cases<T: DeserializeOwned>(json: &str) -> Vec<T> {
    serde_json::from_str(json).unwrap()
}

#[derive(Deserialize)]
struct Message {
    syntax: String,
    rule: String,
    message: Option<String>,
}

fn checked(case: &Message) -> Result<Rule, ParseError> {
    let rule = parse(&case.rule, Syntax::from_setting(&case.syntax))?;
    rule.check()?;
    Ok(rule)
}

/// What the meaning of an argument is, is not this crate's question: such rules are accepted here.
fn is_about_meaning(message: &str) -> bool {
    message.contains("error while adding rule") && !message.contains("number of parameters")
}

#[test]
fn rules_are_accepted_and_refused_as_by_traefik() {
    let cases: Vec<Message> = cases(include_str!("../testdata/messages.json"));
    let (mut accepted, mut equal, mut different) = (0, 0, Vec::new());
    for case in &cases {
        match (checked(case), case.message.as_deref()) {
            (Ok(_), None) => accepted += 1,
            (Ok(_), Some(message)) if is_about_meaning(message) => accepted += 1,
            (Ok(_), Some(message)) => {
                panic!("{:?} is accepted, but Traefik says: {message}", case.rule)
            }
            (Err(error), None) => panic!("{:?} is a rule, but: {error}", case.rule),
            (Err(error), Some(message)) if error.traefik_message() == message => equal += 1,
            (Err(error), Some(message)) => {
                different.push(format!("{}\n  Traefik: {message}", error.traefik_message()));
            }
        }
    }
    let refused = equal + different.len();
    println!(
        "{} rules: {accepted} accepted, {refused} refused, {equal} with the same message",
        cases.len()
    );
    println!("{}", different.join("\n"));
    assert!(
        equal * 100 >= refused * 90,
        "only {equal} of {refused} messages are equal"
    );
}

#[test]
fn every_error_can_be_drawn() {
    for case in cases::<Message>(include_str!("../testdata/messages.json")) {
        if let Err(error) = checked(&case) {
            let drawing = error.to_string();
            assert!(
                drawing
                    .lines()
                    .nth(3)
                    .is_some_and(|line| line.trim_end().ends_with('^')),
                "{drawing}"
            );
        }
    }
}

#[derive(Deserialize)]
struct Domains {
    rule: String,
    domains: Option<Vec<String>>,
}

#[test]
fn domains_are_those_of_traefik() {
    let cases: Vec<Domains> = cases(include_str!("../testdata/domains.json"));
    for case in &cases {
        assert_eq!(domains(&case.rule).ok(), case.domains, "{:?}", case.rule);
    }
    println!("{} rules", cases.len());
}

#[derive(Deserialize)]
struct Tree {
    desc: String,
    rule: String,
    tree: Option<Value>,
    query_matchers: Option<Vec<String>>,
    expected_values: Option<Vec<String>>,
}

/// The recorded trees are binary, and hold `check_error: true` at every node that is not a leaf.
fn tree(expr: &Expr, negated: bool) -> Value {
    let binary = |matcher: &str, operands: &[Expr]| {
        let [left, right] = operands else {
            panic!("two operands in every case")
        };
        json!({"matcher": matcher, "check_error": true, "left": tree(left, false), "right": tree(right, false)})
    };
    match expr.kind() {
        ExprKind::And(operands) => binary("and", operands),
        ExprKind::Or(operands) => binary("or", operands),
        ExprKind::Not(operand) => tree(operand, !negated),
        ExprKind::Call(call) => leaf(call, negated),
    }
}

fn leaf(call: &Call, negated: bool) -> Value {
    let values: Vec<&str> = call
        .arguments()
        .iter()
        .filter_map(|argument| argument.as_str())
        .collect();
    let mut leaf = json!({"matcher": "m", "value": values, "check_error": values.iter().all(|value| value.is_empty())});
    if negated {
        leaf["not"] = json!(true);
    }
    leaf
}

#[test]
fn trees_are_those_of_traefik() {
    let cases: Vec<Tree> = cases(include_str!("../testdata/trees.json"));
    for case in &cases {
        let rule = case.rule.replace("m(", "Host(").replace("M(", "HOST(");
        let parsed = parse(&rule, Syntax::V2).ok();
        let found = parsed
            .as_ref()
            .map(|rule| tree(&rule.expr().normal_form(), false));
        assert_eq!(found, case.tree, "{}: {rule}", case.desc);
        let Some(parsed) = parsed else { continue };
        let asked = case
            .query_matchers
            .iter()
            .flatten()
            .any(|matcher| matcher == "m");
        let values = parsed
            .expr()
            .leaves()
            .flat_map(|leaf| leaf.call.arguments())
            .map(|argument| argument.to_text().into_owned());
        let values: Vec<String> = values.filter(|_| asked).collect();
        assert_eq!(Some(values), case.expected_values, "{}: {rule}", case.desc);
    }
    println!("{} rules", cases.len());
}

#[derive(Deserialize)]
struct CertificateDomain {
    cert_domain: String,
    domain: String,
    expected: bool,
}

#[test]
fn certificates_cover_what_they_cover_for_traefik() {
    let cases: Vec<CertificateDomain> = cases(include_str!("../testdata/certificate_domains.json"));
    for case in &cases {
        assert_eq!(
            certificate_covers(&case.cert_domain, &case.domain),
            case.expected,
            "{} {}",
            case.cert_domain,
            case.domain
        );
    }
    println!("{} pairs", cases.len());
}

#[derive(Deserialize)]
struct DefaultPriority {
    rule: String,
    default_priority: usize,
}

#[test]
fn the_default_priority_is_that_of_traefik() {
    for case in cases::<DefaultPriority>(include_str!("../testdata/default_priorities.json")) {
        assert_eq!(
            parse(&case.rule, Syntax::V3).unwrap().default_priority(),
            case.default_priority
        );
    }
}

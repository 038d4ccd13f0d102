use traefikrs_router::Matcher;
use traefikrs_rule::{ParseError, Syntax, domains, parse as parse_rule};

/// Any text has an answer, and the answer can be shown.
pub(crate) fn parse(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for syntax in [Syntax::V3, Syntax::V2] {
        match parse_rule(&text, syntax) {
            Ok(rule) => {
                rule.check().err().iter().for_each(show);
                let compiled = Matcher::new(&rule);
                assert!(
                    rule.check().is_ok() || compiled.is_err(),
                    "a rule that fails the check is not compiled"
                );
                assert_eq!(
                    rule.domains(),
                    domains(&text).expect("rules of either language have domains")
                );
            }
            Err(error) => show(&error),
        }
    }
}

fn show(error: &ParseError) {
    assert!(error.span().start <= error.span().end && error.span().end <= error.text().len());
    assert!(!error.to_string().is_empty() && !error.traefik_message().is_empty());
}

/// What is printed reads the same, and its normal form too.
pub(crate) fn round_trip(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(rule) = parse_rule(&text, Syntax::V3) else {
        return;
    };
    for expr in [rule.expr().clone(), rule.expr().normal_form()] {
        let again = parse_rule(&expr.to_string(), Syntax::V3).expect("what is printed is a rule");
        assert_eq!(*again.expr(), expr);
    }
}

/// The rules whose fate is recorded.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let recorded = include_str!("../../crates/rule/testdata/messages.json");
    let cases: Vec<serde_json::Value> =
        serde_json::from_str(recorded).expect("the recorded cases are JSON");
    cases
        .iter()
        .filter_map(|case| case["rule"].as_str())
        .map(|rule| rule.as_bytes().to_vec())
        .collect()
}

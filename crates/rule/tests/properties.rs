//! What holds for all rules.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::collection::vec;
use proptest::prelude::*;
use traefikrs_rule::{Expr, Function, MAX_DEPTH, MAX_TEXT, ParseErrorKind, Syntax, domains, parse};

fn argument() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => "[a-z*.:/{}^$ ]{0,12}".prop_map(String::into_bytes),
        2 => "\\PC{0,8}".prop_map(String::into_bytes),
        2 => "[`\"'\\\\\r\n\t\0\u{feff}é]{0,6}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..6),
    ]
}

fn expr() -> impl Strategy<Value = Expr> {
    let functions: Vec<Function> = Function::ALL
        .into_iter()
        .filter(|function| function.arity(Syntax::V3).is_some())
        .collect();
    let call = (prop::sample::select(functions), vec(argument(), 0..4))
        .prop_map(|(function, arguments)| Expr::call(function, arguments));
    call.prop_recursive(6, 40, 4, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| left.and(right)),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| left.or(right)),
            inner.prop_map(Expr::negated),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn printing_and_parsing_are_inverse(expr in expr()) {
        let text = expr.to_string();
        let rule = parse(&text, Syntax::V3).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(rule.expr(), &expr);
        prop_assert_eq!(rule.text(), text);
    }

    #[test]
    fn spans_point_at_what_they_name(expr in expr()) {
        let text = expr.to_string();
        let rule = parse(&text, Syntax::V3).unwrap();
        prop_assert_eq!(&text[rule.expr().span().range()], &text);
        for leaf in rule.expr().leaves() {
            prop_assert_eq!(&text[leaf.call.span().range()], leaf.call.to_string());
            for argument in leaf.call.arguments() {
                prop_assert_eq!(&text[argument.span().range()], argument.to_string());
            }
        }
    }

    #[test]
    fn the_normal_form_has_the_signs_of_the_leaves(expr in expr()) {
        let normal = expr.normal_form();
        prop_assert!(normal.leaves().eq(expr.leaves()));
        prop_assert_eq!(normal.normal_form(), normal);
    }

    #[test]
    fn any_text_has_an_answer(text in "[HostPah(`a\")\\\\&|! \n/*,.é]{0,40}") {
        if let Err(error) = parse(&text, Syntax::V3).and_then(|rule| rule.check()) {
            prop_assert!(error.span().end <= text.len());
            prop_assert!(!error.to_string().is_empty() && !error.traefik_message().is_empty());
        }
        if let (Ok(rule), Ok(domains)) = (parse(&text, Syntax::V2), domains(&text)) {
            prop_assert_eq!(rule.domains(), domains);
        }
    }
}

/// Runs in a thread with a stack far below what a server gives its threads.
fn on_small_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(test)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn nesting_is_bounded() {
    on_small_stack(|| {
        let nested = |depth: usize, open: &str, close: &str| {
            format!("{}Host(`a`){}", open.repeat(depth), close.repeat(depth))
        };
        for (open, close, levels) in [
            ("(", ")", 1),
            ("!", "", 1),
            ("!(", ")", 2),
            ("(Host(`b`) || ", ")", 1),
        ] {
            let deepest = nested(MAX_DEPTH / levels, open, close);
            let rule = parse(&deepest, Syntax::V3).unwrap();
            assert!(parse(&rule.expr().normal_form().to_string(), Syntax::V3).is_ok());
            let error = parse(&nested(50_000, open, close), Syntax::V3).unwrap_err();
            assert_eq!(*error.kind(), ParseErrorKind::TooDeep);
        }
    });
}

#[test]
fn chains_are_not_nesting() {
    on_small_stack(|| {
        let chain = vec!["Host(`a`)"; 20_000].join(" || ");
        assert_eq!(parse(&chain, Syntax::V3).unwrap().domains().len(), 20_000);
    });
}

#[test]
fn the_longest_text_is_a_rule_and_a_longer_one_is_not() {
    let padded = |length: usize| format!("Host(`a`){}", " ".repeat(length - 9));
    assert!(parse(&padded(MAX_TEXT), Syntax::V3).is_ok());
    assert_eq!(
        *parse(&padded(MAX_TEXT + 1), Syntax::V3).unwrap_err().kind(),
        ParseErrorKind::TooLong
    );
}

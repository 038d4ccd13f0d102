//! What a pattern can not do to us.

use traefikrs_goregexp::{ErrorKind, Regex};

fn check(pattern: &str, expected: ErrorKind) {
    assert_eq!(Regex::new(pattern).expect_err("refused").kind(), expected);
}

#[test]
fn a_thousand_levels_are_compiled_and_one_more_is_refused() {
    let groups = |n| format!("{}a{}", "(".repeat(n), ")".repeat(n));
    assert!(Regex::new(&groups(1000)).unwrap().is_match(b"a"));
    check(&groups(1001), ErrorKind::NestingTooDeep);
    let repeats = |n| format!("{}a{}", "(?:".repeat(n), ")?".repeat(n));
    assert!(Regex::new(&repeats(1000)).unwrap().is_match(b"a"));
    check(&repeats(1001), ErrorKind::NestingTooDeep);
    let alternations = |n| format!("{}a{}", "(?:b|c".repeat(n), ")".repeat(n));
    check(&alternations(600), ErrorKind::NestingTooDeep);
}

#[test]
fn groups_that_are_never_closed_take_no_stack() {
    check(&"(?:".repeat(300_000), ErrorKind::MissingParen);
    check(&"(".repeat(300_000), ErrorKind::MissingParen);
    check(&"[".repeat(300_000), ErrorKind::MissingBracket);
    assert!(
        Regex::new(&format!(
            "{}a{}",
            "(?:".repeat(100_000),
            ")".repeat(100_000)
        ))
        .is_ok()
    );
}

#[test]
fn a_pattern_that_grows_too_large_is_refused() {
    check(r"(\pL{50}|[\pN\pS]{40}){20}", ErrorKind::TooLarge);
    check(&r"\pL".repeat(20_000), ErrorKind::TooLarge);
    check(&"(a{1000}b{1000})".repeat(1000), ErrorKind::TooLarge);
    let error = Regex::new(&r"\pL".repeat(20_000)).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("error parsing regexp: expression too large: `")
    );
}

#[test]
fn an_error_points_at_its_place() {
    let check = |pattern: &str, expected: &str| {
        let error = Regex::new(pattern).unwrap_err();
        assert_eq!(&pattern[error.span()], expected, "{error}");
    };
    check("ab(c", "(");
    check("ab)c", ")");
    check("a**", "**");
    check("x[b-a]", "b-a");
    check(r"x\q", r"\q");
    check(r"x\", r"\");
    check("(?P<n m>a)", "(?P<n m>");
}

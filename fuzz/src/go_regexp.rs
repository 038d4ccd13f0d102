use traefikrs_goregexp::Regex;

/// Any pattern compiles or is refused, and searches any text.
///
/// The input is a pattern, and after a line break the text.
pub(crate) fn run(data: &[u8]) {
    // Compiling is the slow part, and long patterns add nothing to short ones.
    const LONGEST_PATTERN: usize = 128;
    let (pattern, text) = match data.iter().position(|&byte| byte == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &b""[..]),
    };
    let pattern = String::from_utf8_lossy(&pattern[..pattern.len().min(LONGEST_PATTERN)]);
    match Regex::new(&pattern) {
        Ok(regex) => {
            let found = regex.find(text);
            assert_eq!(found.is_some(), regex.is_match(text));
            assert!(found.is_none_or(|found| found.start <= found.end && found.end <= text.len()));
            assert!(!regex.is_match(text) || text.starts_with(regex.required_prefix()));
            assert!(!regex.is_match(text) || text.ends_with(regex.required_suffix()));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    [
        "^/api/v[0-9]+$\n/api/v2",
        "(?i)^k{2,3}?|\\Qa.b\\E\nKK",
        "[[:alpha:]\\d_-]+\\b\nword",
        "(?P<n>a|b)*(?:c)\\x{e9}\nabcé",
        "a{1000}\naaaa",
        "[a&&b]\\<\\z\n&",
    ]
    .map(|seed| seed.as_bytes().to_vec())
    .into()
}

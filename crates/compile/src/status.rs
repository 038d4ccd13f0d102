//! Statuses and ranges of them, as users write them.

use http::StatusCode;

/// Is a status among the chosen ones?
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusRanges(Box<[(i64, i64)]>);

/// A text that is no status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("strconv.Atoi: parsing \"{text}\": {problem}")]
pub(crate) struct InvalidStatus {
    text: String,
    problem: &'static str,
}

impl StatusRanges {
    /// Reads `503` and `500-599`, ends included.
    ///
    // Traefik: what follows a second dash is ignored, and a range that ends before it begins holds nothing.
    pub(crate) fn parse(texts: &[String]) -> Result<Self, InvalidStatus> {
        let ranges = texts.iter().map(|text| {
            let mut ends = text.split('-');
            let low = number(ends.next().unwrap_or_default())?;
            let high = ends.next().map_or(Ok(low), number)?;
            Ok((low, high))
        });
        ranges.collect::<Result<_, _>>().map(Self)
    }

    /// Whether the status is in one of the ranges.
    pub fn contains(&self, status: StatusCode) -> bool {
        let status = i64::from(status.as_u16());
        self.0
            .iter()
            .any(|&(low, high)| low <= status && status <= high)
    }

    /// Whether nothing is chosen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Reads a number in Go's way.
fn number(text: &str) -> Result<i64, InvalidStatus> {
    text.parse().map_err(|_| {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        InvalidStatus {
            text: text.to_owned(),
            problem: if is_number {
                "value out of range"
            } else {
                "invalid syntax"
            },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(texts: &[&str]) -> Result<StatusRanges, String> {
        let texts: Vec<_> = texts.iter().map(|&text| text.to_owned()).collect();
        StatusRanges::parse(&texts).map_err(|error| error.to_string())
    }

    #[test]
    fn a_status_is_found_between_both_ends() {
        for (texts, inside, outside) in [
            (&["503"][..], &[503][..], &[502, 504][..]),
            (
                &["500-502", "404"],
                &[500, 501, 502, 404],
                &[499, 503, 403, 405],
            ),
            (&["500-510-520"], &[500, 510], &[511, 520]),
            (&["599-500"], &[], &[500, 550, 599]),
            (&["+500"], &[500], &[]),
            (&[], &[], &[200, 500]),
        ] {
            let ranges = parse(texts).unwrap();
            let contains = |&status: &u16| ranges.contains(StatusCode::from_u16(status).unwrap());
            assert!(inside.iter().all(contains), "{texts:?}");
            assert!(!outside.iter().any(contains), "{texts:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused_as_in_go() {
        for (text, problem) in [
            ("x", "parsing \"x\": invalid syntax"),
            ("500-x", "parsing \"x\": invalid syntax"),
            ("", "parsing \"\": invalid syntax"),
            ("-1", "parsing \"\": invalid syntax"),
            ("500,502", "parsing \"500,502\": invalid syntax"),
            ("500 - 599", "parsing \"500 \": invalid syntax"),
            (
                "99999999999999999999",
                "parsing \"99999999999999999999\": value out of range",
            ),
        ] {
            assert_eq!(
                parse(&["200", text]).unwrap_err(),
                format!("strconv.Atoi: {problem}")
            );
        }
    }
}

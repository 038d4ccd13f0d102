//! Did you mean something else?

/// The candidate that looks most like what was written, if any is close.
pub(crate) fn closest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = 1 + written.len() / 4;
    candidates
        .into_iter()
        .filter(|candidate| *candidate != written)
        .map(|candidate| (distance(written, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// ``; did you mean `…`?`` or nothing.
pub(crate) fn did_you_mean<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> String {
    match closest(written, candidates) {
        Some(candidate) => format!("; did you mean `{candidate}`?"),
        None => String::new(),
    }
}

/// `a`, `b` and `c` as `a, b, c`, or what to say when there are none.
pub(crate) fn list<'a>(items: impl IntoIterator<Item = &'a str>, none: &str) -> String {
    let items: Vec<_> = items.into_iter().collect();
    if items.is_empty() {
        none.to_owned()
    } else {
        items.join(", ")
    }
}

/// How many letters must be changed, regardless of case. (Levenshtein, two rows.)
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().take(100).collect();
    let b: Vec<char> = b.to_lowercase().chars().take(100).collect();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (row, from) in a.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, to) in b.iter().enumerate() {
            let replaced = previous[column] + usize::from(from != to);
            current.push(
                replaced
                    .min(previous[column + 1] + 1)
                    .min(current[column] + 1),
            );
        }
        previous = current;
    }
    previous[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{closest, distance};

    #[test]
    fn near_misses_are_found_and_others_are_not() {
        let fields = ["accessLogs", "metrics", "tracing", "followRedirects"];
        assert_eq!(closest("accesslogs", fields), Some("accessLogs"));
        assert_eq!(closest("followRedirect", fields), Some("followRedirects"));
        assert_eq!(closest("metric", fields), Some("metrics"));
        assert_eq!(closest("weight", fields), None);
        assert_eq!(closest("tracing", ["tracing"]), None);
    }

    #[test]
    fn distance_counts_changes() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("ABC", "abc"), 0);
    }
}

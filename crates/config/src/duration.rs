//! Durations as Go writes them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How long? A signed length of time in nanoseconds, read and printed as Go does.
///
/// A bare integer is a number of **seconds**; anything else is Go's syntax: an optional sign, then
/// numbers with units out of `ns us µs ms s m h`.
/// (Traefik: `paerser/types.Duration`, for every duration of the static and dynamic configuration.)
///
/// ```
/// use traefikrs_config::duration::GoDuration;
///
/// let duration: GoDuration = "1h2m0.5s".parse()?;
/// assert_eq!(duration.to_string(), "1h2m0.5s");
/// assert_eq!("90".parse::<GoDuration>()?.to_string(), "1m30s");
/// # Ok::<(), traefikrs_config::duration::InvalidDuration>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration(i64);

const MILLISECOND: i64 = 1_000_000;
const SECOND: i64 = 1_000 * MILLISECOND;

impl GoDuration {
    /// So many seconds, at most 292 years.
    pub const fn from_secs(seconds: u32) -> Self {
        Self(seconds as i64 * SECOND)
    }

    /// So many milliseconds.
    pub const fn from_millis(millis: u32) -> Self {
        Self(millis as i64 * MILLISECOND)
    }

    /// So many nanoseconds; negative lengths are allowed, as in Go.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The length in nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The length, or `None` when it is negative.
    pub fn to_std(self) -> Option<Duration> {
        u64::try_from(self.0).ok().map(Duration::from_nanos)
    }

    /// The length, or `None` when it is zero or negative: most limits mean "no limit" then.
    pub fn positive(self) -> Option<Duration> {
        self.to_std().filter(|duration| !duration.is_zero())
    }
}

/// Says why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid duration {text:?}: {problem}")]
pub struct InvalidDuration {
    text: String,
    problem: &'static str,
}

impl FromStr for GoDuration {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        let invalid = |problem| InvalidDuration {
            text: text.to_owned(),
            problem,
        };
        if let Ok(seconds) = text.parse::<i64>() {
            return seconds
                .checked_mul(SECOND)
                .map(Self)
                .ok_or_else(|| invalid("out of range"));
        }
        parse_go(text).map(Self).map_err(invalid)
    }
}

fn parse_go(text: &str) -> Result<i64, &'static str> {
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest.is_empty() {
        return Err("expected a number with a unit, such as `10s`");
    }
    // Sums are kept as negative numbers, whose range is one wider.
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let (nanos, after) = parse_term(rest)?;
        total = total.checked_sub(nanos).ok_or("out of range")?;
        rest = after;
    }
    if negative {
        Ok(total)
    } else {
        total.checked_neg().ok_or("out of range")
    }
}

fn parse_term(text: &str) -> Result<(i64, &str), &'static str> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole_len = digits(text);
    let (whole, rest) = text.split_at(whole_len);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(after) => after.split_at(digits(after)),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err("expected a number with a unit, such as `10s`");
    }
    let unit_len = rest
        .find(|c: char| c == '.' || c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_len);
    let unit = match unit {
        "" => return Err("a unit is missing: use ns, us, ms, s, m or h"),
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3_600 * SECOND,
        _ => return Err("unknown unit: use ns, us, ms, s, m or h"),
    };
    let whole = if whole.is_empty() {
        0
    } else {
        whole.parse::<i64>().map_err(|_| "out of range")?
    };
    let whole = whole.checked_mul(unit).ok_or("out of range")?;
    let nanos = whole
        .checked_add(fraction_of(fraction, unit))
        .ok_or("out of range")?;
    Ok((nanos, rest))
}

/// Nanoseconds in `0.<digits>` of a unit; digits below a nanosecond are dropped.
fn fraction_of(digits: &str, unit: i64) -> i64 {
    // Eighteen digits are below a nanosecond even of an hour.
    let (mut digits_value, mut scale) = (0_i128, 1_i128);
    for digit in digits.bytes().take(18) {
        digits_value = digits_value * 10 + i128::from(digit - b'0');
        scale *= 10;
    }
    i64::try_from(digits_value * i128::from(unit) / scale).expect("a fraction is below its unit")
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        if nanos == 0 {
            return f.write_str("0s");
        }
        if nanos < SECOND.unsigned_abs() {
            let (unit, name) = match nanos {
                0..1_000 => (1, "ns"),
                1_000..1_000_000 => (1_000, "µs"),
                _ => (1_000_000, "ms"),
            };
            return write!(f, "{sign}{}{name}", Decimal { nanos, unit });
        }
        f.write_str(sign)?;
        let (minutes, within) = (nanos / 60_000_000_000, nanos % 60_000_000_000);
        if minutes >= 60 {
            write!(f, "{}h", minutes / 60)?;
        }
        if minutes > 0 {
            write!(f, "{}m", minutes % 60)?;
        }
        write!(
            f,
            "{}s",
            Decimal {
                nanos: within,
                unit: SECOND.unsigned_abs()
            }
        )
    }
}

/// `nanos / unit` without trailing zeros.
struct Decimal {
    nanos: u64,
    unit: u64,
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.nanos / self.unit)?;
        let fraction = self.nanos % self.unit;
        if fraction == 0 {
            return Ok(());
        }
        let width = self.unit.ilog10() as usize;
        let digits = format!("{fraction:0width$}");
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}

impl fmt::Debug for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for GoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DurationVisitor)
    }
}

struct DurationVisitor;

impl Visitor<'_> for DurationVisitor {
    type Value = GoDuration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as `10s` or a number of seconds")
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<GoDuration, E> {
        seconds
            .checked_mul(SECOND)
            .map(GoDuration)
            .ok_or_else(|| E::custom("duration out of range"))
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<GoDuration, E> {
        let seconds = i64::try_from(seconds).map_err(|_| E::custom("duration out of range"))?;
        self.visit_i64(seconds)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<GoDuration, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::GoDuration;

    fn printed(text: &str) -> Option<String> {
        text.parse::<GoDuration>()
            .ok()
            .map(|duration| duration.to_string())
    }

    #[test]
    fn texts_read_and_print_as_go_does() {
        for (text, expected) in [
            ("0", "0s"),
            ("30", "30s"),
            ("-1", "-1s"),
            ("100ms", "100ms"),
            ("1.5s", "1.5s"),
            (".5s", "500ms"),
            ("1h", "1h0m0s"),
            ("90s", "1m30s"),
            ("1h1m1.001s", "1h1m1.001s"),
            ("997.262815ms", "997.262815ms"),
            ("3us", "3µs"),
            ("3µs", "3µs"),
            ("+1ns", "1ns"),
            ("-1m", "-1m0s"),
            ("10s5m", "5m10s"),
        ] {
            assert_eq!(printed(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "-",
            "10s5",
            "1 s",
            "1d",
            "s",
            ".s",
            "1.2.3s",
            "9223372037",
            "9223372036854775808ns",
            "--1s",
        ] {
            assert_eq!(printed(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(nanos in any::<i64>()) {
            let duration = GoDuration::from_nanos(nanos);
            prop_assert_eq!(duration.to_string().parse::<GoDuration>(), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            drop(text.parse::<GoDuration>());
        }
    }
}

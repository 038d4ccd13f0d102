//! Bytes written as text in TOML.

use serde::Deserialize;

/// The bytes whose values are the text's characters: `"\u00ff"` is one byte.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Latin1(pub(super) Vec<u8>);

impl TryFrom<String> for Latin1 {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bytes = text.chars().map(|character| {
            u8::try_from(character).map_err(|_| format!("{character:?} is more than a byte"))
        });
        bytes.collect::<Result<_, _>>().map(Self)
    }
}

impl std::ops::Deref for Latin1 {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_a_byte() {
        assert_eq!(
            Latin1::try_from("a\u{ff}\0".to_owned()),
            Ok(Latin1(b"a\xff\0".to_vec()))
        );
        assert!(Latin1::try_from("\u{100}".to_owned()).is_err());
    }
}

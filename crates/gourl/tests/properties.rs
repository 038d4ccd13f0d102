//! What holds for every path.

use std::borrow::Cow;

use proptest::prelude::*;
use traefikrs_gourl::{
    canonical_path, decode_path, encode_path, escaped_path, normalize_escapes, sanitize,
};

/// Text in which slashes, dots and escapes are common.
fn path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => Just("/".to_owned()),
        2 => Just(".".to_owned()),
        1 => Just("/..".to_owned()),
        2 => "[a-zA-Z0-9~_!$&'()*+,;=:@\\[\\]-]",
        2 => "%[0-9a-fA-F]{2}",
        1 => "[\"<>^`{|}é%]",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// The steps one by one, always on owned text.
fn slow(raw: &str) -> Option<String> {
    let normal = normalize_escapes(raw.as_bytes()).ok()?.into_owned();
    let escaped = escaped_path(&normal).ok()?.into_owned();
    Some(sanitize(&escaped).into_owned())
}

proptest! {
    #[test]
    fn the_fast_path_equals_the_slow_one(raw in path()) {
        let raw = format!("/{raw}");
        prop_assert_eq!(canonical_path(&raw).ok().map(Cow::into_owned), slow(&raw));
    }

    #[test]
    fn a_canonical_path_stays_and_is_borrowed(raw in path()) {
        if let Ok(path) = canonical_path(&format!("/{raw}")) {
            let again = canonical_path(&path).unwrap();
            prop_assert_eq!(&again, &path);
            if !path.contains('%') {
                prop_assert!(matches!(again, Cow::Borrowed(_)));
            }
        }
    }

    #[test]
    fn nothing_climbs_out_of_a_sanitised_path(raw in path()) {
        let clean = sanitize(&raw).into_owned();
        prop_assert!(clean.split('/').all(|segment| !matches!(segment, "." | "..")), "{}", clean);
        prop_assert!(!clean.contains("//"));
        if clean.starts_with('/') {
            prop_assert_eq!(sanitize(&clean), clean.as_str());
        }
    }

    #[test]
    fn decoding_undoes_encoding(bytes: Vec<u8>) {
        let encoded = encode_path(&bytes);
        prop_assert_eq!(&*decode_path(encoded.as_bytes()).unwrap(), bytes.as_slice());
    }
}

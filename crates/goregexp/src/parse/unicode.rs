//! Which names of characters does Go know?

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

/// The characters of a general category or script.
///
/// Case, spaces, hyphens and underscores in the name do not count.
pub(crate) fn class(name: &str) -> Option<ClassUnicode> {
    let name = canonical(name)?;
    let name = name.as_str();
    let property = if CATEGORIES.binary_search(&name).is_ok() {
        // Unicode calls the marks so too, in a list that regex-syntax does not read.
        format!(
            "gc={}",
            if name == "combiningmark" {
                "mark"
            } else {
                name
            }
        )
    } else if SCRIPTS.binary_search(&name).is_ok() {
        format!("sc={name}")
    } else {
        match name {
            // Surrogates are in no text.
            "cs" | "surrogate" => return Some(ClassUnicode::empty()),
            "any" => return Some(ClassUnicode::new([ClassUnicodeRange::new('\0', char::MAX)])),
            "ascii" => return Some(ClassUnicode::new([ClassUnicodeRange::new('\0', '\x7F')])),
            "assigned" => return class("Cn").map(negated),
            _ => return None,
        }
    };
    match regex_syntax::parse(&format!(r"\p{{{property}}}"))
        .ok()?
        .into_kind()
    {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        // A class of one character, such as the line separators.
        HirKind::Literal(literal) => {
            let char = std::str::from_utf8(&literal.0).ok()?.chars().next()?;
            Some(ClassUnicode::new([ClassUnicodeRange::new(char, char)]))
        }
        _ => None,
    }
}

/// Names are ASCII, and as long as the longest at most.
fn canonical(name: &str) -> Option<String> {
    let name: String = name
        .chars()
        .filter(|char| !matches!(char, '_' | '-' | ' '))
        .collect();
    (name.is_ascii() && name.len() < 64).then(|| name.to_ascii_lowercase())
}

fn negated(mut class: ClassUnicode) -> ClassUnicode {
    class.negate();
    class
}

static CATEGORIES: &[&str] = &[
    "c",
    "casedletter",
    "cc",
    "cf",
    "closepunctuation",
    "cn",
    "cntrl",
    "co",
    "combiningmark",
    "connectorpunctuation",
    "control",
    "currencysymbol",
    "dashpunctuation",
    "decimalnumber",
    "digit",
    "enclosingmark",
    "finalpunctuation",
    "format",
    "initialpunctuation",
    "l",
    "lc",
    "letter",
    "letternumber",
    "lineseparator",
    "ll",
    "lm",
    "lo",
    "lowercaseletter",
    "lt",
    "lu",
    "m",
    "mark",
    "mathsymbol",
    "mc",
    "me",
    "mn",
    "modifierletter",
    "modifiersymbol",
    "n",
    "nd",
    "nl",
    "no",
    "nonspacingmark",
    "number",
    "openpunctuation",
    "other",
    "otherletter",
    "othernumber",
    "otherpunctuation",
    "othersymbol",
    "p",
    "paragraphseparator",
    "pc",
    "pd",
    "pe",
    "pf",
    "pi",
    "po",
    "privateuse",
    "ps",
    "punct",
    "punctuation",
    "s",
    "sc",
    "separator",
    "sk",
    "sm",
    "so",
    "spaceseparator",
    "spacingmark",
    "symbol",
    "titlecaseletter",
    "unassigned",
    "uppercaseletter",
    "z",
    "zl",
    "zp",
    "zs",
];

static SCRIPTS: &[&str] = &[
    "adlam",
    "ahom",
    "anatolianhieroglyphs",
    "arabic",
    "armenian",
    "avestan",
    "balinese",
    "bamum",
    "bassavah",
    "batak",
    "bengali",
    "bhaiksuki",
    "bopomofo",
    "brahmi",
    "braille",
    "buginese",
    "buhid",
    "canadianaboriginal",
    "carian",
    "caucasianalbanian",
    "chakma",
    "cham",
    "cherokee",
    "chorasmian",
    "common",
    "coptic",
    "cuneiform",
    "cypriot",
    "cyprominoan",
    "cyrillic",
    "deseret",
    "devanagari",
    "divesakuru",
    "dogra",
    "duployan",
    "egyptianhieroglyphs",
    "elbasan",
    "elymaic",
    "ethiopic",
    "georgian",
    "glagolitic",
    "gothic",
    "grantha",
    "greek",
    "gujarati",
    "gunjalagondi",
    "gurmukhi",
    "han",
    "hangul",
    "hanifirohingya",
    "hanunoo",
    "hatran",
    "hebrew",
    "hiragana",
    "imperialaramaic",
    "inherited",
    "inscriptionalpahlavi",
    "inscriptionalparthian",
    "javanese",
    "kaithi",
    "kannada",
    "katakana",
    "kawi",
    "kayahli",
    "kharoshthi",
    "khitansmallscript",
    "khmer",
    "khojki",
    "khudawadi",
    "lao",
    "latin",
    "lepcha",
    "limbu",
    "lineara",
    "linearb",
    "lisu",
    "lycian",
    "lydian",
    "mahajani",
    "makasar",
    "malayalam",
    "mandaic",
    "manichaean",
    "marchen",
    "masaramgondi",
    "medefaidrin",
    "meeteimayek",
    "mendekikakui",
    "meroiticcursive",
    "meroitichieroglyphs",
    "miao",
    "modi",
    "mongolian",
    "mro",
    "multani",
    "myanmar",
    "nabataean",
    "nagmundari",
    "nandinagari",
    "newa",
    "newtailue",
    "nko",
    "nushu",
    "nyiakengpuachuehmong",
    "ogham",
    "olchiki",
    "oldhungarian",
    "olditalic",
    "oldnortharabian",
    "oldpermic",
    "oldpersian",
    "oldsogdian",
    "oldsoutharabian",
    "oldturkic",
    "olduyghur",
    "oriya",
    "osage",
    "osmanya",
    "pahawhhmong",
    "palmyrene",
    "paucinhau",
    "phagspa",
    "phoenician",
    "psalterpahlavi",
    "rejang",
    "runic",
    "samaritan",
    "saurashtra",
    "sharada",
    "shavian",
    "siddham",
    "signwriting",
    "sinhala",
    "sogdian",
    "sorasompeng",
    "soyombo",
    "sundanese",
    "sylotinagri",
    "syriac",
    "tagalog",
    "tagbanwa",
    "taile",
    "taitham",
    "taiviet",
    "takri",
    "tamil",
    "tangsa",
    "tangut",
    "telugu",
    "thaana",
    "thai",
    "tibetan",
    "tifinagh",
    "tirhuta",
    "toto",
    "ugaritic",
    "vai",
    "vithkuqi",
    "wancho",
    "warangciti",
    "yezidi",
    "yi",
    "zanabazarsquare",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_tables_has_characters() {
        for table in [CATEGORIES, SCRIPTS] {
            assert!(table.is_sorted());
            for name in table {
                assert!(
                    class(name).is_some_and(|class| !class.ranges().is_empty()),
                    "{name}"
                );
            }
        }
    }
}

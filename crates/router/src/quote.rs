use std::fmt::Write as _;

/// Quotes bytes the way Go's `%q` does, in which Traefik words its messages.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            push(&mut quoted, character);
        }
        for byte in chunk.invalid() {
            write!(quoted, "\\x{byte:02x}").expect("a string takes everything");
        }
    }
    quoted.push('"');
    quoted
}

fn push(quoted: &mut String, character: char) {
    let short = match character {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\u{c}' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\u{b}' => "\\v",
        control if control.is_control() => {
            let code = u32::from(control);
            write!(
                quoted,
                "\\{}",
                if code < 0x80 {
                    format!("x{code:02x}")
                } else {
                    format!("u{code:04x}")
                }
            )
            .expect("a string takes everything");
            return;
        }
        plain => {
            quoted.push(plain);
            return;
        }
    };
    quoted.push_str(short);
}

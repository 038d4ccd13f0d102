//! Which bytes may stand where, as one table.

/// Letters, digits and `- . _ ~`: an escape of one of these means the byte itself.
pub(crate) const UNRESERVED: u8 = 1;
/// What Go writes literally when it encodes a path from its decoded form.
pub(crate) const PATH: u8 = 1 << 1;
/// What may stand unescaped in a path that is kept as the client wrote it.
pub(crate) const RAW_PATH: u8 = 1 << 2;
/// `: / ? # [ ] @ ! $ & ' ( ) * + , ; = %`: an escape of one of these is never decoded for routing.
pub(crate) const RESERVED: u8 = 1 << 3;
/// What may stand in a `Host` header.
pub(crate) const HOST: u8 = 1 << 4;
/// What may stand before the `@` of an authority.
pub(crate) const USER_INFO: u8 = 1 << 5;
/// What may stand unescaped in the host of a URL: [`HOST`] without `%`, and a few more.
pub(crate) const GO_HOST: u8 = 1 << 7;
/// A byte that says nothing about the shape of a path: [`RAW_PATH`] without `/` and `.`.
pub(crate) const PLAIN: u8 = 1 << 6;

static CLASSES: [u8; 256] = classes();

/// Tells whether `byte` is in any of the classes of `mask`.
#[inline]
pub(crate) fn is(byte: u8, mask: u8) -> bool {
    CLASSES[usize::from(byte)] & mask != 0
}

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = b'0';
    while byte <= b'z' {
        if byte.is_ascii_alphanumeric() {
            table[byte as usize] =
                UNRESERVED | PATH | RAW_PATH | HOST | GO_HOST | USER_INFO | PLAIN;
        }
        byte += 1;
    }
    add(
        &mut table,
        b"-._~",
        UNRESERVED | PATH | RAW_PATH | HOST | USER_INFO,
    );
    add(&mut table, b"-_~", PLAIN);
    add(&mut table, b"$&+,/:;=@", PATH | RAW_PATH);
    add(&mut table, b"!'()*[]", RAW_PATH);
    add(&mut table, b"$&+,:;=@!'()*[]", PLAIN);
    add(&mut table, b":/?#[]@!$&'()*+,;=%", RESERVED);
    add(&mut table, b"!$%&'()*+,:;=[]", HOST);
    add(&mut table, b"!$&'()*+,;=:%@", USER_INFO);
    add(&mut table, b"-._~!$&'()*+,:;=[]<>\"", GO_HOST);
    table
}

const fn add(table: &mut [u8; 256], bytes: &[u8], mask: u8) {
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] |= mask;
        at += 1;
    }
}

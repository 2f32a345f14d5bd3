//! What people write: key ids and keys in every spelling, and lists of them.

use crate::{InitDataType, Jwk, KeyId, SessionType, base64url, key_text, quote};

/// Reads text as everything that there is a spelling of. Whether a line of it is a key id with its key.
#[must_use]
pub fn text(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else { return false };
    quotes(text);
    if let Ok(octets) = base64url::decode(text) {
        let written = base64url::encode(&octets);
        assert_eq!(written.len(), text.len());
        assert_eq!(base64url::decode(&written), Ok(octets));
    }
    if let Ok(known) = text.parse::<InitDataType>() {
        assert_eq!(known.as_str(), text);
    }
    if let Ok(known) = text.parse::<SessionType>() {
        assert_eq!(known.as_str(), text);
    }
    kid(text);
    let mut got_through = false;
    let mut last = 0;
    for (number, line) in key_text::lines(text) {
        assert!(number > last && !line.is_empty() && !line.contains(['#', '\n']));
        assert!(text.lines().nth(number - 1).is_some_and(|whole| whole.contains(line)));
        last = number;
        kid(line);
        got_through |= key(line);
    }
    got_through
}

/// A key id of 16 octets is read in every spelling that it has.
fn kid(text: &str) {
    let Ok(kid) = text.parse::<KeyId>() else { return };
    if let Ok(octets) = <[u8; 16]>::try_from(kid.as_bytes()) {
        let uuid = crate::pssh::SystemId::new(octets).to_string();
        for spelling in [kid.to_string(), base64url::encode(&octets), uuid] {
            assert_eq!(spelling.parse().as_ref(), Ok(&kid));
        }
    }
}

/// Whether this is a key with its id. With other digits it is one as well, or is not for the same reason.
fn key(line: &str) -> bool {
    let said = |line: &str| match line.parse::<Jwk>() {
        Ok(jwk) => format!("{jwk:?}"),
        Err(error) => format!("{error:?} {error}"),
    };
    if let Some(at) = line.find([':', '=']) {
        let (name, secret) = line.split_at(at + 1);
        assert_eq!(said(line), said(&format!("{name}{}", secret.replace(is_digit, "0"))));
    }
    let Ok(read) = line.parse::<Jwk>() else { return false };
    let again: Jwk =
        format!("{}={}", line.split([':', '=']).next().unwrap_or_default(), hex(&read))
            .parse()
            .expect("it is the same");
    assert!(again.kid() == read.kid() && again.key() == read.key());
    true
}

fn is_digit(character: char) -> bool {
    character.is_ascii_hexdigit()
}

fn hex(jwk: &Jwk) -> String {
    jwk.key().iter().map(|octet| format!("{octet:02X}")).collect()
}

/// What is quoted is short and fits on a line.
fn quotes(text: &str) {
    let quoted = quote(text);
    assert!(quoted.chars().count() <= 65 && !quoted.contains(char::is_control));
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEDS: &[&[u8]] = &[
        include_bytes!("../../../fuzz/seeds/text/hex"),
        include_bytes!("../../../fuzz/seeds/text/base64url"),
        include_bytes!("../../../fuzz/seeds/text/uuid"),
        include_bytes!("../../../fuzz/seeds/text/list"),
    ];

    #[test]
    fn seeds_get_through() {
        assert!(SEEDS.iter().all(|seed| text(seed)));
    }

    #[test]
    fn garbage_does_not() {
        for garbage in [&b""[..], b"\xff", b":", b"AQI:AQI", b"# 01:02", b"=\n:\n\r\n"] {
            assert!(!text(garbage));
        }
    }
}

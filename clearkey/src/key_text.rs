//! Keys as people write them: `KID:KEY`, and one of these a line.

use std::str::FromStr;

use data_encoding::HEXLOWER_PERMISSIVE;
use zeroize::Zeroizing;

use crate::{Error, Jwk, KeyOctets, base64url};

/// Splits a name from its key, at the first `:` or `=`: 32 hex digits, or 22 characters of base64url.
/// What the name may be is for the caller to say.
///
/// ```
/// let (track, key) = clearkey::key_text::split("2:3a2a1b68dd2bd9b2eeb25e84c4776668")?;
/// assert_eq!((track, key[0]), ("2", 0x3a));
/// # Ok::<(), clearkey::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::KeyPairText`] and [`Error::KeyText`], which quote nothing.
pub fn split(text: &str) -> Result<(&str, KeyOctets), Error> {
    let (name, key) = text.split_once([':', '=']).ok_or(Error::KeyPairText)?;
    let octets = match key.len() {
        32 => HEXLOWER_PERMISSIVE.decode(key.as_bytes()).ok(),
        _ => base64url::decode(key).ok(),
    };
    let octets = Zeroizing::new(octets.ok_or(Error::KeyText)?);
    let mut key = KeyOctets::default();
    if octets.len() != key.len() {
        return Err(Error::KeyText);
    }
    key.copy_from_slice(&octets);
    Ok((name, key))
}

/// The lines of a list of keys with their numbers, from 1 on. `#` begins a comment; what is empty then
/// is left out.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bare = |line: &'_ str| line.split('#').next().unwrap_or_default().trim().len();
    (1..).zip(text.lines()).filter_map(move |(number, line)| {
        let line = line.trim_start();
        let len = bare(line);
        (len > 0).then(|| (number, &line[..len]))
    })
}

/// Reads `KID:KEY`. The key id is in any of the spellings of [`KeyId`](crate::KeyId).
impl FromStr for Jwk {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (kid, key) = split(text)?;
        Ok(Self::with_key(kid.parse()?, &key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyId;

    const KID: &str = "10000000100010001000100000000001";
    const KEY: &str = "3a2a1b68dd2bd9b2eeb25e84c4776668";

    #[test]
    fn all_ways_to_write_a_key_id_and_a_key_mean_the_same() {
        let kid: KeyId = KID.parse().unwrap();
        for id in [KID, "10000000-1000-1000-1000-100000000001", "EAAAABAAEAAQABAAAAAAAQ"] {
            for key in [KEY, "3A2A1B68DD2BD9B2EEB25E84C4776668", "OiobaN0r2bLusl6ExHdmaA"] {
                for separator in [':', '='] {
                    let jwk: Jwk = format!("{id}{separator}{key}").parse().unwrap();
                    assert_eq!((jwk.kid(), jwk.key()[..2].as_ref()), (&kid, [0x3a, 0x2a].as_ref()));
                }
            }
        }
    }

    #[test]
    fn an_error_does_not_show_the_key() {
        for (text, expected) in [
            (KEY.to_owned(), "no `:` in it; a key is written KID:KEY"),
            (
                format!("{KID}:{KEY}00"),
                "behind `:` is no key: 32 hex digits, or 22 characters of base64url",
            ),
            (
                format!("{KID}:zz{}", &KEY[2..]),
                "behind `:` is no key: 32 hex digits, or 22 characters of base64url",
            ),
            (
                format!("kid!:{KEY}"),
                "\"kid!\" is no key id: 32 hex digits, a UUID with dashes, or base64url without \
                 padding of 1 to 512 octets",
            ),
        ] {
            assert_eq!(text.parse::<Jwk>().unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_list_has_comments_and_empty_lines() {
        let text = "# keys\r\n\r\n  a:b  # the first\n\t\nc:d\n#e:f";
        assert_eq!(lines(text).collect::<Vec<_>>(), [(3, "a:b"), (5, "c:d")]);
    }
}

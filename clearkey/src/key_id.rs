//! The name of a key.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Serialize, Serializer};

use crate::quote::quote;
use crate::{Error, base64url, limits};

/// A key id: 1 to [`limits::KEY_ID`] octets that name a key.
///
/// MP4 has key ids of 16 octets (ISO/IEC 23001-7); WebM and licenses may have any length. The
/// order is that of the octets, as EME sorts its key status map. `Display`, `Debug` and `Serialize`
/// show lower-case hex. A clone allocates nothing.
///
/// ```
/// use clearkey::KeyId;
///
/// let kid = KeyId::new([0x01, 0x02])?;
/// assert_eq!(kid.to_string(), "0102");
/// assert_eq!("AQI".parse(), Ok(kid));
/// # Ok::<(), clearkey::Error>(())
/// ```
#[derive(Clone)]
pub struct KeyId(Octets);

/// One form per length, or comparing would need more care: 16 octets are always `Sixteen`.
#[derive(Clone)]
enum Octets {
    Sixteen([u8; 16]),
    Other(Arc<[u8]>),
}

impl KeyId {
    /// Takes octets as a key id.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if there are none, or more than [`limits::KEY_ID`].
    pub fn new(octets: impl AsRef<[u8]>) -> Result<Self, Error> {
        let octets = octets.as_ref();
        limits::check("key id", octets.len(), 1..=limits::KEY_ID)?;
        Ok(match <[u8; 16]>::try_from(octets) {
            Ok(sixteen) => Self::from(sixteen),
            Err(_) => Self(Octets::Other(octets.into())),
        })
    }

    /// The octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Octets::Sixteen(octets) => octets,
            Octets::Other(octets) => octets,
        }
    }

    /// Whether all octets are zero. Such an id is a legal name, but packagers also write it where
    /// they mean none.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.as_bytes().iter().all(|octet| *octet == 0)
    }
}

impl From<[u8; 16]> for KeyId {
    fn from(octets: [u8; 16]) -> Self {
        Self(Octets::Sixteen(octets))
    }
}

/// Reads the spellings in which people pass key ids around, tried in this order:
///
/// ```text
/// 7e571d037e571d037e571d037e571d03        32 hex digits
/// 7e571d03-7e57-1d03-7e57-1d037e571d03    a UUID: hex digits 8-4-4-4-12
/// flcdA35XHQN-Vx0DflcdAw                  base64url of 1 to 512 octets
/// ```
///
/// The first two would be base64url as well, of 24 and 27 octets; nobody means that. Nor does anybody
/// who writes 30 to 34 hex digits that are not 32: a digit too few or too many is refused.
impl FromStr for KeyId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        hex(text)
            .or_else(|| uuid(text))
            .or_else(|| base64url::decode(text).ok().filter(|_| !is_mistyped_hex(text)))
            .and_then(|octets| Self::new(octets).ok())
            .ok_or_else(|| Error::KeyIdText { text: quote(text) })
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    (text.len() == 32).then(|| HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()).flatten()
}

fn is_mistyped_hex(text: &str) -> bool {
    (30..=34).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn uuid(text: &str) -> Option<Vec<u8>> {
    let dashed = text.len() == 36 && text.match_indices('-').map(|(at, _)| at).eq([8, 13, 18, 23]);
    dashed.then(|| hex(&text.replace('-', ""))).flatten()
}

/// Equality, order and hash are those of the octets, so a map can be asked with octets alone.
impl Borrow<[u8]> for KeyId {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for KeyId {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for KeyId {}

impl Ord for KeyId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl PartialOrd for KeyId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for KeyId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        HEXLOWER.encode_display(self.as_bytes()).fmt(f)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::{BuildHasher, RandomState};

    use super::*;

    const HEX: &str = "7e571d037e571d037e571d037e571d03";

    #[test]
    fn one_to_512_octets_are_a_key_id() {
        for len in [1, 4, 15, 16, 17, 20, 512] {
            assert_eq!(KeyId::new(vec![7; len]).unwrap().as_bytes(), vec![7; len]);
        }
        for len in [0, 513] {
            assert_eq!(
                KeyId::new(vec![7; len]),
                Err(Error::Length { what: "key id", len, allowed: 1..=512 })
            );
        }
    }

    #[test]
    fn three_spellings_are_read() {
        let kid = KeyId::from([
            0x7e, 0x57, 0x1d, 0x03, 0x7e, 0x57, 0x1d, 0x03, 0x7e, 0x57, 0x1d, 0x03, 0x7e, 0x57,
            0x1d, 0x03,
        ]);
        for text in [
            HEX,
            "7E571D037E571D037E571D037E571D03",
            "7e571d03-7e57-1d03-7e57-1d037e571d03",
            "7E571D03-7E57-1D03-7E57-1D037E571D03",
            "flcdA35XHQN-Vx0DflcdAw",
        ] {
            assert_eq!(text.parse(), Ok(kid.clone()), "{text}");
        }
        assert_eq!(kid.to_string(), HEX);
        assert_eq!(format!("{kid:?}"), format!("KeyId({HEX})"));
        assert_eq!(serde_json::to_string(&kid).unwrap(), format!("\"{HEX}\""));
    }

    #[test]
    fn what_only_resembles_hex_or_a_uuid_is_base64url() {
        assert_eq!("7e571d".parse(), KeyId::new(base64url::decode("7e571d").unwrap()));
        let shifted = "7e571d0-37e57-1d03-7e57-1d037e571d03";
        assert_eq!(shifted.parse::<KeyId>().unwrap().as_bytes().len(), 27);
    }

    #[test]
    fn a_hex_digit_too_few_or_too_many_is_refused() {
        for len in 28..=36 {
            let text = &"7e571d03".repeat(5)[..len];
            let is_read = text.parse::<KeyId>().is_ok();
            // A length of 4n + 1 is no base64url either.
            assert_eq!(is_read, [28, 32, 35, 36].contains(&len), "{len}");
        }
        // With one letter that is no hex digit it is meant as base64url.
        assert!("7e571d037e571d037e571d037e571dZZ".parse::<KeyId>().is_ok());
    }

    #[test]
    fn other_spellings_are_refused() {
        let too_long = "A".repeat(684);
        for text in ["", "A", "AQI=", "AQ I", "{7e571d03}", "0x7e571d03+", &too_long] {
            assert_eq!(
                text.parse::<KeyId>(),
                Err(Error::KeyIdText { text: quote(text) }),
                "{text}"
            );
        }
        assert_eq!("A".repeat(683).parse::<KeyId>().unwrap().as_bytes().len(), 512);
    }

    #[test]
    fn order_and_equality_are_those_of_the_octets() {
        let mut kids = [vec![2], vec![1; 16], vec![1; 17], vec![1], vec![0; 512]]
            .map(|octets| KeyId::new(octets).unwrap());
        kids.sort();
        let sorted: Vec<_> =
            kids.iter().map(|kid| (kid.as_bytes()[0], kid.as_bytes().len())).collect();
        assert_eq!(sorted, [(0, 512), (1, 1), (1, 16), (1, 17), (2, 1)]);
        let set: HashSet<_> = kids.iter().cloned().chain(kids.iter().cloned()).collect();
        assert_eq!(set.len(), kids.len());
        // Octets alone are enough to ask with, so hashes are theirs.
        assert!(kids.iter().all(|kid| set.contains(kid.as_bytes())));
        let hasher = RandomState::new();
        assert!(kids.iter().all(|kid| hasher.hash_one(kid) == hasher.hash_one(kid.as_bytes())));
    }

    #[test]
    fn zero_is_told_from_the_rest() {
        assert!(KeyId::from([0; 16]).is_zero());
        assert!(KeyId::new([0]).unwrap().is_zero());
        assert!(!KeyId::new([0, 1]).unwrap().is_zero());
    }
}

//! One key of a license.

use std::fmt;

use zeroize::Zeroizing;

use crate::json::{Document, Node};
use crate::quote::quote;
use crate::{Error, KeyId, base64url, limits};

/// The octets of a key, which are wiped when they go. They are on the heap: what is moved leaves a copy where it was,
/// and nobody wipes that.
pub type KeyOctets = Box<Zeroizing<[u8; limits::KEY]>>;

/// A key with its name: a JSON Web Key (RFC 7517) of type `oct`.
///
/// The key is wiped when this goes, and `Debug` leaves it out.
pub struct Jwk {
    kid: KeyId,
    key: KeyOctets,
}

impl Clone for Jwk {
    fn clone(&self) -> Self {
        Self::with_key(self.kid.clone(), &self.key)
    }
}

impl Jwk {
    /// Gives a key its name. Wiping what is left of `key` where it was is for the caller, who can do so only with
    /// [`with_key`](Self::with_key).
    #[must_use]
    pub fn new(kid: KeyId, key: [u8; limits::KEY]) -> Self {
        Self::with_key(kid, &key)
    }

    /// The same of a key that lies somewhere. Wiping that stays with the caller.
    #[must_use]
    pub fn with_key(kid: KeyId, key: &[u8; limits::KEY]) -> Self {
        let mut jwk = Self { kid, key: KeyOctets::default() };
        jwk.key.copy_from_slice(key);
        jwk
    }

    /// The name.
    #[must_use]
    pub fn kid(&self) -> &KeyId {
        &self.kid
    }

    /// The key. Whoever copies it wipes the copy.
    #[must_use]
    pub fn key(&self) -> &[u8; limits::KEY] {
        &self.key
    }

    /// Reads the keys of a JWK set (RFC 7517, section 5), at least one. It may be of any length: this is
    /// for who keeps keys. What a license may be, [`License::parse`](crate::License::parse) knows.
    ///
    /// # Errors
    ///
    /// [`Error::Utf8`] and [`Error::Json`] for the set as a whole, one of the `Error::Member…` variants
    /// for a member of it.
    pub fn parse_set(set: &[u8]) -> Result<Vec<Self>, Error> {
        Self::read_set(&Document::read(set)?.root())
    }

    pub(super) fn read_set(root: &Node<'_>) -> Result<Vec<Self>, Error> {
        let member = root.required("keys")?;
        let elements = member.elements()?;
        // Room for all from the start: a list that grows leaves keys behind.
        let mut keys = Vec::with_capacity(elements.len());
        for element in elements {
            keys.push(Self::read(&element)?);
        }
        Ok(keys)
    }

    /// Reads an element of `keys`. `alg`, `use`, `key_ops` and the rest say nothing to ClearKey.
    fn read(element: &Node<'_>) -> Result<Self, Error> {
        let kty = element.required("kty")?;
        let name = kty.text()?;
        if name != "oct" {
            // It may be a key that is in the wrong place.
            let found = if name.len() < limits::KEY { quote(name) } else { "…".to_owned() };
            return Err(Error::MemberValue {
                path: kty.path().to_owned(),
                expected: "\"oct\"",
                found,
            });
        }
        let kid = KeyId::new(&*element.required("kid")?.octets("key id", 1..=limits::KEY_ID)?)?;
        let octets = element.required("k")?.octets("key", limits::KEY..=limits::KEY)?;
        let mut jwk = Self { kid, key: KeyOctets::default() };
        jwk.key.copy_from_slice(&octets);
        Ok(jwk)
    }

    /// The octets that [`write`](Self::write) adds.
    pub(super) fn json_len(&self) -> usize {
        let base64_len = |octets: usize| (octets * 4).div_ceil(3);
        let around: usize = PIECES.iter().map(|piece| piece.len()).sum();
        around + base64_len(limits::KEY) + base64_len(self.kid.as_bytes().len())
    }

    /// Writes an element of `keys`.
    pub(super) fn write(&self, json: &mut Zeroizing<Vec<u8>>) {
        let k = Zeroizing::new(base64url::encode(&self.key[..]));
        let kid = base64url::encode(self.kid.as_bytes());
        let [before, between, behind] = PIECES;
        for piece in [before, &k, between, &kid, behind] {
            json.extend_from_slice(piece.as_bytes());
        }
    }
}

/// What stands around `k` and `kid`.
const PIECES: [&str; 3] = [r#"{"kty":"oct","k":""#, r#"","kid":""#, r#""}"#];

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk").field("kid", &self.kid).finish_non_exhaustive()
    }
}

//! One key of a license.

use std::fmt;

use zeroize::Zeroizing;

use crate::json::Node;
use crate::quote::quote;
use crate::{Error, KeyId, limits};

/// A key with its name: a JSON Web Key (RFC 7517) of type `oct`.
///
/// The key is wiped when this goes, and `Debug` leaves it out.
#[derive(Clone)]
pub struct Jwk {
    kid: KeyId,
    key: Zeroizing<[u8; limits::KEY]>,
}

impl Jwk {
    /// Gives a key its name.
    #[must_use]
    pub fn new(kid: KeyId, key: [u8; limits::KEY]) -> Self {
        Self { kid, key: Zeroizing::new(key) }
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

    /// Reads an element of `keys`. `alg`, `use`, `key_ops` and the rest say nothing to ClearKey.
    pub(super) fn read(element: &Node<'_>) -> Result<Self, Error> {
        let kty = element.required("kty")?;
        if kty.text()? != "oct" {
            return Err(Error::MemberValue {
                path: kty.path().to_owned(),
                expected: "\"oct\"",
                found: quote(kty.text()?),
            });
        }
        let kid = KeyId::new(&*element.required("kid")?.octets("key id", 1..=limits::KEY_ID)?)?;
        let octets = element.required("k")?.octets("key", limits::KEY..=limits::KEY)?;
        let mut key = Zeroizing::new([0; limits::KEY]);
        key.copy_from_slice(&octets);
        Ok(Self { kid, key })
    }
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk").field("kid", &self.kid).finish_non_exhaustive()
    }
}

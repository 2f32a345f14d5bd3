//! Keys from a seed: no list of keys is needed where packager and server share one secret.

use std::fmt;

use clearkey::{Jwk, KeyId};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::Error;

/// The octets of a seed that count.
pub(super) const SEED: usize = 30;

/// A key seed as PlayReady has it: packagers that know the seed derive the same keys (Bento4's `mp4dash`, for
/// one, takes `KID:#SEED`).
///
/// The key is three times SHA-256, of seed, key id, seed, key id, cut after the first, second and third of
/// them that follows the first seed, and the six halves combined by exclusive or. The key id goes in as a GUID
/// in memory: its first three numbers with the least octet first.
///
/// It is wiped when it goes, and `Debug` does not show it.
#[derive(Clone)]
pub struct Seed(Box<Zeroizing<[u8; SEED]>>);

impl Seed {
    /// Takes the first 30 octets.
    ///
    /// # Errors
    ///
    /// [`Error::SeedTooShort`].
    pub fn new(octets: &[u8]) -> Result<Self, Error> {
        let octets =
            octets.get(..SEED).ok_or(Error::SeedTooShort { len: octets.len(), least: SEED })?;
        // On the heap: what is moved leaves a copy where it was.
        let mut seed = Box::<Zeroizing<[u8; SEED]>>::default();
        seed.copy_from_slice(octets);
        Ok(Self(seed))
    }

    /// The key for a key id; `None` if that has not 16 octets.
    #[must_use]
    pub fn key(&self, kid: &KeyId) -> Option<Jwk> {
        let mut guid = <[u8; 16]>::try_from(kid.as_bytes()).ok()?;
        guid[..4].reverse();
        guid[4..6].reverse();
        guid[6..8].reverse();
        let seed = &self.0[..];
        let mut key = Zeroizing::new([0; 16]);
        for parts in [&[seed, &guid][..], &[seed, &guid, seed], &[seed, &guid, seed, &guid]] {
            let mut hash = Sha256::new();
            parts.iter().for_each(|part| hash.update(part));
            let digest = Zeroizing::new(<[u8; 32]>::from(hash.finalize()));
            let (front, back) = digest.split_at(16);
            for (octet, (front, back)) in key.iter_mut().zip(front.iter().zip(back)) {
                *octet ^= front ^ back;
            }
        }
        Some(Jwk::with_key(kid.clone(), &key))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64, HEXLOWER};

    use super::*;

    /// The seed of Microsoft's test server, which is public.
    const TEST: &[u8] = b"XVBovsmzhP9gRIZxWfFta3VVRPzVEWmJsazEJ46I";

    #[test]
    fn keys_are_those_that_others_derive() {
        let seed = Seed::new(&BASE64.decode(TEST).unwrap()).unwrap();
        for (kid, expected) in [
            // Of the package cpix of PyPI.
            ("8ba94ade-6eb9-449d-b44f-a5beefaf43b0", "dbfd6922c321c4bb486f4a1c44097ed6"),
            // Of Microsoft's SDK for Azure Media Services.
            ("339c45b5-fb6d-4bd9-994c-eabd9d41c95b", "a537cdc0ca65841406d525e7bf22d754"),
        ] {
            let jwk = seed.key(&kid.parse().unwrap()).unwrap();
            assert_eq!(HEXLOWER.encode(jwk.key()), expected);
            assert_eq!(jwk.kid(), &kid.parse().unwrap());
        }
    }

    #[test]
    fn the_first_30_octets_count() {
        let kid = KeyId::from([1; 16]);
        let key = |octets: &[u8]| *Seed::new(octets).unwrap().key(&kid).unwrap().key();
        let long: Vec<u8> = (0..40).collect();
        assert_eq!(key(&long), key(&long[..30]));
        let refused = Seed::new(&long[..29]).unwrap_err().to_string();
        assert_eq!(refused, "a seed of 29 octets, 30 are needed");
    }

    #[test]
    fn a_key_id_of_another_length_has_no_key() {
        let seed = Seed::new(&[7; 30]).unwrap();
        assert!(seed.key(&KeyId::new([1; 15]).unwrap()).is_none());
    }
}

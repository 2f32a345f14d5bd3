//! The initialization vector of one sample, or the constant one of a track.

use crate::Error;

/// An initialization vector of 16 octets.
///
/// Containers store 8 or 16 octets. Eight are extended with zeros on the right, for every scheme
/// (ISO/IEC 23001-7, 9.2 and 9.3):
///
/// ```text
/// AES-CTR   | octets 0..8, never change | octets 8..16, 64-bit block counter, big-endian |
/// AES-CBC   | octets 0..16, the block before the first one                               |
/// ```
///
/// The counter wraps within its 64 bits and never carries into octets 0..8.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Iv([u8; 16]);

impl Iv {
    /// Takes the octets as a container stores them.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidIvSize`] unless there are 8 or 16 octets.
    pub fn new(octets: &[u8]) -> Result<Self, Error> {
        let mut iv = [0; 16];
        match octets.len() {
            size @ (8 | 16) => iv[..size].copy_from_slice(octets),
            size => return Err(Error::InvalidIvSize { size }),
        }
        Ok(Self(iv))
    }

    /// All 16 octets, zeros included.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<[u8; 16]> for Iv {
    fn from(octets: [u8; 16]) -> Self {
        Self(octets)
    }
}

impl TryFrom<&[u8]> for Iv {
    type Error = Error;

    /// The same as [`Iv::new`].
    fn try_from(octets: &[u8]) -> Result<Self, Error> {
        Self::new(octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_octets_are_extended_on_the_right() {
        let iv = Iv::new(&[1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
        assert_eq!(iv.as_bytes(), &[1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn sixteen_octets_stay() {
        let octets = *b"0123456789abcdef";
        assert_eq!(Iv::try_from(octets.as_slice()).unwrap().as_bytes(), &octets);
    }

    #[test]
    fn other_sizes_are_refused() {
        for size in (0..=40).filter(|size| ![8, 16].contains(size)) {
            assert_eq!(Iv::new(&vec![0; size]), Err(Error::InvalidIvSize { size }));
        }
    }
}

//! The content key of AES-128. It never prints, and it is wiped.

use std::fmt;

use crate::aes::Cipher;
use crate::stack::wipe_below;
use crate::{Error, Kernel};

/// A content key: 16 octets, expanded once for the fastest [`Kernel`] of the CPU, for both
/// directions.
///
/// Making one costs as much as a few dozen blocks of AES, so keep it, behind an `Arc` where several
/// owners need it. It cannot be cloned, shown or read back. Dropping it wipes the memory it lies
/// in; making it, every [batch](crate::decrypt_batch), and dropping it wipe the stack below them. Single samples are too
/// quick for that: [`decrypt_sample`](crate::decrypt_sample) may leave round keys on the stack of its thread, until
/// something else is called.
pub struct Key {
    cipher: Box<dyn Cipher>,
}

impl Key {
    /// Expands the 16 octets of a key. Wiping `octets` stays with the caller.
    #[must_use]
    pub fn new(octets: &[u8; 16]) -> Self {
        Self::on(Kernel::chosen(), octets)
    }

    /// Expands a key for a kernel of one's choice: for tests, and to compare kernels.
    #[must_use]
    pub fn on(kernel: Kernel, octets: &[u8; 16]) -> Self {
        let cipher = kernel.expand(octets);
        wipe_below();
        Self { cipher }
    }

    /// A key for a cipher that a test watches.
    #[cfg(test)]
    pub(crate) fn watched(cipher: Box<dyn Cipher>) -> Self {
        Self { cipher }
    }

    pub(crate) fn cipher(&self) -> &dyn Cipher {
        &*self.cipher
    }
}

impl TryFrom<&[u8]> for Key {
    type Error = Error;

    /// Expands a key whose size is not known beforehand.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKeySize`] unless there are 16 octets.
    fn try_from(octets: &[u8]) -> Result<Self, Error> {
        let octets = octets.try_into().map_err(|_| Error::InvalidKeySize { size: octets.len() })?;
        Ok(Self::new(octets))
    }
}

/// Round keys that this thread's last call has left on the stack go, too.
impl Drop for Key {
    fn drop(&mut self) {
        wipe_below();
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_octets_or_none() {
        for size in 0..=48 {
            match Key::try_from(vec![0; size].as_slice()) {
                Ok(_) => assert_eq!(size, 16),
                Err(error) => assert_eq!(error, Error::InvalidKeySize { size }),
            }
        }
        assert!(Key::try_from([0; 16].as_slice()).is_ok());
    }

    #[test]
    fn debug_is_silent() {
        let key = Key::new(b"\xa5\x5aSECRETSECRET\xff\x01");
        assert_eq!(format!("{key:?}"), "Key(..)");
        assert_eq!(format!("{key:#?}"), "Key(..)");
    }

    #[test]
    fn threads_may_share_it() {
        fn shareable<T: Send + Sync>() {}
        shareable::<Key>();
    }
}

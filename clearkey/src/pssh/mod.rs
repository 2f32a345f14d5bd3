//! `pssh` boxes: what a file tells the key systems (ISO/IEC 23001-7, "Protection System Specific
//! Header Box").
//!
//! ```text
//! size u32 | "pssh" | [largesize u64, if size = 1]
//! version u8 | flags u24 | SystemID 16
//! [KID_count u32 | KID 16 × KID_count, if version = 1]
//! DataSize u32 | Data
//! ```
//!
//! All numbers are big-endian. A size of 0 reaches to the end of the data. Boxes must be exact: the
//! fields fill the box to its last octet, and boxes fill the data.

mod common;
mod read;
mod system_id;
mod write;

pub use common::common_kids;
pub use read::{Boxes, boxes};
pub use system_id::SystemId;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{Error, KeyId, limits};

/// A `pssh` box of version 0 or 1 without flags, which is all that ISO/IEC 23001-7 defines.
///
/// ```
/// use clearkey::KeyId;
/// use clearkey::pssh::{Pssh, PsshBox, SystemId};
///
/// let pssh = Pssh::v1(SystemId::WIDEVINE, vec![KeyId::from([7; 16])], vec![0x08, 0x01])?;
/// assert_eq!(PsshBox::parse(&pssh.to_bytes())?.pssh(), Some(&pssh));
/// # Ok::<(), clearkey::Error>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Pssh {
    /// `None` is version 0, which has no list.
    kids: Option<Vec<KeyId>>,
    system_id: SystemId,
    data: Vec<u8>,
}

impl Pssh {
    /// A box of version 0: no key ids, only data for the system.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for more data than 32 bits can count.
    pub fn v0(system_id: SystemId, data: Vec<u8>) -> Result<Self, Error> {
        check_data(data.len())?;
        Ok(Self { kids: None, system_id, data })
    }

    /// A box of version 1: key ids, and data for the system.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for a key id that has not 16 octets, or for more data than 32 bits can
    /// count, [`Error::TooManyKeyIds`] for more key ids than that.
    pub fn v1(system_id: SystemId, kids: Vec<KeyId>, data: Vec<u8>) -> Result<Self, Error> {
        for kid in &kids {
            limits::check("key id of a pssh box", kid.as_bytes().len(), 16..=16)?;
        }
        if u32::try_from(kids.len()).is_err() {
            return Err(Error::TooManyKeyIds { count: kids.len(), limit: u32::MAX as usize });
        }
        check_data(data.len())?;
        Ok(Self { kids: Some(kids), system_id, data })
    }

    /// The box that says key ids to ClearKey: common system, version 1, no data.
    ///
    /// # Errors
    ///
    /// As [`Pssh::v1`].
    pub fn common(kids: Vec<KeyId>) -> Result<Self, Error> {
        Self::v1(SystemId::COMMON, kids, Vec::new())
    }

    /// 0 or 1.
    #[must_use]
    pub fn version(&self) -> u8 {
        u8::from(self.kids.is_some())
    }

    /// The key system that the box is for.
    #[must_use]
    pub fn system_id(&self) -> SystemId {
        self.system_id
    }

    /// The key ids, in order. A box of version 0 has none; in version 1 an empty list stands for
    /// all keys.
    #[must_use]
    pub fn kids(&self) -> &[KeyId] {
        self.kids.as_deref().unwrap_or_default()
    }

    /// What the box says to its system and to nobody else.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The box, in the shortest form of its header.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        write::pssh(self)
    }

    /// The box in standard base64 with padding, as manifests carry it.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.to_bytes())
    }
}

fn check_data(len: usize) -> Result<(), Error> {
    limits::check("data of a pssh box", len, 0..=u32::MAX as usize)
}

/// A `pssh` box as a file has it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PsshBox {
    /// A box that was read in full.
    Known(Pssh),
    /// A box of a later version, or with flags: its fields may be others, so only its size was
    /// believed.
    Opaque {
        /// The version.
        version: u8,
        /// The flags, 24 bits.
        flags: u32,
        /// What comes after them.
        rest: Vec<u8>,
    },
}

impl PsshBox {
    /// Reads one box, which must fill `bytes`.
    ///
    /// # Errors
    ///
    /// One of the `Error::Box…` variants, with offsets into `bytes`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        read::single(bytes)
    }

    /// The box, if it was read in full.
    #[must_use]
    pub fn pssh(&self) -> Option<&Pssh> {
        match self {
            Self::Known(pssh) => Some(pssh),
            Self::Opaque { .. } => None,
        }
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> u8 {
        match self {
            Self::Known(pssh) => pssh.version(),
            Self::Opaque { version, .. } => *version,
        }
    }

    /// The box, in the shortest form of its header.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Known(pssh) => pssh.to_bytes(),
            Self::Opaque { version, flags, rest } => write::opaque(*version, *flags, rest),
        }
    }

    /// The box in standard base64 with padding, as manifests carry it.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_key_ids_of_16_octets_fit() {
        assert_eq!(
            Pssh::common(vec![KeyId::from([1; 16]), KeyId::new([1; 4]).unwrap()]),
            Err(Error::Length { what: "key id of a pssh box", len: 4, allowed: 16..=16 })
        );
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn data_fit_into_their_32_bit_size() {
        assert_eq!(check_data(u32::MAX as usize), Ok(()));
        assert!(check_data(u32::MAX as usize + 1).is_err());
    }

    #[test]
    fn versions_follow_from_the_constructor() {
        let pssh = Pssh::v0(SystemId::PLAYREADY, vec![1, 2]).unwrap();
        assert_eq!((pssh.version(), pssh.kids(), pssh.data()), (0, &[][..], &[1, 2][..]));
        assert_eq!(Pssh::common(Vec::new()).unwrap().version(), 1);
    }
}

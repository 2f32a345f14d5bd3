//! Samples on their way through the CDM.

use std::mem::offset_of;

use crate::{Destructors, EncryptionScheme, Object};

/// `InputBuffer_2`: a sample, and how it is encrypted.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct InputBuffer2 {
    /// The sample.
    pub data: *const u8,
    /// Its octets.
    pub data_size: u32,
    /// How it is encrypted.
    pub encryption_scheme: EncryptionScheme,
    /// With which key.
    pub key_id: *const u8,
    /// The octets of the key id.
    pub key_id_size: u32,
    /// The IV.
    pub iv: *const u8,
    /// Its octets: 8 or 16, or 0 where nothing is protected.
    pub iv_size: u32,
    /// What is clear and what is not, in order; none if all is protected.
    pub subsamples: *const SubsampleEntry,
    /// Their number.
    pub num_subsamples: u32,
    /// Nothing; the interface keeps it free.
    pub padding: u32,
    /// The pattern in protected ranges, for `cbcs`.
    pub pattern: Pattern,
    /// When the sample is presented, in microseconds.
    pub timestamp: i64,
}

/// Clear octets, then encrypted ones.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(C)]
pub struct SubsampleEntry {
    /// Clear octets.
    pub clear_bytes: u32,
    /// Encrypted octets after them.
    pub cipher_bytes: u32,
}

/// Which blocks of a protected range are encrypted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(C)]
pub struct Pattern {
    /// Blocks that are.
    pub crypt_byte_block: u32,
    /// Blocks after them that are not.
    pub skip_byte_block: u32,
}

/// Memory of the host's.
pub type Buffer = Object<BufferVtable>;

/// The methods of [`Buffer`].
#[derive(Debug)]
#[repr(C)]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct BufferVtable {
    pub destroy: unsafe extern "C" fn(*mut Buffer),
    pub capacity: unsafe extern "C" fn(*const Buffer) -> u32,
    pub data: unsafe extern "C" fn(*mut Buffer) -> *mut u8,
    pub set_size: unsafe extern "C" fn(*mut Buffer, size: u32),
    pub size: unsafe extern "C" fn(*const Buffer) -> u32,
    pub destructors: Destructors,
}

/// Where a decrypted sample is put.
pub type DecryptedBlock = Object<DecryptedBlockVtable>;

/// The methods of [`DecryptedBlock`].
#[derive(Debug)]
#[repr(C)]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct DecryptedBlockVtable {
    /// Takes the buffer over.
    pub set_decrypted_buffer: unsafe extern "C" fn(*mut DecryptedBlock, *mut Buffer),
    pub decrypted_buffer: unsafe extern "C" fn(*mut DecryptedBlock) -> *mut Buffer,
    pub set_timestamp: unsafe extern "C" fn(*mut DecryptedBlock, timestamp: i64),
    pub timestamp: unsafe extern "C" fn(*const DecryptedBlock) -> i64,
    pub destructors: Destructors,
}

const _: () = {
    assert!(size_of::<InputBuffer2>() == 80);
    assert!(offset_of!(InputBuffer2, data) == 0);
    assert!(offset_of!(InputBuffer2, data_size) == 8);
    assert!(offset_of!(InputBuffer2, encryption_scheme) == 12);
    assert!(offset_of!(InputBuffer2, key_id) == 16);
    assert!(offset_of!(InputBuffer2, key_id_size) == 24);
    assert!(offset_of!(InputBuffer2, iv) == 32);
    assert!(offset_of!(InputBuffer2, iv_size) == 40);
    assert!(offset_of!(InputBuffer2, subsamples) == 48);
    assert!(offset_of!(InputBuffer2, num_subsamples) == 56);
    assert!(offset_of!(InputBuffer2, pattern) == 64);
    assert!(offset_of!(InputBuffer2, timestamp) == 72);
    assert!(size_of::<SubsampleEntry>() == 8);
    assert!(offset_of!(SubsampleEntry, cipher_bytes) == 4);
    assert!(size_of::<Pattern>() == 8);
    assert!(offset_of!(Pattern, skip_byte_block) == 4);
    assert!(size_of::<BufferVtable>() == (5 + 2) * 8);
    assert!(size_of::<DecryptedBlockVtable>() == (4 + 2) * 8);
};

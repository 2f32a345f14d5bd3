//! The host's memory for a decrypted sample.

#![allow(unsafe_code, reason = "methods of C++ objects")]

use std::{
    ptr::{NonNull, copy_nonoverlapping},
    slice::from_raw_parts_mut,
};

use cdm_abi::{Buffer, DecryptedBlock};

use crate::host::Host;

/// A buffer of the host's, with content; destroyed unless it becomes an [`Output`]'s.
pub(crate) struct HostBuffer {
    object: NonNull<Buffer>,
    data: NonNull<u8>,
    len: usize,
}

impl HostBuffer {
    /// A buffer with this content, if the host has room.
    pub(crate) fn copy(host: &Host, content: &[u8]) -> Option<Self> {
        let size = u32::try_from(content.len()).ok()?;
        let object = host.allocate(size)?;
        let this = object.as_ptr();
        let mut buffer = Self { object, data: NonNull::dangling(), len: 0 };
        // SAFETY: a buffer that the host has just given away: ours until `destroy`, or until a block
        // takes it over.
        let (capacity, data) =
            unsafe { (((*(*this).vtable).capacity)(this), ((*(*this).vtable).data)(this)) };
        if !content.is_empty() {
            if capacity < size {
                return None;
            }
            buffer.data = NonNull::new(data)?;
            // SAFETY: there is room, as just seen, and what the host has just given away is not where
            // the content is.
            unsafe { copy_nonoverlapping(content.as_ptr(), data, content.len()) };
            buffer.len = content.len();
        }
        // SAFETY: as above; so many octets are written now.
        unsafe { ((*(*this).vtable).set_size)(this, size) };
        Some(buffer)
    }

    pub(crate) fn content(&mut self) -> &mut [u8] {
        // SAFETY: `copy` has written so many octets there, or there are none; the host has given the
        // buffer away, and this borrows it alone.
        unsafe { from_raw_parts_mut(self.data.as_ptr(), self.len) }
    }
}

impl Drop for HostBuffer {
    fn drop(&mut self) {
        let this = self.object.as_ptr();
        // SAFETY: ours, and not used after this.
        unsafe { ((*(*this).vtable).destroy)(this) };
    }
}

/// Where a decrypted sample goes.
pub(crate) struct Output {
    block: NonNull<DecryptedBlock>,
}

impl Output {
    /// # Safety
    ///
    /// `block` is an object of the host's that lives as long as the result.
    pub(crate) unsafe fn new(block: NonNull<DecryptedBlock>) -> Self {
        Self { block }
    }

    /// Makes the buffer the host's again.
    pub(crate) fn put(self, buffer: HostBuffer, timestamp: i64) {
        let (this, object) = (self.block.as_ptr(), buffer.object.as_ptr());
        std::mem::forget(buffer);
        // SAFETY: `new`'s caller upholds that this is the host's block; it takes over a buffer of its
        // own.
        unsafe {
            ((*(*this).vtable).set_decrypted_buffer)(this, object);
            ((*(*this).vtable).set_timestamp)(this, timestamp);
        }
    }
}

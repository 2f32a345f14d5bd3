//! The host's `Buffer` and `DecryptedBlock`.

use std::{cell::Cell, ptr, rc::Rc};

use cdm_abi::{Buffer, BufferVtable, DecryptedBlock, DecryptedBlockVtable, Destructors, Table};

/// A buffer, which ends with its `Destroy`.
#[repr(C)]
struct Memory {
    vtable: *const BufferVtable,
    data: Vec<u8>,
    size: u32,
    /// How many buffers there are.
    count: Rc<Cell<usize>>,
}

/// A buffer for a CDM. What is in it is not what will be.
pub(crate) fn create(capacity: u32, count: &Rc<Cell<usize>>) -> *mut Buffer {
    count.set(count.get() + 1);
    let data = vec![0xee; capacity as usize];
    let memory = Memory { vtable: &BUFFER.slots, data, size: 0, count: Rc::clone(count) };
    Box::into_raw(Box::new(memory)).cast()
}

static BUFFER: Table<BufferVtable> = Table::new(BufferVtable {
    destroy,
    capacity,
    data,
    set_size,
    size,
    destructors: Destructors::NONE,
});

// Of all methods:
//
// # Safety
//
// The CDM calls them on a buffer that it got from `Allocate` and has neither destroyed nor given away,
// or the host does when it has it back.

unsafe extern "C" fn destroy(this: *mut Buffer) {
    // SAFETY: the caller upholds it: `create` made this of a box.
    let memory = unsafe { Box::from_raw(this.cast::<Memory>()) };
    memory.count.set(memory.count.get() - 1);
}

unsafe extern "C" fn capacity(this: *const Buffer) -> u32 {
    // SAFETY: the caller upholds it.
    let memory = unsafe { &*this.cast::<Memory>() };
    u32::try_from(memory.data.len()).expect("`Allocate` takes 32 bits")
}

unsafe extern "C" fn data(this: *mut Buffer) -> *mut u8 {
    // SAFETY: the caller upholds it.
    let memory = unsafe { &mut *this.cast::<Memory>() };
    if memory.data.is_empty() { ptr::null_mut() } else { memory.data.as_mut_ptr() }
}

unsafe extern "C" fn set_size(this: *mut Buffer, size: u32) {
    // SAFETY: the caller upholds it.
    unsafe { (*this.cast::<Memory>()).size = size };
}

unsafe extern "C" fn size(this: *const Buffer) -> u32 {
    // SAFETY: the caller upholds it.
    unsafe { (*this.cast::<Memory>()).size }
}

/// Where a CDM puts a decrypted sample.
#[repr(C)]
pub(crate) struct Block {
    vtable: *const DecryptedBlockVtable,
    buffer: *mut Buffer,
    timestamp: i64,
}

impl Block {
    pub(crate) fn new() -> Self {
        Self { vtable: &BLOCK.slots, buffer: ptr::null_mut(), timestamp: 0 }
    }

    /// Calls `with` with what was put here, if anything was.
    pub(crate) fn take<T>(&mut self, with: impl FnOnce(&[u8], i64) -> T) -> Option<T> {
        if self.buffer.is_null() {
            return None;
        }
        let buffer = std::mem::replace(&mut self.buffer, ptr::null_mut());
        // SAFETY: a buffer of `create`'s, which the CDM has given away with this block.
        unsafe {
            let memory = &*buffer.cast::<Memory>();
            let result = with(&memory.data[..memory.size as usize], self.timestamp);
            destroy(buffer);
            Some(result)
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.take(|_, _| ());
    }
}

static BLOCK: Table<DecryptedBlockVtable> = Table::new(DecryptedBlockVtable {
    set_decrypted_buffer,
    decrypted_buffer,
    set_timestamp,
    timestamp,
    destructors: Destructors::NONE,
});

// Of all methods: the CDM calls them during the `Decrypt` to which the block was passed.

unsafe extern "C" fn set_decrypted_buffer(this: *mut DecryptedBlock, buffer: *mut Buffer) {
    // SAFETY: the CDM upholds it.
    unsafe { (*this.cast::<Block>()).buffer = buffer };
}

unsafe extern "C" fn decrypted_buffer(this: *mut DecryptedBlock) -> *mut Buffer {
    // SAFETY: the CDM upholds it.
    unsafe { (*this.cast::<Block>()).buffer }
}

unsafe extern "C" fn set_timestamp(this: *mut DecryptedBlock, timestamp: i64) {
    // SAFETY: the CDM upholds it.
    unsafe { (*this.cast::<Block>()).timestamp = timestamp };
}

unsafe extern "C" fn timestamp(this: *const DecryptedBlock) -> i64 {
    // SAFETY: the CDM upholds it.
    unsafe { (*this.cast::<Block>()).timestamp }
}

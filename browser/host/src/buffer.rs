//! The host's `Buffer` and `DecryptedBlock`.

use std::{
    cell::{Cell, RefCell},
    ptr,
    rc::Rc,
};

use cdm_abi::{Buffer, BufferVtable, DecryptedBlock, DecryptedBlockVtable, Destructors, Table};

/// A buffer, which ends with its `Destroy`.
#[repr(C)]
struct Memory {
    vtable: *const BufferVtable,
    data: Vec<u8>,
    capacity: u32,
    size: u32,
    pool: Rc<Pool>,
}

/// The host's memory. What is given back is given out again, as browsers do.
#[derive(Default)]
pub(crate) struct Pool {
    free: RefCell<Vec<Vec<u8>>>,
    /// How many buffers there are.
    pub(crate) count: Cell<usize>,
    /// Whether a new buffer's size is all that it has room for.
    pub(crate) begins_full: Cell<bool>,
}

/// A buffer for a CDM. What is in it is not what will be.
pub(crate) fn create(capacity: u32, pool: &Rc<Pool>) -> *mut Buffer {
    pool.count.set(pool.count.get() + 1);
    let mut data = pool.free.borrow_mut().pop().unwrap_or_default();
    if data.len() < capacity as usize {
        data.resize(capacity as usize, 0xee);
    }
    let size = if pool.begins_full.get() { capacity } else { 0 };
    let memory = Memory { vtable: &BUFFER.slots, data, capacity, size, pool: Rc::clone(pool) };
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
    let Memory { pool, data, .. } = *unsafe { Box::from_raw(this.cast::<Memory>()) };
    pool.count.set(pool.count.get() - 1);
    pool.free.borrow_mut().push(data);
}

unsafe extern "C" fn capacity(this: *const Buffer) -> u32 {
    // SAFETY: the caller upholds it.
    unsafe { (*this.cast::<Memory>()).capacity }
}

unsafe extern "C" fn data(this: *mut Buffer) -> *mut u8 {
    // SAFETY: the caller upholds it.
    let memory = unsafe { &mut *this.cast::<Memory>() };
    if memory.capacity == 0 { ptr::null_mut() } else { memory.data.as_mut_ptr() }
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

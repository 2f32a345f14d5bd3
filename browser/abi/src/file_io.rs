//! Storage of the host's: named files of one origin, read and written whole.

use std::ffi::c_char;

use crate::{Destructors, FileStatus, Object};

/// A file of the host's, for one operation at a time. A name is 1 to 255 letters, digits and `._-`, and
/// does not begin with `_`. A file that was never written is empty; there is no way to delete one.
pub type FileIo = Object<FileIoVtable>;

/// The methods of [`FileIo`].
#[derive(Debug)]
#[repr(C)]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct FileIoVtable {
    pub open: unsafe extern "C" fn(*mut FileIo, *const c_char, u32),
    pub read: unsafe extern "C" fn(*mut FileIo),
    /// Replaces the content; not atomically.
    pub write: unsafe extern "C" fn(*mut FileIo, *const u8, u32),
    /// Ends the object; whatever is under way is not answered any more.
    pub close: unsafe extern "C" fn(*mut FileIo),
    pub destructors: Destructors,
}

/// Who is told what came of an operation: an object of the CDM's.
pub type FileIoClient = Object<FileIoClientVtable>;

/// The methods of [`FileIoClient`].
#[derive(Debug)]
#[repr(C)]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct FileIoClientVtable {
    pub on_open_complete: unsafe extern "C" fn(*mut FileIoClient, FileStatus),
    pub on_read_complete: unsafe extern "C" fn(*mut FileIoClient, FileStatus, *const u8, u32),
    pub on_write_complete: unsafe extern "C" fn(*mut FileIoClient, FileStatus),
    pub destructors: Destructors,
}

const _: () = {
    assert!(size_of::<FileIoVtable>() == (4 + 2) * 8);
    assert!(size_of::<FileIoClientVtable>() == (3 + 2) * 8);
};

//! What a library exports, by name. Module version 4.

use std::{
    ffi::{c_char, c_int, c_void},
    mem::offset_of,
};

/// The versions of the CDM's and the host's objects that these types fit. The two are always asked for
/// with the same number.
pub const INTERFACE_VERSIONS: [c_int; 3] = [10, 11, 12];

/// `InitializeCdmModule_4`
pub type InitializeCdmModule = unsafe extern "C" fn();

/// `DeinitializeCdmModule`
pub type DeinitializeCdmModule = unsafe extern "C" fn();

/// `GetCdmVersion`: text that ends with a NUL and lives for ever.
pub type GetCdmVersion = unsafe extern "C" fn() -> *const c_char;

/// `CreateCdmInstance`: a [`ContentDecryptionModule`](crate::ContentDecryptionModule), or null.
pub type CreateCdmInstance = unsafe extern "C" fn(
    cdm_interface_version: c_int,
    key_system: *const c_char,
    key_system_size: u32,
    Option<GetCdmHostFunc>,
    user_data: *mut c_void,
) -> *mut c_void;

/// Yields a [`Host`](crate::Host), or null for a version that the host does not have.
pub type GetCdmHostFunc =
    unsafe extern "C" fn(host_interface_version: c_int, user_data: *mut c_void) -> *mut c_void;

/// `VerifyCdmHost_0`: whether the host's files are what they should be.
pub type VerifyCdmHost = unsafe extern "C" fn(*const HostFile, num_files: u32) -> bool;

/// A file of the host's. Its descriptors are the CDM's to close; −1 is none.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct HostFile {
    pub file_path: *const c_char,
    pub file: c_int,
    pub sig_file: c_int,
}

const _: () = {
    assert!(size_of::<HostFile>() == 16);
    assert!(offset_of!(HostFile, file) == 8);
    assert!(offset_of!(HostFile, sig_file) == 12);
};

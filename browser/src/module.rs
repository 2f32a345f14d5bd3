//! The symbols that a host looks for in the library.

#![allow(unsafe_code, reason = "the exported half of the C++ interface")]
#![allow(non_snake_case, reason = "the interface's own names")]

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    fs::File,
    os::fd::FromRawFd,
    ptr::{self, NonNull},
};

use cdm_abi::{GetCdmHostFunc, HostFile, INTERFACE_VERSIONS, slice, text};

use crate::{entry, guard, host::Host};

/// The key system's names: that of EME, and the one by which Chromium loads a CDM library.
const KEY_SYSTEMS: [&str; 2] = ["org.w3.clearkey", "org.chromium.externalclearkey"];

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version without a NUL"),
    };

/// Nothing is to be done before the first instance.
#[unsafe(no_mangle)]
pub extern "C" fn InitializeCdmModule_4() {}

/// Nor after the last.
#[unsafe(no_mangle)]
pub extern "C" fn DeinitializeCdmModule() {}

/// The version of this library.
#[unsafe(no_mangle)]
pub extern "C" fn GetCdmVersion() -> *const c_char {
    VERSION.as_ptr()
}

/// Makes a [`ContentDecryptionModule`](cdm_abi::ContentDecryptionModule) of the version asked for, if
/// that is 10, 11 or 12 and the host has an object of the same version; else null. It lives until its
/// `Destroy`.
///
/// # Safety
///
/// `key_system` and its size are text; `get_cdm_host` may be called with `user_data`, and what it yields
/// is null or a host object that lives until `Destroy` is called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateCdmInstance(
    cdm_interface_version: c_int,
    key_system: *const c_char,
    key_system_size: u32,
    get_cdm_host: Option<GetCdmHostFunc>,
    user_data: *mut c_void,
) -> *mut c_void {
    guard::or(ptr::null_mut(), || {
        // SAFETY: the caller upholds it.
        let key_system = unsafe { text(key_system, key_system_size) };
        let is_ours = key_system.is_some_and(|name| KEY_SYSTEMS.contains(&name));
        let Some(get_cdm_host) = get_cdm_host else { return ptr::null_mut() };
        if !is_ours || !INTERFACE_VERSIONS.contains(&cdm_interface_version) {
            return ptr::null_mut();
        }
        // No other version is asked for: Chromium ends the process of a CDM that does.
        // SAFETY: the caller upholds it.
        let host = unsafe { get_cdm_host(cdm_interface_version, user_data) };
        let Some(host) = NonNull::new(host.cast()) else { return ptr::null_mut() };
        // SAFETY: a host object of a version whose methods up to `RequestStorageId` are the same; the
        // caller upholds that it lives until `Destroy`.
        entry::create(unsafe { Host::new(host) }).cast()
    })
}

/// Has no opinion on the host's files: true. Their descriptors are closed, as the interface wants.
///
/// # Safety
///
/// `host_files` points to `num_files` files, whose descriptors are −1 or open and given away.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn VerifyCdmHost_0(host_files: *const HostFile, num_files: u32) -> bool {
    guard::or(false, || {
        // SAFETY: the caller upholds it.
        for file in unsafe { slice(host_files, num_files) }.unwrap_or_default() {
            for descriptor in [file.file, file.sig_file].into_iter().filter(|&number| number >= 0) {
                // SAFETY: open, and ours alone from now on, as the caller upholds.
                drop(unsafe { File::from_raw_fd(descriptor) });
            }
        }
        true
    })
}

//! The browser's side: one object for each CDM object.

use std::{
    ffi::{c_char, c_void},
    mem::offset_of,
};

use crate::{
    Buffer, Destructors, Exception, FileIo, FileIoClient, KeyStatus, MessageType, MetricName,
    Object, Status, StreamType,
};

/// `Host_10`, `Host_11` and `Host_12`.
pub type Host = Object<HostVtable>;

type This = *mut Host;

/// The methods of [`Host`].
#[derive(Debug)]
#[repr(C)]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct HostVtable {
    pub allocate: unsafe extern "C" fn(This, capacity: u32) -> *mut Buffer,
    pub set_timer: unsafe extern "C" fn(This, delay_ms: i64, context: *mut c_void),
    /// Seconds since 1970.
    pub get_current_wall_time: unsafe extern "C" fn(This) -> f64,
    pub on_initialized: unsafe extern "C" fn(This, success: bool),
    pub on_resolve_key_status_promise: unsafe extern "C" fn(This, promise_id: u32, KeyStatus),
    /// A null pointer and a length of 0 say that `LoadSession` has found nothing.
    pub on_resolve_new_session_promise:
        unsafe extern "C" fn(This, promise_id: u32, *const c_char, u32),
    pub on_resolve_promise: unsafe extern "C" fn(This, promise_id: u32),
    pub on_reject_promise: unsafe extern "C" fn(
        This,
        promise_id: u32,
        Exception,
        system_code: u32,
        message: *const c_char,
        u32,
    ),
    pub on_session_message:
        unsafe extern "C" fn(This, *const c_char, u32, MessageType, *const c_char, u32),
    pub on_session_keys_change: unsafe extern "C" fn(
        This,
        *const c_char,
        u32,
        has_additional_usable_key: bool,
        *const KeyInformation,
        u32,
    ),
    /// Seconds since 1970; 0 is never.
    pub on_expiration_change: unsafe extern "C" fn(This, *const c_char, u32, f64),
    pub on_session_closed: unsafe extern "C" fn(This, *const c_char, u32),
    pub send_platform_challenge: unsafe extern "C" fn(This, *const c_char, u32, *const c_char, u32),
    pub enable_output_protection: unsafe extern "C" fn(This, desired_protection_mask: u32),
    pub query_output_protection_status: unsafe extern "C" fn(This),
    pub on_deferred_initialization_done: unsafe extern "C" fn(This, StreamType, Status),
    pub create_file_io: unsafe extern "C" fn(This, *mut FileIoClient) -> *mut FileIo,
    /// Answered by `OnStorageId`, maybe before this returns.
    pub request_storage_id: unsafe extern "C" fn(This, version: u32),
    pub newer: NewerHostVtable,
}

/// What comes behind the methods that all versions have: in version 10 the destructors, from 11 on one
/// more method. So nothing of this is called without knowing the version.
#[derive(Clone, Copy)]
#[repr(C)]
#[expect(missing_docs, reason = "the interface's own names")]
pub union NewerHostVtable {
    pub host_10: Destructors,
    pub host_11: Host11Vtable,
}

/// The end of the table from version 11 on.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct Host11Vtable {
    pub report_metrics: unsafe extern "C" fn(This, MetricName, u64),
    pub destructors: Destructors,
}

impl std::fmt::Debug for NewerHostVtable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewerHostVtable").finish_non_exhaustive()
    }
}

/// `KeyInformation`, and `KeyInformation_2` of version 12: a key of a session, and what it is good for.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct KeyInformation {
    pub key_id: *const u8,
    pub key_id_size: u32,
    pub status: KeyStatus,
    pub system_code: u32,
}

const _: () = {
    assert!(offset_of!(HostVtable, on_session_closed) == 11 * 8);
    assert!(offset_of!(HostVtable, create_file_io) == 16 * 8);
    assert!(offset_of!(HostVtable, newer) == 18 * 8);
    assert!(size_of::<HostVtable>() == (19 + 2) * 8);
    assert!(size_of::<KeyInformation>() == 24);
    assert!(offset_of!(KeyInformation, key_id_size) == 8);
    assert!(offset_of!(KeyInformation, status) == 12);
    assert!(offset_of!(KeyInformation, system_code) == 16);
};

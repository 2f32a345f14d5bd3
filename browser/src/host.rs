//! Calls to the host. Each may call back into the CDM before it returns.

#![allow(unsafe_code, reason = "methods of a C++ object")]

use std::{
    cell::Cell,
    ffi::c_char,
    ptr::{self, NonNull},
};

use cdm_abi::{Buffer, Exception, FileIo, FileIoClient, KeyInformation, KeyStatus, MessageType};

/// The host's object for one instance, as long as there is one.
pub(crate) struct Host {
    object: NonNull<cdm_abi::Host>,
    is_gone: Cell<bool>,
}

/// Calls a method of the host's unless it is gone. Yields `Some` of what it answers.
macro_rules! call {
    ($host:ident.$method:ident($($argument:expr),*)) => {
        (!$host.is_gone.get()).then(|| {
            let this = $host.object.as_ptr();
            // SAFETY: `Host::new`'s caller upholds that the object is a host that lives until
            // `forget`, and it is not gone. The arguments are values, or pointers and lengths of
            // what is borrowed here, at least until the method returns.
            unsafe { ((*(*this).vtable).$method)(this, $($argument),*) }
        })
    };
}

impl Host {
    /// # Safety
    ///
    /// `object` is a host object of an interface version that
    /// [`INTERFACE_VERSIONS`](cdm_abi::INTERFACE_VERSIONS) has. It lives, and its methods may be called
    /// on this thread, until [`forget`](Self::forget).
    pub(crate) unsafe fn new(object: NonNull<cdm_abi::Host>) -> Self {
        Self { object, is_gone: Cell::new(false) }
    }

    /// The host is gone: no call reaches it any more.
    pub(crate) fn forget(&self) {
        self.is_gone.set(true);
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.is_gone.get()
    }

    /// Memory for so many octets, if there is any; the caller's to `Destroy`.
    pub(crate) fn allocate(&self, capacity: u32) -> Option<NonNull<Buffer>> {
        call!(self.allocate(capacity)).and_then(NonNull::new)
    }

    pub(crate) fn on_initialized(&self, success: bool) {
        call!(self.on_initialized(success));
    }

    pub(crate) fn on_resolve_key_status_promise(&self, promise: u32, status: KeyStatus) {
        call!(self.on_resolve_key_status_promise(promise, status));
    }

    /// `None`: there is no session.
    pub(crate) fn on_resolve_new_session_promise(&self, promise: u32, session_id: Option<&str>) {
        let (id, len) = session_id.map_or((ptr::null(), 0), pair);
        call!(self.on_resolve_new_session_promise(promise, id, len));
    }

    pub(crate) fn on_resolve_promise(&self, promise: u32) {
        call!(self.on_resolve_promise(promise));
    }

    pub(crate) fn on_reject_promise(&self, promise: u32, exception: Exception, message: &str) {
        let (text, len) = pair(message);
        call!(self.on_reject_promise(promise, exception, 0, text, len));
    }

    pub(crate) fn on_session_message(&self, session_id: &str, kind: MessageType, message: &[u8]) {
        let (id, id_len) = pair(session_id);
        let (message, len) = (message.as_ptr().cast(), length(message));
        call!(self.on_session_message(id, id_len, kind, message, len));
    }

    pub(crate) fn on_session_keys_change(
        &self,
        session_id: &str,
        has_additional_usable_key: bool,
        keys: &[KeyInformation],
    ) {
        let (id, id_len) = pair(session_id);
        let (keys, len) = (keys.as_ptr(), length(keys));
        call!(self.on_session_keys_change(id, id_len, has_additional_usable_key, keys, len));
    }

    pub(crate) fn on_session_closed(&self, session_id: &str) {
        let (id, len) = pair(session_id);
        call!(self.on_session_closed(id, len));
    }

    /// A file object that tells `client`, if the host has files; the caller's to `Close`.
    pub(crate) fn create_file_io(&self, client: NonNull<FileIoClient>) -> Option<NonNull<FileIo>> {
        call!(self.create_file_io(client.as_ptr())).and_then(NonNull::new)
    }
}

fn pair(text: &str) -> (*const c_char, u32) {
    (text.as_ptr().cast(), length(text.as_bytes()))
}

/// Nothing that is told is anywhere near 4 GiB: ids, statuses and messages of at most 64 KiB each.
fn length<T>(told: &[T]) -> u32 {
    u32::try_from(told.len()).unwrap_or(0)
}

//! The host's object: it writes down what the CDM says.

use std::{
    cell::{Cell, RefCell},
    ffi::{c_char, c_int, c_void},
    ptr,
    rc::Rc,
    time::{SystemTime, UNIX_EPOCH},
};

use cdm_abi::{
    Buffer, Destructors, Exception, FileIo, FileIoClient, Host11Vtable, HostVtable, KeyInformation,
    KeyStatus, MessageType, MetricName, NewerHostVtable, Status, StreamType, Table, slice, text,
};

use crate::{
    Call, Disk,
    buffer::{self, Pool},
    file,
    library::Offer,
};

/// A host for one instance. A handle is cheap to clone.
#[derive(Clone)]
pub struct Host {
    shared: Rc<Shared>,
}

#[repr(C)]
struct Shared {
    vtable: *const HostVtable,
    calls: RefCell<Vec<Call>>,
    reaction: RefCell<Option<Reaction>>,
    disk: Disk,
    buffers: Rc<Pool>,
    /// The most that `Allocate` gives.
    room: Cell<u32>,
    /// What a buffer has less than was asked for.
    lack: Cell<u32>,
}

type Reaction = Rc<dyn Fn(&Call)>;

impl Host {
    /// A host with these files.
    #[must_use]
    pub fn new(disk: Disk) -> Self {
        let shared = Shared {
            vtable: &HOST.slots,
            calls: RefCell::default(),
            reaction: RefCell::default(),
            disk,
            buffers: Rc::default(),
            room: Cell::new(u32::MAX),
            lack: Cell::new(0),
        };
        Self { shared: Rc::new(shared) }
    }

    /// What the CDM has said since this was last asked.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls.take()
    }

    /// Lets the host do something within each call of the CDM's, such as call back.
    pub fn react(&self, reaction: impl Fn(&Call) + 'static) {
        self.shared.reaction.replace(Some(Rc::new(reaction)));
    }

    /// Its files.
    #[must_use]
    pub fn disk(&self) -> &Disk {
        &self.shared.disk
    }

    /// How many buffers the CDM has and has not given back.
    #[must_use]
    pub fn buffers(&self) -> usize {
        self.shared.buffers.count.get()
    }

    /// Whether the size of a new buffer is all that it has room for, as in Firefox, whose own CDM leaves
    /// it so. In Chromium, and here by default, it is 0.
    pub fn begin_full(&self, begins_full: bool) {
        self.shared.buffers.begins_full.set(begins_full);
    }

    /// Gives no buffer of more octets.
    pub fn limit_buffers(&self, room: u32) {
        self.shared.room.set(room);
    }

    /// Gives buffers that have so many octets less than was asked for, as no host should.
    pub fn lack(&self, octets: u32) {
        self.shared.lack.set(octets);
    }

    pub(crate) fn object(&self) -> *mut cdm_abi::Host {
        Rc::as_ptr(&self.shared).cast_mut().cast()
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("calls", &self.shared.calls).finish_non_exhaustive()
    }
}

/// The host's object for the version that it offers; null for any other.
///
/// # Safety
///
/// `user_data` is an [`Offer`].
pub(crate) unsafe extern "C" fn host_of(version: c_int, user_data: *mut c_void) -> *mut c_void {
    // SAFETY: the caller upholds it.
    let offer = unsafe { &*user_data.cast::<Offer>() };
    if version == offer.version { offer.host.cast() } else { ptr::null_mut() }
}

static HOST: Table<HostVtable> = Table::new(HostVtable {
    allocate,
    set_timer,
    get_current_wall_time,
    on_initialized,
    on_resolve_key_status_promise,
    on_resolve_new_session_promise,
    on_resolve_promise,
    on_reject_promise,
    on_session_message,
    on_session_keys_change,
    on_expiration_change,
    on_session_closed,
    send_platform_challenge,
    enable_output_protection,
    query_output_protection_status,
    on_deferred_initialization_done,
    create_file_io,
    request_storage_id,
    newer: NewerHostVtable {
        host_11: Host11Vtable { report_metrics, destructors: Destructors::NONE },
    },
});

type This = *mut cdm_abi::Host;

// Of all methods:
//
// # Safety
//
// The CDM calls them on the object that it got, before its `Destroy` has returned, with pointers that are
// null or point to as many values as the length beside them says.

/// The host, which lives to the end of the call.
unsafe fn shared(this: This) -> Rc<Shared> {
    let shared = this.cast::<Shared>().cast_const();
    // SAFETY: the CDM upholds it: `object` made this of an `Rc`, which the CDM's handle holds.
    unsafe {
        Rc::increment_strong_count(shared);
        Rc::from_raw(shared)
    }
}

unsafe fn record(this: This, call: Call) {
    // SAFETY: the CDM upholds it.
    let shared = unsafe { shared(this) };
    shared.calls.borrow_mut().push(call.clone());
    let reaction = shared.reaction.borrow().clone();
    if let Some(reaction) = reaction {
        reaction(&call);
    }
}

unsafe fn owned(data: *const c_char, len: u32) -> String {
    // SAFETY: the CDM upholds it.
    unsafe { text(data, len) }.expect("text in UTF-8").to_owned()
}

unsafe extern "C" fn allocate(this: This, capacity: u32) -> *mut Buffer {
    // SAFETY: the CDM upholds it.
    let shared = unsafe { shared(this) };
    if capacity > shared.room.get() {
        return ptr::null_mut();
    }
    buffer::create(capacity.saturating_sub(shared.lack.get()), &shared.buffers)
}

unsafe extern "C" fn set_timer(this: This, _delay_ms: i64, _context: *mut c_void) {
    // SAFETY: the CDM upholds it.
    unsafe { record(this, Call::Other("SetTimer")) }
}

unsafe extern "C" fn get_current_wall_time(_: This) -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

unsafe extern "C" fn on_initialized(this: This, success: bool) {
    // SAFETY: the CDM upholds it.
    unsafe { record(this, Call::Initialized { success }) }
}

unsafe extern "C" fn on_resolve_key_status_promise(this: This, promise: u32, status: KeyStatus) {
    // SAFETY: the CDM upholds it.
    unsafe { record(this, Call::ResolveKeyStatus { promise, status }) }
}

unsafe extern "C" fn on_resolve_new_session_promise(
    this: This,
    promise: u32,
    id: *const c_char,
    len: u32,
) {
    // SAFETY: the CDM upholds it.
    unsafe {
        let session_id = (!id.is_null()).then(|| owned(id, len));
        record(this, Call::ResolveNewSession { promise, session_id });
    }
}

unsafe extern "C" fn on_resolve_promise(this: This, promise: u32) {
    // SAFETY: the CDM upholds it.
    unsafe { record(this, Call::Resolve { promise }) }
}

unsafe extern "C" fn on_reject_promise(
    this: This,
    promise: u32,
    exception: Exception,
    _system_code: u32,
    message: *const c_char,
    len: u32,
) {
    // SAFETY: the CDM upholds it.
    unsafe { record(this, Call::Reject { promise, exception, message: owned(message, len) }) }
}

unsafe extern "C" fn on_session_message(
    this: This,
    id: *const c_char,
    id_len: u32,
    message_type: MessageType,
    message: *const c_char,
    len: u32,
) {
    // SAFETY: the CDM upholds it.
    unsafe {
        let message = slice(message.cast::<u8>(), len).expect("octets").to_vec();
        record(this, Call::Message { session_id: owned(id, id_len), message_type, message });
    }
}

unsafe extern "C" fn on_session_keys_change(
    this: This,
    id: *const c_char,
    id_len: u32,
    has_additional_usable_key: bool,
    keys: *const KeyInformation,
    count: u32,
) {
    // SAFETY: the CDM upholds it.
    unsafe {
        let keys = slice(keys, count).expect("keys").iter();
        let kid =
            |key: &KeyInformation| slice(key.key_id, key.key_id_size).expect("octets").to_vec();
        let keys = keys.map(|key| (kid(key), key.status)).collect();
        let session_id = owned(id, id_len);
        record(this, Call::KeysChange { session_id, has_additional_usable_key, keys });
    }
}

unsafe extern "C" fn on_expiration_change(this: This, id: *const c_char, len: u32, time: f64) {
    // SAFETY: the CDM upholds it.
    unsafe {
        record(this, Call::ExpirationChange { session_id: owned(id, len), expiration: time });
    }
}

unsafe extern "C" fn on_session_closed(this: This, id: *const c_char, len: u32) {
    // SAFETY: the CDM upholds it.
    unsafe { record(this, Call::Closed { session_id: owned(id, len) }) }
}

unsafe extern "C" fn send_platform_challenge(
    this: This,
    _service: *const c_char,
    _service_len: u32,
    _challenge: *const c_char,
    _challenge_len: u32,
) {
    // SAFETY: the CDM upholds it.
    unsafe { record(this, Call::Other("SendPlatformChallenge")) }
}

unsafe extern "C" fn enable_output_protection(this: This, _mask: u32) {
    // SAFETY: the CDM upholds it.
    unsafe { record(this, Call::Other("EnableOutputProtection")) }
}

unsafe extern "C" fn query_output_protection_status(this: This) {
    // SAFETY: the CDM upholds it.
    unsafe { record(this, Call::Other("QueryOutputProtectionStatus")) }
}

unsafe extern "C" fn on_deferred_initialization_done(this: This, _: StreamType, _: Status) {
    // SAFETY: the CDM upholds it.
    unsafe { record(this, Call::Other("OnDeferredInitializationDone")) }
}

unsafe extern "C" fn create_file_io(this: This, client: *mut FileIoClient) -> *mut FileIo {
    // SAFETY: the CDM upholds it.
    let shared = unsafe { shared(this) };
    if !shared.disk.shared.has_files() {
        return ptr::null_mut();
    }
    file::create(&shared.disk, client)
}

unsafe extern "C" fn request_storage_id(this: This, _version: u32) {
    // SAFETY: the CDM upholds it.
    unsafe { record(this, Call::Other("RequestStorageId")) }
}

unsafe extern "C" fn report_metrics(this: This, _: MetricName, _: u64) {
    // SAFETY: the CDM upholds it.
    unsafe { record(this, Call::Other("ReportMetrics")) }
}

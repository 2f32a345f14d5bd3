//! The object that a host calls, and its methods: what comes as pointers goes on as values.

#![allow(unsafe_code, reason = "methods of a C++ object")]

use std::{
    ffi::{c_char, c_void},
    ptr::NonNull,
    rc::Rc,
};

use cdm_abi::{
    AudioDecoderConfig2, CdmVtable, ContentDecryptionModule, DecryptedBlock, Destructors,
    HdcpVersion, InitDataType, InputBuffer2, PlatformChallengeResponse, Policy, QueryResult,
    SessionType, Status, StreamType, Table, slice, text,
};
use zeroize::Zeroizing;

use crate::{
    buffer::Output,
    decrypt::Input,
    guard,
    host::Host,
    instance::{Instance, Octets, SessionId},
};

#[repr(C)]
struct Cdm {
    vtable: *const CdmVtable,
    instance: Rc<Instance>,
}

/// An object for the host, which lives until its `Destroy`.
pub(crate) fn create(host: Host) -> *mut ContentDecryptionModule {
    let cdm = Cdm { vtable: &CDM.slots, instance: Instance::new(host) };
    Box::into_raw(Box::new(cdm)).cast()
}

/// The same table for versions 10 to 12: they differ in what only a decoder reads.
static CDM: Table<CdmVtable> = Table::new(CdmVtable {
    initialize,
    get_status_for_policy,
    set_server_certificate,
    create_session_and_generate_request,
    load_session,
    update_session,
    close_session,
    remove_session,
    timer_expired,
    decrypt,
    initialize_audio_decoder,
    initialize_video_decoder,
    deinitialize_decoder,
    reset_decoder,
    decrypt_and_decode_frame,
    decrypt_and_decode_samples,
    on_platform_challenge_response,
    on_query_output_protection_status,
    on_storage_id,
    destroy,
    destructors: Destructors::NONE,
});

type This = *mut ContentDecryptionModule;

/// Calls the instance. It lives to the end of the call, whatever the host does within.
///
/// # Safety
///
/// `this` is an object of [`create`]'s that is not destroyed.
unsafe fn call(this: This, work: impl FnOnce(&Instance)) {
    // SAFETY: the caller upholds it.
    let instance = unsafe { Rc::clone(&(*this.cast::<Cdm>()).instance) };
    let done = guard::or(false, || {
        work(&instance);
        true
    });
    if !done {
        guard::or((), || instance.fail());
    }
}

/// # Safety
///
/// As [`slice()`].
unsafe fn octets(data: *const u8, len: u32) -> Octets {
    // SAFETY: the caller upholds it.
    unsafe { slice(data, len) }.map(|octets| Zeroizing::new(octets.to_vec()))
}

/// # Safety
///
/// As [`text`].
unsafe fn session_id(data: *const c_char, len: u32) -> SessionId {
    // SAFETY: the caller upholds it.
    unsafe { text(data, len) }.map(str::to_owned)
}

// Of all methods:
//
// # Safety
//
// The host calls them on an object that it got from `CreateCdmInstance` and has not destroyed, on the
// thread on which it got it. Each pointer is null, or points to what the interface says is there, during
// the call; to as many values as the length beside it says.

unsafe extern "C" fn initialize(
    this: This,
    _allow_distinctive_identifier: bool,
    allow_persistent_state: bool,
    _use_hw_secure_codecs: bool,
) {
    // SAFETY: the host upholds it.
    unsafe { call(this, |instance| instance.initialize(allow_persistent_state)) }
}

unsafe extern "C" fn get_status_for_policy(this: This, promise: u32, policy: *const Policy) {
    // SAFETY: the host upholds it.
    let policy = unsafe { policy.as_ref() };
    let version = policy.map_or(HdcpVersion::NONE, |policy| policy.min_hdcp_version);
    // SAFETY: the host upholds it.
    unsafe { call(this, |instance| instance.get_status_for_policy(promise, version)) }
}

unsafe extern "C" fn set_server_certificate(
    this: This,
    promise: u32,
    certificate: *const u8,
    certificate_size: u32,
) {
    // SAFETY: the host upholds it.
    let certificate = unsafe { octets(certificate, certificate_size) };
    // SAFETY: the host upholds it.
    unsafe { call(this, |instance| instance.set_server_certificate(promise, certificate)) }
}

unsafe extern "C" fn create_session_and_generate_request(
    this: This,
    promise: u32,
    session_type: SessionType,
    init_data_type: InitDataType,
    init_data: *const u8,
    init_data_size: u32,
) {
    // SAFETY: the host upholds it.
    let data = unsafe { octets(init_data, init_data_size) };
    let work = |instance: &Instance| {
        instance.create_session_and_generate_request(promise, session_type, init_data_type, data);
    };
    // SAFETY: the host upholds it.
    unsafe { call(this, work) }
}

unsafe extern "C" fn load_session(
    this: This,
    promise: u32,
    session_type: SessionType,
    id: *const c_char,
    id_size: u32,
) {
    // SAFETY: the host upholds it.
    let id = unsafe { session_id(id, id_size) };
    // SAFETY: the host upholds it.
    unsafe { call(this, |instance| instance.load_session(promise, session_type, id)) }
}

unsafe extern "C" fn update_session(
    this: This,
    promise: u32,
    id: *const c_char,
    id_size: u32,
    response: *const u8,
    response_size: u32,
) {
    // SAFETY: the host upholds it.
    let (id, response) = unsafe { (session_id(id, id_size), octets(response, response_size)) };
    // SAFETY: the host upholds it.
    unsafe { call(this, |instance| instance.update_session(promise, id, response)) }
}

unsafe extern "C" fn close_session(this: This, promise: u32, id: *const c_char, id_size: u32) {
    // SAFETY: the host upholds it.
    let id = unsafe { session_id(id, id_size) };
    // SAFETY: the host upholds it.
    unsafe { call(this, |instance| instance.close_session(promise, id)) }
}

unsafe extern "C" fn remove_session(this: This, promise: u32, id: *const c_char, id_size: u32) {
    // SAFETY: the host upholds it.
    let id = unsafe { session_id(id, id_size) };
    // SAFETY: the host upholds it.
    unsafe { call(this, |instance| instance.remove_session(promise, id)) }
}

/// No timer is ever set.
unsafe extern "C" fn timer_expired(_: This, _context: *mut c_void) {}

unsafe extern "C" fn decrypt(
    this: This,
    input: *const InputBuffer2,
    block: *mut DecryptedBlock,
) -> Status {
    // SAFETY: the host upholds it.
    let Some(input) = (unsafe { input.as_ref() }) else { return Status::DECRYPT_ERROR };
    let Some(block) = NonNull::new(block) else { return Status::DECRYPT_ERROR };
    // SAFETY: the host upholds it, and that the sample does not change meanwhile.
    let slices = unsafe {
        (
            slice(input.data, input.data_size),
            slice(input.key_id, input.key_id_size),
            slice(input.iv, input.iv_size),
            slice(input.subsamples, input.num_subsamples),
        )
    };
    let (Some(data), Some(kid), Some(iv), Some(subsamples)) = slices else {
        return Status::DECRYPT_ERROR;
    };
    let InputBuffer2 { encryption_scheme: scheme, pattern, timestamp, .. } = *input;
    let input = Input { data, scheme, kid, iv, subsamples, pattern, timestamp };
    // SAFETY: the host upholds it.
    let (instance, output) =
        unsafe { (Rc::clone(&(*this.cast::<Cdm>()).instance), Output::new(block)) };
    guard::or(Status::DECRYPT_ERROR, || instance.decrypt(&input, output))
}

// Hosts decode by themselves when a CDM does not.

unsafe extern "C" fn initialize_audio_decoder(_: This, _: *const AudioDecoderConfig2) -> Status {
    Status::INITIALIZATION_ERROR
}

unsafe extern "C" fn initialize_video_decoder(_: This, _: *const c_void) -> Status {
    Status::INITIALIZATION_ERROR
}

unsafe extern "C" fn deinitialize_decoder(_: This, _: StreamType) {}

unsafe extern "C" fn reset_decoder(_: This, _: StreamType) {}

unsafe extern "C" fn decrypt_and_decode_frame(
    _: This,
    _: *const InputBuffer2,
    _: *mut c_void,
) -> Status {
    Status::DECODE_ERROR
}

unsafe extern "C" fn decrypt_and_decode_samples(
    _: This,
    _: *const InputBuffer2,
    _: *mut c_void,
) -> Status {
    Status::DECODE_ERROR
}

// Nothing of this is ever asked for.

unsafe extern "C" fn on_platform_challenge_response(_: This, _: *const PlatformChallengeResponse) {}

unsafe extern "C" fn on_query_output_protection_status(_: This, _: QueryResult, _: u32, _: u32) {}

unsafe extern "C" fn on_storage_id(_: This, _version: u32, _id: *const u8, _id_size: u32) {}

/// The object is gone with this; its instance, when no call of it is under way any more.
unsafe extern "C" fn destroy(this: This) {
    // SAFETY: the host upholds it: `create` made this of a box.
    let cdm = unsafe { Box::from_raw(this.cast::<Cdm>()) };
    guard::or((), || cdm.instance.end());
    guard::or((), || drop(cdm));
}

#[cfg(test)]
mod tests {
    use cdm_abi::Exception;
    use cdm_host::{Call, Disk, Exports, Host, Library};

    use super::*;

    /// Whatever fails within an instance: the host's promises are settled, its sessions are closed, and
    /// it can go on calling.
    #[test]
    fn a_panic_ends_the_instance_and_not_the_process() {
        let exports = Exports {
            initialize_cdm_module: crate::InitializeCdmModule_4,
            create_cdm_instance: crate::CreateCdmInstance,
            deinitialize_cdm_module: None,
            get_cdm_version: None,
            verify_cdm_host: None,
        };
        // SAFETY: the exports of this library.
        let library = unsafe { Library::linked(exports) };
        let host = Host::new(Disk::default());
        let cdm = library.create(11, "org.w3.clearkey", &host).unwrap();
        cdm.initialize(false, true, false);
        let kids = br#"{"kids":["AQEBAQEBAQEBAQEBAQEBAQ"]}"#;
        let request = |promise, session_type| {
            let key_ids = InitDataType::KEY_IDS;
            cdm.create_session_and_generate_request(promise, session_type, key_ids, kids);
            host.calls()
        };
        let calls = request(1, SessionType::TEMPORARY);
        let [_, Call::ResolveNewSession { session_id: Some(session_id), .. }, _] = &calls[..]
        else {
            panic!("{calls:?}")
        };
        assert_eq!(request(2, SessionType::PERSISTENT_LICENSE), [], "it waits for the disk");

        let this = cdm.object().unwrap().as_ptr();
        // SAFETY: an object of this library's.
        unsafe { call(this, |_| panic!("a panic that a test wants")) };

        let failed = |promise| Call::Reject {
            promise,
            exception: Exception::INVALID_STATE_ERROR,
            message: "the CDM has failed".to_owned(),
        };
        let closed = Call::Closed { session_id: session_id.clone() };
        assert_eq!(host.calls(), [closed, failed(2)]);
        host.disk().settle();
        assert_eq!((host.calls(), host.disk().open()), (Vec::new(), 0));
        assert_eq!(request(3, SessionType::TEMPORARY), [failed(3)]);
    }
}

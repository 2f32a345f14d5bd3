//! The CDM's side: one object for each `MediaKeys` of a page.

use std::{
    ffi::{c_char, c_void},
    mem::offset_of,
};

use crate::{
    AudioDecoderConfig2, DecryptedBlock, Destructors, HdcpVersion, InitDataType, InputBuffer2,
    Object, QueryResult, SessionType, Status, StreamType,
};

/// `ContentDecryptionModule_10`, `_11` and `_12`, which differ in structures that only a decoder reads.
pub type ContentDecryptionModule = Object<CdmVtable>;

type This = *mut ContentDecryptionModule;

/// The methods of [`ContentDecryptionModule`].
#[derive(Debug)]
#[repr(C)]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct CdmVtable {
    /// Answered by `OnInitialized`.
    pub initialize: unsafe extern "C" fn(
        This,
        allow_distinctive_identifier: bool,
        allow_persistent_state: bool,
        use_hw_secure_codecs: bool,
    ),
    pub get_status_for_policy: unsafe extern "C" fn(This, promise_id: u32, *const Policy),
    pub set_server_certificate: unsafe extern "C" fn(This, promise_id: u32, *const u8, u32),
    pub create_session_and_generate_request:
        unsafe extern "C" fn(This, promise_id: u32, SessionType, InitDataType, *const u8, u32),
    pub load_session: unsafe extern "C" fn(This, promise_id: u32, SessionType, *const c_char, u32),
    pub update_session:
        unsafe extern "C" fn(This, promise_id: u32, *const c_char, u32, *const u8, u32),
    pub close_session: unsafe extern "C" fn(This, promise_id: u32, *const c_char, u32),
    pub remove_session: unsafe extern "C" fn(This, promise_id: u32, *const c_char, u32),
    pub timer_expired: unsafe extern "C" fn(This, context: *mut c_void),
    pub decrypt: unsafe extern "C" fn(This, *const InputBuffer2, *mut DecryptedBlock) -> Status,
    pub initialize_audio_decoder: unsafe extern "C" fn(This, *const AudioDecoderConfig2) -> Status,
    /// Versions 10 and 11 pass a `VideoDecoderConfig_2`, version 12 a `VideoDecoderConfig_3`.
    pub initialize_video_decoder: unsafe extern "C" fn(This, *const c_void) -> Status,
    pub deinitialize_decoder: unsafe extern "C" fn(This, StreamType),
    pub reset_decoder: unsafe extern "C" fn(This, StreamType),
    /// Versions 10 and 11 pass a `VideoFrame`, version 12 a `VideoFrame_2`.
    pub decrypt_and_decode_frame:
        unsafe extern "C" fn(This, *const InputBuffer2, *mut c_void) -> Status,
    pub decrypt_and_decode_samples:
        unsafe extern "C" fn(This, *const InputBuffer2, *mut c_void) -> Status,
    pub on_platform_challenge_response:
        unsafe extern "C" fn(This, *const PlatformChallengeResponse),
    pub on_query_output_protection_status:
        unsafe extern "C" fn(This, QueryResult, link_mask: u32, output_protection_mask: u32),
    pub on_storage_id: unsafe extern "C" fn(This, version: u32, *const u8, u32),
    /// Ends the object.
    pub destroy: unsafe extern "C" fn(This),
    pub destructors: Destructors,
}

/// What a page would have of the output.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Policy {
    /// The lowest version of HDCP.
    pub min_hdcp_version: HdcpVersion,
}

/// What a platform says of itself. ClearKey never asks.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
#[expect(missing_docs, reason = "the interface's own names")]
pub struct PlatformChallengeResponse {
    pub signed_data: *const u8,
    pub signed_data_length: u32,
    pub signed_data_signature: *const u8,
    pub signed_data_signature_length: u32,
    pub platform_key_certificate: *const u8,
    pub platform_key_certificate_length: u32,
}

const _: () = {
    assert!(size_of::<CdmVtable>() == (20 + 2) * 8);
    assert!(offset_of!(CdmVtable, decrypt) == 9 * 8);
    assert!(offset_of!(CdmVtable, destroy) == 19 * 8);
    assert!(size_of::<Policy>() == 4);
    assert!(size_of::<PlatformChallengeResponse>() == 48);
    assert!(offset_of!(PlatformChallengeResponse, signed_data_length) == 8);
    assert!(offset_of!(PlatformChallengeResponse, signed_data_signature) == 16);
    assert!(offset_of!(PlatformChallengeResponse, signed_data_signature_length) == 24);
    assert!(offset_of!(PlatformChallengeResponse, platform_key_certificate) == 32);
    assert!(offset_of!(PlatformChallengeResponse, platform_key_certificate_length) == 40);
};

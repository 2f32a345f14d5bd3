//! What a CDM says.

use cdm_abi::{Exception, KeyStatus, MessageType};

/// A call of the CDM's to its host.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the interface's own names")]
pub enum Call {
    /// `OnInitialized`
    Initialized { success: bool },
    /// `OnResolveKeyStatusPromise`
    ResolveKeyStatus { promise: u32, status: KeyStatus },
    /// `OnResolveNewSessionPromise`; without an id nothing was found.
    ResolveNewSession { promise: u32, session_id: Option<String> },
    /// `OnResolvePromise`
    Resolve { promise: u32 },
    /// `OnRejectPromise`
    Reject { promise: u32, exception: Exception, message: String },
    /// `OnSessionMessage`
    Message { session_id: String, message_type: MessageType, message: Vec<u8> },
    /// `OnSessionKeysChange`
    KeysChange {
        session_id: String,
        has_additional_usable_key: bool,
        keys: Vec<(Vec<u8>, KeyStatus)>,
    },
    /// `OnExpirationChange`
    ExpirationChange { session_id: String, expiration: f64 },
    /// `OnSessionClosed`
    Closed { session_id: String },
    /// Anything else, by its name.
    Other(&'static str),
}

//! What can be wrong with a call, and the exception that a page is told.

use clearkey::{Exception, SessionType};
use thiserror::Error as ThisError;

use crate::{access::Refusal, record::RecordError, store::StoreError};

/// Why a call failed. Where a call that takes a message fails, the session is what it was before,
/// and a good message works afterwards; only `generate_request` and `load` burn their session.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// An acknowledgement of a release came to a session that has released nothing.
    #[error("an acknowledgement, but no release of this session is waiting for one")]
    Acknowledgement,

    /// `generate_request` or `load` has been called on the session, and has worked, or failed.
    #[error("the session has had its one generate_request or load")]
    AlreadyInitialized,

    /// The session is closed.
    #[error("the session is closed")]
    Closed,

    /// What the store holds under the id is no whole record.
    #[error("the record of session {session_id}: {reason}")]
    DamagedRecord {
        /// The session.
        session_id: String,
        /// What is wrong with it.
        reason: RecordError,
    },

    /// The store is the host's, who performs each step; a call that returns the result at once
    /// cannot wait for that. Its `…_async` twin can.
    #[error("storage is the host's: call the asynchronous twin of this")]
    HostStorage,

    /// No configuration was given.
    #[error("no configuration")]
    NoConfiguration,

    /// All session ids are taken, or as many sessions are open as are allowed.
    #[error("no session id is free, or too many sessions are open")]
    NoSessionId,

    /// None of the configurations is supported.
    #[error("none of the configurations is supported{}", list(.refusals))]
    NotSupported {
        /// Why, for each of them.
        refusals: Vec<Refusal>,
    },

    /// The session has no id yet: `generate_request` or `load` must have succeeded before.
    #[error("the session is not callable: no generate_request or load has succeeded")]
    NotCallable,

    /// The embedder does not allow key systems here.
    #[error("the embedder does not allow key systems here")]
    Policy,

    /// A policy names no restriction.
    #[error("a policy without a member")]
    PolicyEmpty,

    /// A policy asks for an HDCP version that there is not.
    #[error("minHdcpVersion: \"{found}\" is no version of HDCP")]
    PolicyHdcp {
        /// What it asks for, quoted.
        found: String,
    },

    /// An init data, response or id was malformed.
    #[error(transparent)]
    Message(#[from] clearkey::Error),

    /// A new license came to a session whose release is waiting for its acknowledgement.
    #[error("a license, but the session waits for the acknowledgement of its release")]
    ReleasePending,

    /// The server certificate is empty.
    #[error("an empty server certificate")]
    ServerCertificateEmpty,

    /// A session id that no session can have.
    #[error("\"{found}\" is no session id: a number of 32 bits in decimal")]
    SessionId {
        /// The text, quoted.
        found: String,
    },

    /// A session with this id is open.
    #[error("session {session_id} is open")]
    SessionOpen {
        /// The id.
        session_id: String,
    },

    /// The kind of session is not among those that the configuration has.
    #[error("sessions of type {session_type} are not in the configuration")]
    SessionType {
        /// The kind that was asked for.
        session_type: SessionType,
    },

    /// The license is for another kind of session.
    #[error("a {license} license for a {session} session")]
    LicenseType {
        /// What the license is for.
        license: SessionType,
        /// What the session is.
        session: SessionType,
    },

    /// The store failed. Nothing has changed in memory.
    #[error("storage: {0}")]
    Store(#[from] StoreError),

    /// `load` was called on a temporary session.
    #[error("a temporary session cannot be loaded")]
    TemporaryLoad,

    /// The key system has no name, or another than `org.w3.clearkey`.
    #[error("key system \"{found}\" is not org.w3.clearkey")]
    KeySystem {
        /// The name, quoted.
        found: String,
    },

    /// The CDM has failed, and no session can be made any more.
    #[error("the CDM has failed")]
    Unavailable,
}

impl Error {
    /// The exception with which an EME call ends for this reason.
    #[must_use]
    pub fn exception(&self) -> Exception {
        match self {
            Self::Message(error) => error.exception(),
            Self::KeySystem { found } if found.is_empty() => Exception::Type,
            Self::Acknowledgement
            | Self::LicenseType { .. }
            | Self::NoConfiguration
            | Self::PolicyEmpty
            | Self::PolicyHdcp { .. }
            | Self::ReleasePending
            | Self::ServerCertificateEmpty
            | Self::SessionId { .. }
            | Self::TemporaryLoad => Exception::Type,
            Self::KeySystem { .. } | Self::NotSupported { .. } | Self::SessionType { .. } => {
                Exception::NotSupported
            }
            Self::AlreadyInitialized
            | Self::Closed
            | Self::DamagedRecord { .. }
            | Self::HostStorage
            | Self::NotCallable
            | Self::Unavailable => Exception::InvalidState,
            Self::NoSessionId | Self::SessionOpen { .. } | Self::Store(_) => {
                Exception::QuotaExceeded
            }
            Self::Policy => Exception::Security,
        }
    }
}

/// `: [0] this; [1] that`
fn list(refusals: &[Refusal]) -> String {
    let numbered = refusals.iter().enumerate().map(|(at, refusal)| format!("[{at}] {refusal}"));
    format!(": {}", numbered.collect::<Vec<_>>().join("; "))
}

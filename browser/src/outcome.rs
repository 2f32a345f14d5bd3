//! What a call has come to, and in which order the host is told.
//!
//! Browsers queue what they are told for the page in the order in which it comes, and take what they are
//! told of a session only once they know it. So:
//!
//! - a new session's promise is resolved before anything else is said of it;
//! - else new key statuses come first: with the promise first, Firefox's page plays before it knows its
//!   keys;
//! - a session is closed before the promise of `close` is resolved: Chromium loses the event otherwise;
//! - messages come last, as EME has it.

use cdm::{Error, MediaKeySession, MediaKeyStatus, SessionEvent};
use cdm_abi::{Exception, KeyInformation, KeyStatus};
use thiserror::Error as ThisError;

use crate::{convert, host::Host};

/// How a promise ends well.
pub(crate) enum Outcome {
    /// A status for a policy.
    Status(MediaKeyStatus),
    /// A session that the host has not known yet.
    New(MediaKeySession),
    /// No session is stored under the id.
    NotFound,
    /// A session of which there may be something to tell.
    Changed(MediaKeySession),
    /// Nothing was to be done.
    Nothing,
}

/// How a promise ends badly.
#[derive(Debug, ThisError)]
pub(crate) enum Refusal {
    #[error(transparent)]
    Cdm(#[from] Error),

    #[error("a call before Initialize")]
    NotInitialized,

    #[error("{what}: a null pointer instead of octets, or no UTF-8 where there should be text")]
    Argument { what: &'static str },

    #[error("{number} is no type of session")]
    SessionType { number: u32 },

    #[error("no open session has this id")]
    NoSession,

    /// EME's answer `false` to a server certificate.
    #[error("ClearKey has no use for a server certificate")]
    ServerCertificate,

    #[error("the CDM has failed")]
    Failed,
}

impl Refusal {
    pub(crate) fn exception(&self) -> Exception {
        match self {
            Self::Cdm(error) => convert::exception(error.exception()),
            Self::Argument { .. } => Exception::TYPE_ERROR,
            Self::SessionType { .. } | Self::ServerCertificate => Exception::NOT_SUPPORTED_ERROR,
            Self::NotInitialized | Self::NoSession | Self::Failed => Exception::INVALID_STATE_ERROR,
        }
    }
}

/// Tells the host.
pub(crate) fn tell(host: &Host, promise: u32, outcome: Result<Outcome, Refusal>) {
    match outcome {
        Ok(Outcome::Status(status)) => {
            host.on_resolve_key_status_promise(promise, convert::key_status(status));
        }
        Ok(Outcome::New(session)) => {
            let session_id = session.session_id();
            host.on_resolve_new_session_promise(promise, Some(&session_id));
            let messages = tell_statuses(host, &session_id, &session);
            tell_messages(host, &session_id, messages);
        }
        Ok(Outcome::NotFound) => host.on_resolve_new_session_promise(promise, None),
        Ok(Outcome::Changed(session)) => {
            let session_id = session.session_id();
            let messages = tell_statuses(host, &session_id, &session);
            if session.closed().is_some() {
                host.on_session_closed(&session_id);
            }
            host.on_resolve_promise(promise);
            tell_messages(host, &session_id, messages);
        }
        Ok(Outcome::Nothing) => host.on_resolve_promise(promise),
        Err(refusal) => {
            host.on_reject_promise(promise, refusal.exception(), &refusal.to_string());
        }
    }
}

/// Tells the statuses if they have changed. The host itself empties those of a session that is closed.
/// Yields what else has happened.
fn tell_statuses(host: &Host, session_id: &str, session: &MediaKeySession) -> Vec<SessionEvent> {
    let (statuses, others) = std::iter::from_fn(|| session.next_event())
        .partition::<Vec<_>, _>(|event| *event == SessionEvent::KeyStatusesChange);
    if !statuses.is_empty() && session.closed().is_none() {
        let entries: Vec<_> = session.key_statuses().iter().collect();
        let keys: Vec<_> = entries
            .iter()
            .map(|(kid, status)| KeyInformation {
                key_id: kid.as_bytes().as_ptr(),
                key_id_size: u32::try_from(kid.as_bytes().len()).unwrap_or(0),
                status: convert::key_status(*status),
                system_code: 0,
            })
            .collect();
        let is_usable = keys.iter().any(|key| key.status == KeyStatus::USABLE);
        host.on_session_keys_change(session_id, is_usable, &keys);
    }
    others
}

fn tell_messages(host: &Host, session_id: &str, events: Vec<SessionEvent>) {
    for event in events {
        if let SessionEvent::Message { message_type, message } = event {
            host.on_session_message(session_id, convert::message_type(message_type), &message);
        }
    }
}

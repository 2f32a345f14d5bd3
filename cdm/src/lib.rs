//! MediaKeySystemAccess, MediaKeys and MediaKeySession.

#![forbid(unsafe_code)]

mod access;
mod closed;
mod environment;
mod error;
mod event;
mod events;
mod ids;
mod instance;
mod key_store;
mod listeners;
mod machine;
mod media_key_session;
mod media_key_system_access;
mod media_keys;
mod operation;
mod origin;
mod record;
mod session;
mod status;
mod storage;
pub mod store;
mod sync;

pub use access::{
    CapabilityRefusal, ContentType, MediaKeySystemConfiguration, MediaKeySystemMediaCapability,
    MediaKeysPolicy, MediaKeysRequirement, MediaKind, Refusal,
};
pub use clearkey::{Exception, KeyId, SessionType};
pub use closed::{CloseReason, Closed};
pub use environment::{Environment, EnvironmentBuilder, request_media_key_system_access};
pub use error::Error;
pub use event::{EventType, MessageType, SessionEvent};
pub use key_store::{Decryption, KeyStore};
pub use listeners::{Handler, ListenerId};
pub use media_key_session::MediaKeySession;
pub use media_key_system_access::MediaKeySystemAccess;
pub use media_keys::{MediaKeys, Unavailable};
pub use operation::{Operation, Outcome};
pub use record::RecordError;
pub use status::{MediaKeyStatus, MediaKeyStatusMap};
pub use storage::{StoreAnswer, StoreOperation, StoreRequest, StoreToken};

//! The key system `org.w3.clearkey` behind the objects of Encrypted Media Extensions:
//! [`MediaKeySystemAccess`], [`MediaKeys`] and [`MediaKeySession`] (EME, editor's draft of 7 July 2026).
//!
//! This crate knows sessions, keys and samples. It reads no container, opens no connection, has no
//! thread, no clock and no runtime; what it stores goes through a [`store::LicenseStore`], or through the
//! host step by step.
//!
//! ```
//! use cdm::{MediaKeySystemConfiguration, MediaKeySystemMediaCapability, SessionEvent, SessionType};
//!
//! let configuration = MediaKeySystemConfiguration {
//!     init_data_types: vec!["keyids".to_owned()],
//!     video_capabilities: vec![MediaKeySystemMediaCapability {
//!         content_type: r#"video/mp4; codecs="avc1.4d401e""#.to_owned(),
//!         ..Default::default()
//!     }],
//!     ..Default::default()
//! };
//! let access = cdm::request_media_key_system_access("org.w3.clearkey", &[configuration])?;
//! let media_keys = access.create_media_keys()?;
//! let session = media_keys.create_session(SessionType::Temporary)?;
//!
//! session.generate_request("keyids", br#"{"kids":["LwVHf8JLtPrv2GUXFW2v_A"]}"#)?;
//! let Some(SessionEvent::Message { message, .. }) = session.next_event() else { panic!() };
//! assert_eq!(message, br#"{"kids":["LwVHf8JLtPrv2GUXFW2v_A"],"type":"temporary"}"#);
//!
//! session.update(
//!     br#"{
//!         "keys": [{"kty": "oct", "k": "tQ0bJVWb6b0KPL6KtZIy_A", "kid": "LwVHf8JLtPrv2GUXFW2v_A"}],
//!         "type": "temporary"
//!     }"#,
//! )?;
//! assert_eq!(session.key_statuses().size(), 1);
//! session.close()?;
//! # Ok::<(), cdm::Error>(())
//! ```
//!
//! The two documents above are all that a license server needs to know; [`clearkey`] has both of them as
//! types. Tutorials that make `new MediaKeys("com.widevine.alpha")` are of an old draft: access comes
//! first, and [`MediaKeySystemAccess::create_media_keys`] makes them.
//!
//! # Order
//!
//! A method's return value stands for EME's promise. When it returns, all attributes are up to date;
//! what is to be told waits in a queue until [`MediaKeys::dispatch_events`] calls the listeners, or
//! [`MediaKeys::next_event`] hands it out. Listeners may call everything, and so may other threads.
//!
//! # The life of a session
//!
//! ```text
//! created ──generate_request, or load: true──▶ callable ──close──▶ closed: closed-by-application
//!    │                                            │ ▲
//!    │                                            │ └──update: keys are added
//!    │                                            ├──remove: keys are gone, released; still callable
//!    │                                            ├──update with the acknowledgement of a release
//!    │                                            │             ──▶ closed: release-acknowledged
//!    │                                            └──by the CDM ──▶ closed: internal-error,
//!    │                                                  hardware-context-reset, resource-evicted
//!    └──generate_request or load fail, load: false──▶ burnt: each call is an InvalidStateError
//! ```
//!
//! # Storage
//!
//! Persistent sessions need an [`Environment`] with storage. A store in the process is driven within
//! each call. A host whose storage takes its time calls the twins `…_async`, which are plain futures,
//! and performs the steps that [`Environment::next_store_request`] yields:
//!
//! ```
//! # use cdm::{Environment, StoreOperation, store::{LicenseStore, MemoryStore}};
//! # fn drive(environment: &Environment, store: &MemoryStore) {
//! while let Some(request) = environment.next_store_request() {
//!     let answer = match request.operation {
//!         StoreOperation::Get => store.get(&request.name),
//!         StoreOperation::Put(record) => store.put(&request.name, &record).map(|()| None),
//!         StoreOperation::Delete => store.delete(&request.name).map(|()| None),
//!     };
//!     environment.store_completed(request.token, answer);
//! }
//! # }
//! ```
//!
//! A license is stored before it is used, and a key is destroyed when that is on record; if storage
//! fails, nothing has changed.
//!
//! # Secrets
//!
//! Keys are wiped when their session closes and nobody decrypts with them any more; `Debug` and errors
//! show none. A stored license is as safe as the store: ClearKey protects nothing from who can read the
//! memory or the disk of the process.

#![forbid(unsafe_code)]

mod access;
mod closed;
mod environment;
mod error;
mod event;
mod events;
#[cfg(any(all(test, not(loom)), fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
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

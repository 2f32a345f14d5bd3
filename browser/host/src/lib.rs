//! A host for library CDMs: it loads one, makes instances of it, calls them, and writes down what they
//! call back. No browser, no decoder; files are in memory. A CDM that says what the interface does not allow,
//! such as an id that is no UTF-8, ends the process with a message.
//!
//! ```no_run
//! use cdm_abi::{InitDataType, SessionType};
//! use cdm_host::{Call, Disk, Host, Library};
//!
//! // The library is trusted to keep to the interface.
//! let library = unsafe { Library::load("target/release/libclearkeycdm.so".as_ref()) }?;
//! let host = Host::new(Disk::default());
//! let cdm = library.create(11, "org.w3.clearkey", &host).ok_or("it does not want to")?;
//! cdm.initialize(false, true, false);
//! let kids = br#"{"kids":["LwVHf8JLtPrv2GUXFW2v_A"]}"#;
//! cdm.create_session_and_generate_request(1, SessionType::TEMPORARY, InitDataType::KEY_IDS, kids);
//! for call in host.calls() {
//!     if let Call::Message { session_id, message, .. } = call {
//!         println!("session {session_id} asks: {}", String::from_utf8_lossy(&message));
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![allow(unsafe_code, reason = "both sides of a C++ interface")]

mod buffer;
mod call;
mod disk;
mod file;
mod host;
mod instance;
mod library;

pub use call::Call;
pub use disk::{Answers, Disk, Fault};
pub use host::Host;
pub use instance::{Cdm, Sample};
pub use library::{Exports, Library, LibraryError};

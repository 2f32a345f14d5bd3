//! `libclearkeycdm.so`: the ClearKey CDM for whoever loads a library CDM: Firefox, Chromium, and other
//! embedders of [`cdm_abi`]'s interface in version 10, 11 or 12.
//!
//! It converts what the host says, calls [`cdm`], and converts back what that answers:
//!
//! ```text
//! host ──▶ entry ──▶ instance ──▶ cdm::MediaKeySession        decrypt ──▶ cdm::KeyStore
//!              guard     │ promise: tasks                        │ the host's buffer
//!                        ▼                                       ▼
//! host ◀── host ◀── outcome        files ◀── slots ◀── a step of cdm's storage
//! ```
//!
//! There is no state of a session here but in [`cdm`]. What takes its time, namely the host's files, is
//! awaited by tasks, which run whenever the host calls; no thread, no timer, no blocking. All that is
//! called back may call in again: nothing is borrowed while the host is called.

mod buffer;
mod convert;
mod decrypt;
mod entry;
mod files;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod host;
mod instance;
mod module;
mod outcome;
mod slots;
mod tasks;

pub use module::{
    CreateCdmInstance, DeinitializeCdmModule, GetCdmVersion, InitializeCdmModule_4, VerifyCdmHost_0,
};

//! What ClearKey says and is told: key ids, initialization data, license requests, licenses, releases.
//!
//! This crate turns bytes from strangers into values that need no second look, and back. It
//! decrypts nothing, keeps no session and knows no container; it only reads and writes the formats of
//!
//! * Encrypted Media Extensions (EME), editor's draft of 7 July 2026: section "Clear Key" and the
//!   registry of initialization data formats,
//! * JSON Web Keys (RFC 7517) and their base64url (RFC 7515, section 2),
//! * the `pssh` box of Common Encryption (ISO/IEC 23001-7).
//!
//! # The exchange
//!
//! A stream names its keys in initialization data. A CDM makes a [`LicenseRequest`] of them:
//!
//! ```json
//! {"kids":["LwVHf8JLtPrv2GUXFW2v_A"],"type":"temporary"}
//! ```
//!
//! A server answers with a [`License`], a JWK set:
//!
//! ```json
//! {
//!   "keys": [{"kty": "oct", "k": "tQ0bJVWb6b0KPL6KtZIy_A", "kid": "LwVHf8JLtPrv2GUXFW2v_A"}],
//!   "type": "temporary"
//! }
//! ```
//!
//! When a persistent license is given up, the CDM sends a [`LicenseRelease`], and the server answers
//! with the same:
//!
//! ```json
//! {"kids":["LwVHf8JLtPrv2GUXFW2v_A"]}
//! ```
//!
//! All of it in Rust:
//!
//! ```
//! use clearkey::{InitData, Jwk, KeyId, LicenseRequest, Response, SessionType};
//!
//! let kid: KeyId = "LwVHf8JLtPrv2GUXFW2v_A".parse()?;
//!
//! // The CDM's side.
//! let init_data = InitData::parse("keyids", br#"{"kids":["LwVHf8JLtPrv2GUXFW2v_A"]}"#)?;
//! let request = LicenseRequest::new(init_data.kids().to_vec(), SessionType::Temporary)?;
//! let message = request.to_json();
//! assert_eq!(message, br#"{"kids":["LwVHf8JLtPrv2GUXFW2v_A"],"type":"temporary"}"#);
//!
//! // The server's side.
//! let request = LicenseRequest::parse(&message)?;
//! let answer = request.answer(|asked| (*asked == kid).then(|| Jwk::new(kid.clone(), [7; 16])));
//! let license = answer.license.expect("the key is known");
//!
//! // The CDM's side again.
//! let Response::License(license) = Response::parse(&license.to_json())? else { panic!() };
//! assert_eq!(license.keys[0].kid(), &kid);
//! # Ok::<(), clearkey::Error>(())
//! ```
//!
//! # Errors
//!
//! An [`Error`] says which member or octet is wrong; [`Error::exception`] is what a web page is told.
//!
//! # Secrets
//!
//! A key is wiped when its [`Jwk`] goes, is left out of `Debug`, and never occurs in an [`Error`].
//! A license that is written is wiped when it goes; one that is read belongs to the caller, who wipes
//! it.

#![forbid(unsafe_code)]

mod cursor;
mod error;
mod exception;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod init_data;
mod json;
mod key_id;
mod kids;
mod message;
mod quote;
mod session_type;

pub mod base64url;
pub mod key_text;
pub mod limits;
pub mod pssh;

pub use error::Error;
pub use exception::Exception;
pub use init_data::{InitData, InitDataType};
pub use key_id::KeyId;
pub use message::{
    Answer, CdmMessage, Jwk, KeyOctets, License, LicenseRelease, LicenseRequest, Response,
};
pub use quote::quote;
pub use session_type::SessionType;

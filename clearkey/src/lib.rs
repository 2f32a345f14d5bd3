//! What ClearKey says and is told: key ids, `pssh` boxes and licenses.
//!
//! This crate turns bytes from strangers into values that need no second look, and back. It
//! decrypts nothing, keeps no session and knows no container; it only reads the formats of
//!
//! * Encrypted Media Extensions (EME), editor's draft of 7 July 2026: section "Clear Key" and the
//!   "cenc" entry of the initialization data registry,
//! * JSON Web Keys (RFC 7517) and their base64url (RFC 7515, section 2),
//! * the `pssh` box of Common Encryption (ISO/IEC 23001-7).
//!
//! # From initialization data to a key
//!
//! ```
//! use clearkey::pssh::{self, Pssh};
//! use clearkey::{KeyId, License};
//!
//! // A packager puts key ids into a box, and a player finds them there.
//! let kid: KeyId = "7e571d03-7e57-1d03-7e57-1d037e571d03".parse()?;
//! let init_data = Pssh::common(vec![kid.clone()])?.to_bytes();
//! assert_eq!(pssh::common_kids(&init_data)?, [kid.clone()]);
//!
//! // A server answers with a JWK set.
//! let license = License::parse(
//!     br#"{"keys":[{"kty":"oct","kid":"flcdA35XHQN-Vx0DflcdAw","k":"BAUGBwgJCgsMDQ4PEBESEw"}]}"#,
//! )?;
//! assert_eq!(*license.keys[0].kid(), kid);
//! assert_eq!(license.keys[0].key()[0], 0x04);
//! # Ok::<(), clearkey::Error>(())
//! ```
//!
//! # Secrets
//!
//! A key is wiped when its [`Jwk`] goes, is left out of `Debug`, and never occurs in an [`Error`].
//! The bytes of a license belong to the caller, who wipes them.

#![forbid(unsafe_code)]

mod cursor;
mod error;
mod exception;
mod json;
mod key_id;
mod license;
mod quote;
mod session_type;

pub mod base64url;
pub mod limits;
pub mod pssh;

pub use error::Error;
pub use exception::Exception;
pub use key_id::KeyId;
pub use license::{Jwk, License};
pub use session_type::SessionType;

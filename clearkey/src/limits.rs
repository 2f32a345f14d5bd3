//! How much this crate reads, and why no more.
//!
//! Lengths are in octets and inclusive. EME asks for "reasonable" limits and names none, so these
//! are Chromium's (`media/base/limits.h`) wherever it has one: what plays there is read here.

use std::ops::RangeInclusive;

use crate::Error;

/// Initialization data. The web-platform-tests want 70,000 octets refused.
pub const INIT_DATA: usize = 65_536;

/// A key: AES-128 has no other length (ISO/IEC 23001-7).
pub const KEY: usize = 16;

/// A key id. MP4 has 16 octets; WebM and JWK leave the length open, from 1 octet on.
pub const KEY_ID: usize = 512;

/// Key ids in one piece of initialization data: one license request has to name them all.
pub const KIDS: usize = 128;

/// A license. The web-platform-tests want 68,084 octets refused. The keys in it have no limit of
/// their own: about 1,200 of the shortest fill it.
pub const LICENSE: usize = 65_536;

/// A license request, as a server reads it: [`KIDS`] key ids of [`KEY_ID`] octets are 88,000 octets of
/// JSON.
pub const REQUEST: usize = 131_072;

/// Refuses a length that is not allowed.
pub(crate) fn check(
    what: &'static str,
    len: usize,
    allowed: RangeInclusive<usize>,
) -> Result<(), Error> {
    if allowed.contains(&len) { Ok(()) } else { Err(Error::Length { what, len, allowed }) }
}

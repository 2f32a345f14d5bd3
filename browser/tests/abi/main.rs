//! The CDM as a host sees it: through the pointers of the interface.
// Tests may panic.
#![allow(clippy::unwrap_used)]

mod decrypting;
mod library;
mod reentrancy;
mod sessions;
mod storage;
mod support;

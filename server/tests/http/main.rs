//! The service as clients see it: requests in, answers out, no network.
#![forbid(unsafe_code)]
// Tests may panic.
#![allow(clippy::unwrap_used)]

mod support;

mod cors;
mod licenses;
mod media;
mod observed;
mod page;

//! Sessions as applications use them: W3C's tests, the scripts of `fixtures/vectors`, and the laws that
//! hold for any sequence of calls.
// Tests may panic.
#![allow(clippy::unwrap_used)]

mod events;
mod lifetimes;
mod messages;
mod persistent;
mod scripts;
mod shown;
mod steps;
mod stores;
mod support;
mod w3c;

//! A ClearKey license server: HTTP requests in, answers out, without a network.
//!
//! [`Server::router`] is a `tower` service that any listener can be put in front of, and that tests and fuzzers
//! call as it is. The `clearkey serve` command binds it.
//!
//! | address | |
//! |---|---|
//! | `POST /` | what a CDM says in a `message` event, of whatever content type; the answer is a license (a JWK set), or the acknowledgement of a release |
//! | `GET /` | the player page; its parts are under `/page/` |
//! | `GET /streams` | what the page can choose from |
//! | `GET /media/…` | the streams of [`Settings::media`], with byte ranges |
//! | `GET /healthz` | `ok` |
//! | `GET /metrics` | numbers for Prometheus |
//!
//! Answers that say no are JSON, `{"error":"…"}`, and, as all others, may be read by pages of any origin, or of
//! [`Settings::origins`].
//!
//! ```
//! use clearkey::{Jwk, KeyId};
//! use server::{KeySources, KeyStore, reply};
//!
//! let fixed = vec![Jwk::new(KeyId::new([1])?, [7; 16])];
//! let keys = KeyStore::open(KeySources { fixed, ..KeySources::default() })?;
//! let reply = reply(&keys, br#"{"kids":["AQ"],"type":"temporary"}"#).expect("the key is known");
//! assert_eq!(
//!     *reply.json,
//!     br#"{"keys":[{"kty":"oct","k":"BwcHBwcHBwcHBwcHBwcHBw","kid":"AQ"}],"type":"temporary"}"#
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod app;
mod cors;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod json;
mod keys;
mod license;
mod media;
mod metrics;
mod observe;
mod page;
mod rate;
mod refused;
mod streams;
mod watch;

pub use {
    app::{Connection, Server, Settings},
    cors::Origin,
    error::Error,
    keys::{KeySources, KeyStore, Refresh, Seed},
    license::{Refusal, Reply, reply},
    watch::{NoFile, Watch},
};

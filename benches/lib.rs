//! What the benches share: streams to work on, and all that can work on them.
//!
//! ```text
//! cases, stream, fixture, buffer    samples, how they are protected, and their bytes
//! means, ours                       whoever works on them, by name; the kernels of `cenc`
//! peer, peer_*                      peers, called once for each run of protected bytes
//! bound                             what no implementation can be faster than
//! turns, chart                      timing in turns, and a picture of it
//! ```

mod bound;
mod buffer;
pub mod cases;
pub mod chart;
mod fixture;
mod means;
mod ours;
mod peer;
mod peer_aws_lc;
mod peer_openssl;
mod peer_rust_crypto;
mod stream;
pub mod turns;

pub use bound::Bound;
pub use buffer::Buffer;
pub use means::{Means, Run};
pub use stream::{Shape, Stream};

/// The key of all benches.
pub const KEY: [u8; 16] = *b"clearkey benches";

//! WebM (RFC 9559, of which it is a part) with its own Common Encryption: the WebM container
//! guidelines' "WebM Encryption".

mod block;
mod cluster;
mod describe;
mod ebml;
mod encrypt;
mod first_frame;
mod frame;
mod ids;
mod input;
mod planner;
mod relocate;
mod segment_index;
mod tracks;

#[cfg(test)]
mod testing;

pub(crate) use {describe::describe, segment_index::segment_index};
pub use {encrypt::Encryptor, planner::Planner};

//! MP4 (ISO/IEC 14496-12) with Common Encryption (ISO/IEC 23001-7) or PIFF 1.1.

mod aux_info;
mod boxes;
mod builder;
mod cursor;
mod describe;
mod encrypt;
mod fragment;
mod groups;
mod input;
mod movie;
mod planner;
mod protection;
mod protection_boxes;
mod relocate;
mod sample_entry;
mod sample_table;
mod samples;
mod segment_index;
mod track_fragment;
mod unit;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod vectors;

pub(crate) use {
    describe::{describe, is_language},
    segment_index::segment_index,
};
pub use {encrypt::Encryptor, planner::Planner, relocate::relocate};

//! MP4 (ISO/IEC 14496-12) with Common Encryption (ISO/IEC 23001-7) or PIFF 1.1.

mod aux_info;
mod boxes;
mod builder;
mod cursor;
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

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod vectors;

pub use {planner::Planner, relocate::relocate};

//! What is to be protected, and how: the part of encrypting that no format decides.

mod ivs;
mod settings;
mod subsamples;

pub use settings::{IvSettings, Settings, TrackKey, TrackSettings};
pub(crate) use {
    ivs::Ivs,
    subsamples::{SampleMap, push_subsample},
};

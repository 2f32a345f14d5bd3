//! What is to be protected, and how: the part of encrypting that no format decides.

mod encryptor;
mod ivs;
mod schedule;
mod settings;
mod subsamples;

pub use {
    encryptor::Encryptor,
    settings::{IvSettings, Settings, TrackKey, TrackSettings},
};
pub(crate) use {
    ivs::Ivs,
    schedule::Schedule,
    settings::Ordered,
    subsamples::{SampleMap, push_subsample},
};

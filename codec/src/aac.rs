//! To be written.

use crate::{Error, Protected, Tally};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {}

impl Config {
    pub(crate) fn from_esds(_: &[u8]) -> Result<Option<Self>, Error> {
        Ok(Some(Self {}))
    }

    pub(crate) fn from_audio_specific_config(_: &[u8]) -> Result<Option<Self>, Error> {
        Ok(Some(Self {}))
    }
}

pub(crate) fn check(_: &Config, _: &[u8], _: &Protected<'_>, _: &mut Tally) {}

//! To be written.

use crate::{Error, Protected, Tally};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {}

impl Config {
    pub(crate) fn read(_: &[u8]) -> Result<Self, Error> {
        Ok(Self {})
    }
}

pub(crate) fn check(_: &Config, _: &[u8], _: &Protected<'_>, _: &mut Tally) {}

//! Plans an input of any format unit by unit, so that it can be encrypted.

use std::ops::Range;

use super::Settings;
use crate::{Edit, Error, ReadAt, ReadyPlan, Relocation, mp4, planner::is_webm, webm};

/// Plans how an input is encrypted. All of the input has to be there, and it is gone over twice:
///
/// 1. All units are planned, and all their edits added to a [`Relocation`].
/// 2. Of each unit, windows are read, [encrypted](ReadyPlan::encrypt), its overwrites and
///    [corrections](Self::relocate) written, and its [pieces](ReadyPlan::pieces) put out.
#[derive(Clone, Debug)]
pub struct Encryptor {
    format: Format,
}

#[derive(Clone, Debug)]
enum Format {
    /// It shows in the input.
    Unknown(Settings),
    Mp4(Box<mp4::Encryptor>),
    WebM(webm::Encryptor),
}

impl Encryptor {
    /// An encryptor for one input, from its start.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { format: Format::Unknown(settings) }
    }

    /// Plans the unit that follows the last one; `None` at the end of the input.
    ///
    /// # Errors
    /// What is wrong with the settings or the input. The encryptor is of no use after an error.
    pub fn next_unit(&mut self, input: &dyn ReadAt) -> Result<Option<ReadyPlan>, Error> {
        match &mut self.format {
            Format::Mp4(encryptor) => encryptor.next_unit(input),
            Format::WebM(encryptor) => encryptor.next_unit(input),
            Format::Unknown(settings) => {
                let settings = settings.clone();
                self.format = match is_webm(input, true)? {
                    Some(true) => Format::WebM(webm::Encryptor::new(settings)),
                    _ => Format::Mp4(Box::new(mp4::Encryptor::new(settings))),
                };
                self.next_unit(input)
            }
        }
    }

    /// The edits that make a unit's own offsets and lengths true again after `relocation`, which knows
    /// the edits of all units.
    ///
    /// # Errors
    /// As planning the same unit, and what cannot be moved.
    pub fn relocate(
        &self,
        input: &dyn ReadAt,
        unit: Range<u64>,
        relocation: &Relocation,
    ) -> Result<Vec<Edit>, Error> {
        match is_webm(input, true)? {
            // Its plans are right already.
            Some(true) => Ok(Vec::new()),
            _ => mp4::relocate(input, unit, relocation),
        }
    }
}

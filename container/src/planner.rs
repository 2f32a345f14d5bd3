//! Cuts an input of any format into units, and plans each of them.

use std::ops::Range;

use crate::{Edit, Error, Plan, ReadAt, Relocation, mp4};

/// Plans an input unit by unit. Holds what units need of the headers before them.
#[derive(Clone, Debug, Default)]
pub struct Planner {
    format: Format,
}

/// The format of an input, which shows in its first bytes.
#[derive(Clone, Debug)]
enum Format {
    Mp4(mp4::Planner),
}

impl Default for Format {
    fn default() -> Self {
        Self::Mp4(mp4::Planner::default())
    }
}

/// What a planner answers.
#[derive(Debug)]
pub enum Step {
    /// The next unit of the input. It is all there.
    Unit(Plan),
    /// More of the input is needed, up to this offset if there is as much.
    More(u64),
    /// The whole input is needed: it is a progressive file.
    Everything,
    /// The input has ended, and all of it has been planned.
    End,
}

impl Planner {
    /// A planner for an input from its start.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A planner for media segments that come without their init segment.
    ///
    /// # Errors
    /// Whatever can be wrong with `init`, or that it declares no track.
    pub fn with_init(init: &dyn ReadAt) -> Result<Self, Error> {
        Ok(Self { format: Format::Mp4(mp4::Planner::with_init(init)?) })
    }

    /// Plans the unit that follows the last one.
    ///
    /// `input` has at least the bytes from the end of the last unit on; if `whole`, then nothing
    /// comes after them.
    ///
    /// # Errors
    /// What is wrong with the input. The planner is of no use after an error.
    pub fn next_unit(&mut self, input: &dyn ReadAt, whole: bool) -> Result<Step, Error> {
        match &mut self.format {
            Format::Mp4(planner) => planner.next_unit(input, whole),
        }
    }

    /// The edits that make a unit's own offsets and lengths true again after `relocation`: see
    /// [`mp4::relocate`].
    ///
    /// # Errors
    /// As planning the same unit, and what cannot be moved.
    pub fn relocate(
        &self,
        input: &dyn ReadAt,
        unit: Range<u64>,
        relocation: &Relocation,
    ) -> Result<Vec<Edit>, Error> {
        match &self.format {
            Format::Mp4(_) => mp4::relocate(input, unit, relocation),
        }
    }
}

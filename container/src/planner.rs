//! Cuts an input of any format into units, and plans each of them.

use std::ops::Range;

use crate::{Edit, Error, Plan, ReadAt, Relocation, mp4, webm};

/// Plans an input unit by unit. Holds what units need of the headers before them.
#[derive(Clone, Debug, Default)]
pub struct Planner {
    format: Format,
}

/// The format of an input, which shows in its first bytes.
#[derive(Clone, Debug, Default)]
enum Format {
    #[default]
    Unknown,
    Mp4(mp4::Planner),
    WebM(webm::Planner),
}

/// What EBML begins with, and so WebM.
const EBML: [u8; 4] = [0x1a, 0x45, 0xdf, 0xa3];

/// Whether an input is WebM; `None` if too little of it has come.
pub(crate) fn is_webm(input: &dyn ReadAt, whole: bool) -> Result<Option<bool>, Error> {
    let there = input.available().end.min(EBML.len() as u64);
    let mut bytes = EBML;
    let start = bytes.split_at_mut(usize::try_from(there).unwrap_or(EBML.len())).0;
    input.fill(0, start)?;
    let is_all_there = start.len() == EBML.len();
    Ok((is_all_there || whole).then(|| is_all_there && bytes == EBML))
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
        let format = match is_webm(init, true)? {
            Some(true) => Format::WebM(webm::Planner::with_init(init)?),
            _ => Format::Mp4(mp4::Planner::with_init(init)?),
        };
        Ok(Self { format })
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
            Format::WebM(planner) => planner.next_unit(input, whole),
            Format::Unknown => {
                self.format = match is_webm(input, whole)? {
                    Some(true) => Format::WebM(webm::Planner::new()),
                    Some(false) => Format::Mp4(mp4::Planner::new()),
                    None => return Ok(Step::More(EBML.len() as u64)),
                };
                self.next_unit(input, whole)
            }
        }
    }

    /// The edits that make the offsets and lengths of a unit true again after `relocation`: see
    /// [`mp4::relocate`] and [`webm::Planner::relocate`]. The unit is the one that was planned last.
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
            Format::Unknown => Ok(Vec::new()),
            Format::Mp4(_) => mp4::relocate(input, unit, relocation),
            Format::WebM(planner) => planner.relocate(input, unit, relocation),
        }
    }
}

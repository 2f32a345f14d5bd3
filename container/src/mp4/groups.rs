//! Sample groups of type `seig`: which key serves which samples (ISO/IEC 14496-12, 8.9;
//! 23001-7, 6). This is how keys rotate.

use crate::{
    Error, FourCc,
    mp4::{boxes::Mp4Box, cursor::Cursor, protection::Encryption},
};

const SEIG: [u8; 4] = *b"seig";

/// In `sbgp`, indices above this one point into the `sgpd` of the same fragment.
const FRAGMENT_LOCAL: u32 = 0x1_0000;

/// Whether an `sgpd`, `sbgp` or `csgp` box is about `seig`.
pub(crate) fn is_seig(group_box: &Mp4Box<'_, '_>) -> Result<bool, Error> {
    let mut fields = group_box.fields();
    fields.version_and_flags()?;
    Ok(fields.array::<4>("grouping_type")? == SEIG)
}

/// The entries of one `sgpd` box.
#[derive(Clone, Debug, Default)]
pub(crate) struct Descriptions {
    pub(crate) entries: Vec<Encryption>,
    /// The entry for samples that no `sbgp` run covers, from 1; 0 is none.
    default_index: u32,
}

impl Descriptions {
    /// Reads an `sgpd` box of type `seig`.
    pub(crate) fn read(sgpd: &Mp4Box<'_, '_>) -> Result<Self, Error> {
        let mut fields = sgpd.fields();
        let (version, _) = fields.version_and_flags()?;
        let grouping = FourCc(fields.array("grouping_type")?);
        debug_assert_eq!(grouping, FourCc(SEIG));
        match version {
            0 => Self::entries(fields, None, 0),
            1 => Self::lengths(fields, false),
            // Editions differ in whether version 2 has lengths: the box has to come out even.
            _ => Self::lengths(fields, true).or_else(|_| {
                let default_index = fields.u32("default_group_description_index")?;
                Self::entries(fields, None, default_index)
            }),
        }
    }

    fn lengths(mut fields: Cursor<'_, '_>, has_default: bool) -> Result<Self, Error> {
        let length = fields.u32("default_length")?;
        let default_index =
            if has_default { fields.u32("default_group_description_index")? } else { 0 };
        Self::entries(fields, Some(length), default_index)
    }

    /// `length`: of each entry; 0 says that each states its own, none that no one does.
    fn entries(
        mut fields: Cursor<'_, '_>,
        length: Option<u32>,
        default_index: u32,
    ) -> Result<Self, Error> {
        let count = fields.u32("entry_count")?;
        let mut entries = Vec::new();
        for _ in 0..count {
            let length = match length {
                Some(0) => Some(fields.u32("description_length")?),
                other => other,
            };
            let mut entry = fields;
            let encryption = Encryption::seig(&mut entry)?;
            fields = match length.and_then(|length| usize::try_from(length).ok()) {
                None => entry,
                Some(length) => {
                    let mut behind = fields;
                    behind.bytes(length, "seig")?;
                    if entry.at() > behind.at() {
                        return Err(fields.malformed(format!("a `seig` entry of {length} bytes")));
                    }
                    behind
                }
            };
            entries.push(encryption);
        }
        if !fields.rest().is_empty() {
            return Err(fields.malformed("bytes behind the last `seig` entry"));
        }
        Ok(Self { entries, default_index })
    }
}

/// Walks the runs of an `sbgp` box sample by sample.
pub(crate) struct Assignment<'d, 'a> {
    sbgp: Option<&'a Mp4Box<'d, 'a>>,
    runs: &'d [u8],
    left: u32,
    index: u32,
}

impl<'d, 'a> Assignment<'d, 'a> {
    /// `None`: no sample is in a group.
    pub(crate) fn new(sbgp: Option<&'a Mp4Box<'d, 'a>>) -> Result<Self, Error> {
        let mut runs: &[u8] = &[];
        if let Some(sbgp) = sbgp {
            let mut fields = sbgp.fields();
            let (version, _) = fields.version_and_flags()?;
            fields.u32("grouping_type")?;
            if version == 1 {
                fields.u32("grouping_type_parameter")?;
            }
            let count = fields.u32("entry_count")?;
            runs = fields.table(count, 8, "sample_count and group_description_index")?;
        }
        Ok(Self { sbgp, runs, left: 0, index: 0 })
    }

    /// The group index of the next sample; `None` behind the last run.
    pub(crate) fn next_index(&mut self) -> Option<u32> {
        while self.left == 0 {
            let (run, rest) = self.runs.split_first_chunk::<8>()?;
            let [a, b, c, d, index @ ..] = *run;
            (self.left, self.index) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes(index));
            self.runs = rest;
        }
        self.left -= 1;
        Some(self.index)
    }

    /// Checks that the runs did not go on behind the last of `samples`.
    pub(crate) fn finish(mut self, samples: u64) -> Result<(), Error> {
        let beyond = self.next_index().is_some();
        match self.sbgp {
            Some(sbgp) if beyond => Err(Error::SampleGroup {
                place: sbgp.place(),
                what: format!("its runs cover more than the {samples} samples there are"),
            }),
            _ => Ok(()),
        }
    }
}

/// The two lists that a group index can point into.
#[derive(Clone, Copy)]
pub(crate) struct Groups<'a> {
    /// Of the fragment.
    pub(crate) local: Option<&'a Descriptions>,
    /// Of the movie.
    pub(crate) track: Option<&'a Descriptions>,
}

impl<'a> Groups<'a> {
    /// What an index from `sbgp` stands for: `Ok(None)` is the track's default.
    pub(crate) fn find(
        self,
        index: Option<u32>,
        sbgp: Option<&Mp4Box<'_, '_>>,
    ) -> Result<Option<&'a Encryption>, Error> {
        let (list, index) = match index {
            Some(index) if index > FRAGMENT_LOCAL => (self.local, index - FRAGMENT_LOCAL),
            Some(index) => (self.track, index),
            None => match (self.local, self.track) {
                (Some(local), _) if local.default_index > 0 => (self.local, local.default_index),
                (_, Some(track)) => (self.track, track.default_index),
                _ => (None, 0),
            },
        };
        let Some(position) = index.checked_sub(1) else { return Ok(None) };
        let found = list.and_then(|list| list.entries.get(usize::try_from(position).ok()?));
        match (found, sbgp) {
            (Some(encryption), _) => Ok(Some(encryption)),
            (None, Some(sbgp)) => Err(Error::SampleGroup {
                place: sbgp.place(),
                what: format!("no `seig` entry has the group index {index}"),
            }),
            // A default without its entry, and no `sbgp` that would ask for it.
            (None, None) => Ok(None),
        }
    }
}

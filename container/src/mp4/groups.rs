//! Sample groups of type `seig`: which key serves which samples (ISO/IEC 14496-12, 8.9;
//! 23001-7, 6). This is how keys rotate.

use crate::{
    Error, FourCc,
    mp4::{boxes::Mp4Box, cursor::Cursor, protection::Encryption},
};

pub(crate) const SEIG: [u8; 4] = *b"seig";

/// In `sbgp`, indices above this one point into the `sgpd` of the same fragment.
pub(crate) const FRAGMENT_LOCAL: u32 = 0x1_0000;

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

#[cfg(test)]
mod tests {
    use clearkey::KeyId;

    use super::*;
    use crate::mp4::testing::{Written, full, opened, told};

    /// A `seig` entry that is told from others by its key id.
    fn seig(kid: u8) -> Vec<u8> {
        [&[0, 0, 1, 8], [kid; 16].as_slice()].concat()
    }

    fn sgpd(version: u8) -> Written {
        full(b"sgpd", version, 0).put(b"seig")
    }

    fn read(sgpd: &Written) -> Result<Descriptions, Error> {
        Descriptions::read(&opened(sgpd))
    }

    /// The key ids of the entries, each by its first octet, and the default index.
    fn found(sgpd: &Written) -> (Vec<u8>, u32) {
        let Descriptions { entries, default_index } = read(sgpd).unwrap();
        (entries.iter().map(|entry| entry.kid.as_bytes()[0]).collect(), default_index)
    }

    #[test]
    fn lengths_of_entries_depend_on_the_version() {
        let (a, b) = (seig(0xa), seig(0xb));
        let constant = [&[0, 0, 1, 0], [0xc; 16].as_slice(), &[8], &[7; 8]].concat();
        // The lengths stand nowhere, in front of all, or in front of each.
        assert_eq!(found(&sgpd(0).u32(2).put(&a).put(&b)), (vec![0xa, 0xb], 0));
        assert_eq!(found(&sgpd(0).u32(2).put(&constant).put(&b)), (vec![0xc, 0xb], 0));
        assert_eq!(found(&sgpd(1).u32(20).u32(2).put(&a).put(&b)), (vec![0xa, 0xb], 0));
        let each = |sgpd: Written| sgpd.u32(2).u32(29).put(&constant).u32(20).put(&b);
        assert_eq!(found(&each(sgpd(1).u32(0))), (vec![0xc, 0xb], 0));
        // Version 2 of one edition has lengths and a default, of another a default alone.
        assert_eq!(found(&sgpd(2).u32(20).u32(2).u32(2).put(&a).put(&b)), (vec![0xa, 0xb], 2));
        assert_eq!(found(&each(sgpd(2).u32(0).u32(1))), (vec![0xc, 0xb], 1));
        assert_eq!(found(&sgpd(2).u32(2).u32(2).put(&a).put(&b)), (vec![0xa, 0xb], 2));
        assert_eq!(found(&sgpd(2).u32(0).u32(2).put(&constant).put(&b)), (vec![0xc, 0xb], 0));
        assert_eq!(found(&sgpd(3).u32(1).u32(1).put(&a)), (vec![0xa], 1));
        for version in 0..=3 {
            let empty = (0..version.min(2)).fold(sgpd(version), |sgpd, _| sgpd.u32(0)).u32(0);
            assert_eq!(found(&empty), (vec![], 0));
        }
    }

    #[test]
    fn an_entry_may_be_longer_than_we_know() {
        let longer = |sgpd: Written| sgpd.u32(2).put(seig(1)).zeros(4).put(seig(2)).zeros(4);
        assert_eq!(found(&longer(sgpd(1).u32(24))), (vec![1, 2], 0));
        assert_eq!(found(&sgpd(1).u32(0).u32(1).u32(21).put(seig(1)).u8(0xff)), (vec![1], 0));
    }

    #[test]
    fn a_list_of_entries_comes_out_even() {
        let message = |sgpd: &Written| told(read(sgpd));
        assert_eq!(
            message(&sgpd(1).u32(19).u32(1).put(seig(1))),
            "`sgpd` at byte 1024: a `seig` entry of 19 bytes"
        );
        assert_eq!(
            message(&sgpd(1).u32(21).u32(1).put(seig(1))),
            "`sgpd` at byte 1024: the box ends inside its field seig"
        );
        // What is said of version 2 comes from its second reading.
        for (sgpd, at) in [(sgpd(0), 1040), (sgpd(1).u32(20), 1044), (sgpd(2).u32(20).u32(0), 1024)]
        {
            assert_eq!(
                message(&sgpd.u32(1).put(seig(1)).u8(0)),
                format!("`sgpd` at byte {at}: bytes behind the last `seig` entry")
            );
        }
        let protected = sgpd(0).u32(1).put([0, 0, 1, 9]).put([1; 16]);
        assert!(message(&protected).ends_with(": an IV size of 9, neither 0, 8 nor 16"));
    }

    #[test]
    fn no_part_of_a_list_is_a_list() {
        for whole in [
            sgpd(0).u32(2).put(seig(1)).put(seig(2)),
            sgpd(1).u32(20).u32(2).put(seig(1)).put(seig(2)),
            sgpd(1).u32(0).u32(2).u32(20).put(seig(1)).u32(20).put(seig(2)),
            sgpd(2).u32(20).u32(1).u32(2).put(seig(1)).put(seig(2)),
            sgpd(2).u32(1).u32(2).put(seig(1)).put(seig(2)),
        ] {
            assert_eq!(found(&whole).0, [1, 2]);
            for end in 16..whole.as_ref().len() {
                assert!(Descriptions::read(&opened(&whole.as_ref()[..end])).is_err(), "{end}");
            }
        }
        assert!(read(&sgpd(0).u32(u32::MAX)).is_err());
    }

    #[test]
    fn only_seig_is_about_encryption() {
        assert!(is_seig(&opened(&sgpd(1))).unwrap());
        assert!(!is_seig(&opened(&full(b"sbgp", 1, 0).put(b"roll"))).unwrap());
        assert_eq!(
            told(is_seig(&opened(&full(b"sbgp", 0, 0).put(b"sei")))),
            "`sbgp` at byte 1012: the box ends inside its field grouping_type"
        );
    }

    /// `sbgp` with runs of sample_count and group_description_index.
    fn sbgp(version: u8, runs: &[(u32, u32)]) -> Written {
        let start = full(b"sbgp", version, 0).put(b"seig");
        let start = if version == 1 { start.put(b"para") } else { start };
        let start = start.u32(u32::try_from(runs.len()).unwrap());
        runs.iter().fold(start, |sbgp, &(samples, index)| sbgp.u32(samples).u32(index))
    }

    #[test]
    fn runs_assign_indices_sample_by_sample() {
        for version in [0, 1] {
            let sbgp = sbgp(version, &[(2, 7), (0, 8), (1, 0), (0, 9), (2, 0x1_0001), (0, 3)]);
            let sbgp = opened(&sbgp);
            let mut assignment = Assignment::new(Some(&sbgp)).unwrap();
            let indices = [(); 7].map(|()| assignment.next_index());
            let [seven, none, local] = [7, 0, 0x1_0001].map(Some);
            assert_eq!(indices, [seven, seven, none, local, local, None, None]);
            assert!(assignment.finish(7).is_ok());
        }
        assert_eq!(Assignment::new(None).unwrap().next_index(), None);
    }

    #[test]
    fn runs_do_not_go_on_behind_the_samples() {
        for (samples, fits) in [(3, false), (4, false), (5, true), (6, true)] {
            let sbgp = sbgp(0, &[(4, 1), (1, 2), (0, 9)]);
            let sbgp = opened(&sbgp);
            let mut assignment = Assignment::new(Some(&sbgp)).unwrap();
            (0..samples).for_each(|_| _ = assignment.next_index());
            match assignment.finish(samples) {
                Ok(()) => assert!(fits),
                Err(error) => {
                    assert!(!fits);
                    let what = format!("its runs cover more than the {samples} samples there are");
                    assert_eq!(error.to_string(), format!("`sbgp` at byte 1000: {what}"));
                }
            }
        }
        assert_eq!(
            told(
                Assignment::new(Some(&opened(&full(b"sbgp", 0, 0).put(b"seig").u32(1).u32(1))))
                    .map(drop)
            ),
            "`sbgp` at byte 1020: 1 entries of sample_count and group_description_index, 8 bytes \
             each, in 4 bytes"
        );
    }

    #[test]
    fn an_index_points_into_the_list_of_the_fragment_or_of_the_movie() {
        let local = read(&sgpd(0).u32(2).put(seig(0xa)).put(seig(0xb))).unwrap();
        let track = read(&sgpd(0).u32(1).put(seig(0xc))).unwrap();
        let groups = Groups { local: Some(&local), track: Some(&track) };
        let sbgp = sbgp(0, &[]);
        let sbgp = opened(&sbgp);
        let found = |groups: Groups<'_>, index| {
            let found = groups.find(Some(index), Some(&sbgp));
            found.map(|found| found.map(|encryption| encryption.kid.clone()))
        };
        let kid = |octet: u8| Some(KeyId::from([octet; 16]));
        for (index, expected) in
            [(0, None), (1, kid(0xc)), (0x1_0001, kid(0xa)), (0x1_0002, kid(0xb))]
        {
            assert_eq!(found(groups, index).unwrap(), expected, "{index:#x}");
        }
        let only_track = Groups { local: None, track: Some(&track) };
        let neither = Groups { local: None, track: None };
        for (groups, index) in [
            (groups, 2),
            (groups, 0x1_0000),
            (groups, 0x1_0003),
            (groups, u32::MAX),
            (only_track, 0x1_0001),
            (neither, 1),
        ] {
            let error = found(groups, index).unwrap_err();
            assert!(matches!(error, Error::SampleGroup { .. }), "{index:#x}");
            let message = error.to_string();
            let start = "`sbgp` at byte 1000: no `seig` entry has the group index ";
            assert!(message.starts_with(start), "{message}");
        }
    }

    #[test]
    fn samples_behind_the_runs_have_the_default_of_version_2() {
        let with_default =
            |kid, default| read(&sgpd(2).u32(default).u32(1).put(seig(kid))).unwrap();
        let (local, track, none) = (with_default(1, 1), with_default(2, 1), with_default(3, 0));
        let found = |local, track| {
            let found = Groups { local, track }.find(None, None).unwrap();
            found.map(|encryption| encryption.kid.as_bytes()[0])
        };
        assert_eq!(found(Some(&local), Some(&track)), Some(1));
        assert_eq!(found(Some(&none), Some(&track)), Some(2));
        assert_eq!(found(None, Some(&track)), Some(2));
        assert_eq!(found(Some(&none), Some(&none)), None);
        assert_eq!(found(Some(&local), None), Some(1));
        assert_eq!(found(None, None), None);
    }

    #[test]
    fn a_default_without_its_entry_is_an_error() {
        let list = read(&sgpd(2).u32(2).u32(1).put(seig(1))).unwrap();
        assert_eq!(list.default_index, 2);
        let sbgp = sbgp(0, &[]);
        let groups = Groups { local: None, track: Some(&list) };
        let message = told(groups.find(None, Some(&opened(&sbgp))).map(|_| ()));
        assert_eq!(message, "`sbgp` at byte 1000: no `seig` entry has the group index 2");
    }
}

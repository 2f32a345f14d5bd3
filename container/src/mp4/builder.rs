//! A plan in the making: collects samples and edits, and refuses those that cannot be.

use std::ops::Range;

use cenc::{Iv, Subsample};
use clearkey::InitDataType;

use crate::{
    Error, Place,
    edit::{Change, Edit},
    mp4::boxes::Mp4Box,
    plan::{AuxInfo, InitData, Plan, Protection, Sample, Scope},
};

/// PIFF's `pssh`.
pub(crate) const PIFF_PSSH: [u8; 16] = [
    0xd0, 0x8a, 0x4f, 0x18, 0x10, 0xf3, 0x4a, 0x82, 0xb6, 0xc8, 0x32, 0xd8, 0xab, 0xa1, 0x83, 0xd3,
];

pub(crate) struct Builder {
    pub(crate) plan: Plan,
    /// Where the unit begins, and the furthest byte that its samples need.
    start: u64,
    pub(crate) end: u64,
    /// Where the input ends, if that is known.
    input_end: Option<u64>,
    /// Bytes of samples so far. More of them than the unit is long means that they overlap.
    claimed: u64,
    /// Samples that will be told of as protected, though nothing in them is: their bytes and their tracks.
    still: Vec<(Range<u64>, u32)>,
    /// The `moov` and `moof` boxes, in which no sample can lie.
    headers: Vec<Range<u64>>,
    /// Where the last `pssh` box ended.
    pssh_end: Option<u64>,
}

/// The state to which a failed attempt is taken back.
pub(crate) struct Mark {
    samples: usize,
    ivs: usize,
    subsamples: usize,
    protections: usize,
}

impl Builder {
    pub(crate) fn new(start: u64, input_end: Option<u64>) -> Self {
        Self {
            plan: Plan::default(),
            start,
            end: start,
            input_end,
            claimed: 0,
            still: Vec::new(),
            headers: Vec::new(),
            pssh_end: None,
        }
    }

    pub(crate) fn header(&mut self, range: Range<u64>) {
        self.headers.push(range);
    }

    pub(crate) fn scope(&mut self, scope: Scope) -> u32 {
        self.plan.scopes.push(scope);
        index(self.plan.scopes.len() - 1)
    }

    pub(crate) fn scope_found(&mut self, scope: u32, protected: u64, clear: u64, aux: AuxInfo) {
        let scope = &mut self.plan.scopes[scope as usize];
        (scope.protected, scope.clear, scope.aux_info) = (protected, clear, aux);
    }

    pub(crate) fn aux_info_at(&self, range: &Range<u64>) -> AuxInfo {
        match self.headers.iter().any(|header| header.contains(&range.start)) {
            true => AuxInfo::Saio,
            false => AuxInfo::SaioInData,
        }
    }

    pub(crate) fn mark(&self) -> Mark {
        let Plan { samples, ivs, subsamples, protections, .. } = &self.plan;
        Mark {
            samples: samples.len(),
            ivs: ivs.len(),
            subsamples: subsamples.len(),
            protections: protections.len(),
        }
    }

    pub(crate) fn rollback(&mut self, mark: &Mark) {
        self.plan.samples.truncate(mark.samples);
        self.plan.ivs.truncate(mark.ivs);
        self.plan.subsamples.truncate(mark.subsamples);
        self.plan.protections.truncate(mark.protections);
    }

    /// The list that subsamples are added to.
    pub(crate) fn subsamples(&mut self) -> &mut Vec<Subsample> {
        &mut self.plan.subsamples
    }

    pub(crate) fn protection(&mut self, protection: Protection) -> u32 {
        self.plan.protections.push(protection);
        index(self.plan.protections.len() - 1)
    }

    /// Says that a run of samples lies at `start` and is `len` bytes long.
    pub(crate) fn claim(
        &mut self,
        start: u64,
        len: u64,
        track: u32,
        place: impl FnOnce() -> Place,
    ) -> Result<(), Error> {
        let end = start.saturating_add(len);
        self.claimed = self.claimed.saturating_add(len);
        self.end = self.end.max(end);
        let why = if start < self.start {
            "lie before their fragment"
        } else if end == u64::MAX || self.input_end.is_some_and(|input_end| end > input_end) {
            "lie beyond the end of the input"
        } else if self.claimed > self.end - self.start {
            "lie over others"
        } else {
            return Ok(());
        };
        let what = format!("samples of track {track}");
        Err(Error::SampleOutOfRange { place: place(), what, range: start..end, why })
    }

    pub(crate) fn sample(
        &mut self,
        at: u64,
        len: u32,
        protection: u32,
        iv: Iv,
        subsamples: Option<Range<usize>>,
    ) -> Result<(), cenc::Error> {
        let subsamples = subsamples.map(|range| index(range.start)..index(range.end));
        if self.plan.ivs.last() != Some(&iv) {
            self.plan.ivs.push(iv);
        }
        let iv = index(self.plan.ivs.len() - 1);
        let sample = Sample { at, len, protection, iv, subsamples };
        self.plan.encryption(&sample)?.check(len as usize)?;
        self.plan.samples.push(sample);
        Ok(())
    }

    /// Says that a sample is one of those that no other may lie over, though it stays as it is.
    pub(crate) fn still(&mut self, at: u64, len: u32, track: u32) {
        if len > 0 {
            self.still.push((at..at.saturating_add(len.into()), track));
        }
    }

    /// The number of protected samples so far.
    pub(crate) fn samples(&self) -> u64 {
        self.plan.samples.len() as u64
    }

    pub(crate) fn overwrite(&mut self, scope: u32, at: u64, bytes: &[u8]) {
        let change = Change::Overwrite(bytes.to_vec());
        self.plan.edits.push(Edit { at, change, scope: Some(scope) });
    }

    pub(crate) fn discard(&mut self, scope: Option<u32>, range: Range<u64>) {
        let len = range.end - range.start;
        let filler = match u32::try_from(len) {
            Ok(len) => [&len.to_be_bytes(), b"free".as_slice()].concat(),
            Err(_) => [&[0, 0, 0, 1], b"free".as_slice(), &len.to_be_bytes()].concat(),
        };
        let change = Change::Discard { len, filler };
        self.plan.edits.push(Edit { at: range.start, change, scope });
    }

    /// Puts bytes in before what stands at `at`, into the box that begins at `owner`.
    pub(crate) fn insert(&mut self, scope: Option<u32>, at: u64, owner: u64, bytes: Vec<u8>) {
        let change = Change::Insert { bytes, owner };
        self.plan.edits.push(Edit { at, change, scope });
    }

    /// Takes a `pssh` box, also PIFF's, out of the file and into the initialization data; boxes that
    /// follow each other make one value (EME's registry, "cenc").
    pub(crate) fn pssh(&mut self, boxed: &Mp4Box<'_, '_>) -> Result<bool, Error> {
        let is_piff = boxed.is_uuid(&PIFF_PSSH);
        if boxed.kind != *b"pssh" && !is_piff {
            return Ok(false);
        }
        let size = u32::try_from(boxed.body.len() + 8)
            .map_err(|_| boxed.unsupported("a `pssh` box of more than 4 GiB"))?;
        if self.pssh_end != Some(boxed.at) {
            let init_data_type = InitDataType::Cenc;
            self.plan.init_data.push(InitData { at: boxed.at, init_data_type, bytes: Vec::new() });
        }
        if let Some(InitData { bytes, .. }) = self.plan.init_data.last_mut() {
            bytes.extend_from_slice(&size.to_be_bytes());
            bytes.extend_from_slice(b"pssh");
            bytes.extend_from_slice(boxed.body);
        }
        self.pssh_end = Some(boxed.end());
        self.discard(None, boxed.at..boxed.end());
        Ok(true)
    }

    /// The plan of a unit that ends at `end`.
    pub(crate) fn finish(mut self, end: u64) -> Result<Plan, Error> {
        self.plan.range = self.start..end;
        self.plan.samples.sort_unstable_by_key(|sample| sample.at);
        // What goes in comes before what it takes the place of.
        self.plan.edits.sort_by_key(|edit| (edit.at, edit.range().end));
        self.headers.sort_by_key(|header| header.start);
        self.still.sort_unstable_by_key(|(range, _)| range.start);
        let mut headers = self.headers.iter().peekable();
        let mut taken = self.start;
        let mut take = |range: Range<u64>, track: &dyn Fn() -> u32| {
            while headers.next_if(|header| header.end <= range.start).is_some() {}
            let why = match headers.peek() {
                _ if range.start < taken => "lies over another sample",
                Some(header) if header.start < range.end => "lies over a header box",
                _ => {
                    taken = range.end;
                    return Ok(());
                }
            };
            Err(Error::SampleOutOfRange {
                place: Place { path: "mdat".to_owned(), at: range.start },
                what: format!("a protected sample of track {}", track()),
                range,
                why,
            })
        };
        let mut still = self.still.iter().peekable();
        for sample in &self.plan.samples {
            while let Some((range, track)) = still.next_if(|(range, _)| range.start <= sample.at) {
                take(range.clone(), &|| *track)?;
            }
            take(sample.at..sample.end(), &|| {
                let scope = self.plan.protections[sample.protection as usize].scope;
                self.plan.scopes[scope as usize].track
            })?;
        }
        for (range, track) in still {
            take(range.clone(), &|| *track)?;
        }
        Ok(self.plan)
    }
}

/// Lists of a plan are shorter than the header boxes they come from, so 32 bits are enough.
fn index(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use cenc::{Pattern, Scheme};

    use super::*;
    use crate::mp4::testing::{KID, full, opened, plain, told, uuid};

    /// A builder for a unit at 1000 of an input of 2000 bytes, with a protection of track 5.
    fn builder() -> Builder {
        let mut builder = Builder::new(1000, Some(2000));
        let scope = builder.scope(Scope { track: 5, ..Scope::default() });
        let protection = builder.protection(Protection {
            scope,
            scheme: Scheme::Cenc,
            pattern: Pattern::NONE,
            kid: KID.into(),
            iv_size: Some(8),
            codec: None,
        });
        assert_eq!((scope, protection), (0, 0));
        builder
    }

    fn place() -> Place {
        Place { path: "moof/traf".to_owned(), at: 1008 }
    }

    fn iv() -> Iv {
        Iv::new(&[1; 8]).unwrap()
    }

    #[test]
    fn a_run_of_samples_lies_inside_of_the_unit() {
        let claim = |start, len| builder().claim(start, len, 5, place);
        assert!(claim(1000, 1000).is_ok() && claim(2000, 0).is_ok());
        let message = "`moof/traf` at byte 1008: samples of track 5 at bytes";
        for (start, len, problem) in [
            (999, 2, "999..1001 lie before their fragment"),
            (0, 0, "0..0 lie before their fragment"),
            (1999, 2, "1999..2001 lie beyond the end of the input"),
            (2001, 0, "2001..2001 lie beyond the end of the input"),
            (
                u64::MAX,
                u64::MAX,
                "18446744073709551615..18446744073709551615 lie beyond the end of the input",
            ),
        ] {
            assert_eq!(told(claim(start, len)), format!("{message} {problem}"));
        }
    }

    #[test]
    fn the_unit_grows_to_its_furthest_sample() {
        let mut builder = Builder::new(1000, None);
        builder.claim(1500, 10, 5, place).unwrap();
        builder.claim(1200, 10, 5, place).unwrap();
        assert_eq!(builder.end, 1510);
        builder.claim(1 << 60, 10, 5, place).unwrap();
        assert_eq!(builder.end, (1 << 60) + 10);
    }

    #[test]
    fn more_samples_than_bytes_lie_over_each_other() {
        let mut builder = builder();
        builder.claim(1000, 60, 5, place).unwrap();
        builder.claim(1040, 60, 5, place).unwrap_err();
        let mut builder = Builder::new(1000, None);
        builder.claim(1000, 60, 5, place).unwrap();
        assert_eq!(
            told(builder.claim(1000, 1, 5, place)),
            "`moof/traf` at byte 1008: samples of track 5 at bytes 1000..1001 lie over others"
        );
    }

    #[test]
    fn what_ends_behind_all_numbers_is_refused() {
        // Nobody knows yet where the input ends, but not there.
        let mut builder = Builder::new(1000, None);
        assert!(builder.claim(u64::MAX - 5, 6, 5, place).is_err());
    }

    #[test]
    fn samples_and_edits_are_sorted() {
        let mut builder = builder();
        builder.header(1000..1100);
        builder.header(1500..1600);
        for at in [1700, 1100, 1490] {
            builder.sample(at, 10, 0, iv(), None).unwrap();
        }
        for at in [1520, 1020] {
            builder.overwrite(0, at, b"avc1");
        }
        let plan = builder.finish(1900).unwrap();
        assert_eq!(plan.range(), 1000..1900);
        assert_eq!(
            plan.samples().iter().map(|sample| sample.at).collect::<Vec<_>>(),
            [1100, 1490, 1700]
        );
        assert_eq!(plan.edits().iter().map(|edit| edit.at).collect::<Vec<_>>(), [1020, 1520]);
    }

    #[test]
    fn protected_samples_lie_beside_each_other_and_beside_headers() {
        let finish = |samples: &[(u64, u32)]| {
            let mut builder = builder();
            builder.header(1500..1600);
            builder.header(1000..1100);
            for &(at, len) in samples {
                builder.sample(at, len, 0, iv(), None).unwrap();
            }
            builder.finish(2000)
        };
        assert!(finish(&[(1600, 400), (1100, 300), (1400, 100)]).is_ok());
        for (samples, problem) in [
            ([(1399, 1), (1100, 300)], "1399..1400 lies over another sample"),
            ([(1200, 1), (1200, 1)], "1200..1201 lies over another sample"),
            ([(1200, 1), (1099, 2)], "1099..1101 lies over a header box"),
            ([(1200, 1), (1499, 2)], "1499..1501 lies over a header box"),
            ([(1200, 1), (1450, 300)], "1450..1750 lies over a header box"),
            ([(1200, 1), (1550, 1)], "1550..1551 lies over a header box"),
        ] {
            let at = &problem[..4];
            let message =
                format!("`mdat` at byte {at}: a protected sample of track 5 at bytes {problem}");
            assert_eq!(told(finish(&samples)), message);
        }
    }

    #[test]
    fn a_sample_fits_its_subsamples() {
        let mut builder = builder();
        builder.subsamples().extend([Subsample::new(1, 2), Subsample::new(3, 4)]);
        builder.sample(1200, 10, 0, iv(), Some(0..2)).unwrap();
        builder.sample(1300, 7, 0, iv(), Some(1..2)).unwrap();
        let error = builder.sample(1400, 10, 0, iv(), Some(1..2)).unwrap_err();
        assert_eq!(error, cenc::Error::InvalidSubsamples { sum: 7, size: 10 });
        assert_eq!(builder.plan.samples.len(), 2);
    }

    #[test]
    fn an_iv_is_listed_once_for_samples_in_a_row() {
        let other = Iv::new(&[2; 8]).unwrap();
        let mut builder = builder();
        for (at, iv) in [(1100, iv()), (1200, iv()), (1300, other), (1400, iv()), (1500, iv())] {
            builder.sample(at, 10, 0, iv, None).unwrap();
        }
        let plan = builder.finish(2000).unwrap();
        let ivs: Vec<_> = plan.samples().iter().map(|sample| plan.iv(sample)).collect();
        assert_eq!(ivs, [iv(), iv(), other, iv(), iv()]);
        assert_eq!(plan.ivs.len(), 3);
    }

    #[test]
    fn a_failed_attempt_leaves_nothing_behind() {
        let mut builder = builder();
        let mark = builder.mark();
        builder.subsamples().push(Subsample::new(1, 2));
        let protection = builder.plan.protections[0].clone();
        assert_eq!(builder.protection(protection), 1);
        builder.sample(1200, 3, 1, iv(), Some(0..1)).unwrap();
        builder.rollback(&mark);
        let Plan { samples, ivs, subsamples, protections, .. } = &builder.plan;
        assert_eq!((samples.len(), ivs.len(), subsamples.len(), protections.len()), (0, 0, 0, 1));
    }

    #[test]
    fn discarded_pieces_become_free_boxes() {
        let mut builder = builder();
        for (range, filler) in [
            (1000..1008, b"\0\0\0\x08free".as_slice()),
            (1008..1008 + 0xffff_ffff, b"\xff\xff\xff\xfffree"),
            (0..1 << 32, b"\0\0\0\x01free\0\0\0\x01\0\0\0\0"),
        ] {
            builder.discard(Some(0), range.clone());
            let edit = builder.plan.edits.last().unwrap();
            assert_eq!(edit.range(), range);
            let Change::Discard { filler: found, .. } = &edit.change else { panic!("{edit:?}") };
            assert_eq!(found, filler);
        }
    }

    #[test]
    fn neighbouring_pssh_boxes_are_one_value() {
        let (a, b) = (full(b"pssh", 0, 0).zeros(20), full(b"pssh", 1, 0).zeros(24));
        let piff = uuid(PIFF_PSSH, 0).zeros(20);
        let parent = [&a, &b, &plain(b"free"), &piff, &a]
            .into_iter()
            .fold(plain(b"moov"), crate::mp4::testing::Written::put);
        let moov = opened(&parent);
        let mut builder = builder();
        let taken: Vec<_> =
            moov.children().map(|child| builder.pssh(&child.unwrap()).unwrap()).collect();
        assert_eq!(taken, [true, true, false, true, true]);
        let Plan { init_data, edits, .. } = &builder.plan;
        // PIFF's box is the same in other clothes.
        let pair = |a: &[u8], b: &[u8]| [a, b].concat();
        assert_eq!(
            init_data.iter().map(|data| (data.at, data.bytes.clone())).collect::<Vec<_>>(),
            [
                (1008, pair(a.as_ref(), b.as_ref())),
                (1008 + 32 + 36 + 8, pair(a.as_ref(), a.as_ref())),
            ]
        );
        assert_eq!(edits.len(), 4);
        assert!(edits.iter().all(|edit| edit.scope.is_none()));
    }

    #[test]
    fn auxiliary_information_lies_in_a_header_or_beside_it() {
        let mut builder = builder();
        builder.header(1000..1100);
        builder.header(1500..1600);
        for (at, expected) in [
            (1000, AuxInfo::Saio),
            (1099, AuxInfo::Saio),
            (1100, AuxInfo::SaioInData),
            (1550, AuxInfo::Saio),
            (1600, AuxInfo::SaioInData),
        ] {
            assert_eq!(builder.aux_info_at(&(at..at + 8)), expected, "{at}");
        }
    }
}

//! A plan in the making: collects samples and edits, and refuses those that cannot be.

use std::ops::Range;

use cenc::{Iv, Subsample};

use crate::{
    Error, Place,
    mp4::boxes::Mp4Box,
    plan::{AuxInfo, Change, Edit, InitData, Plan, Protection, Sample, Scope},
};

/// PIFF's `pssh`.
const PIFF_PSSH: [u8; 16] = [
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
    /// The `moov` and `moof` boxes, in which no sample can lie.
    headers: Vec<Range<u64>>,
    /// Where the last `pssh` box ended.
    pssh_end: Option<u64>,
}

/// The state to which a failed attempt is taken back.
pub(crate) struct Mark {
    samples: usize,
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
        let Plan { samples, subsamples, protections, .. } = &self.plan;
        Mark {
            samples: samples.len(),
            subsamples: subsamples.len(),
            protections: protections.len(),
        }
    }

    pub(crate) fn rollback(&mut self, mark: &Mark) {
        self.plan.samples.truncate(mark.samples);
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
        let input_end = self.input_end.unwrap_or(u64::MAX);
        self.claimed = self.claimed.saturating_add(len);
        self.end = self.end.max(end);
        let why = if start < self.start {
            "lie before their fragment"
        } else if end > input_end {
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
        let sample = Sample { at, len, protection, iv, subsamples };
        self.plan.encryption(&sample)?.check(len as usize)?;
        self.plan.samples.push(sample);
        Ok(())
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
            self.plan.init_data.push(InitData { at: boxed.at, bytes: Vec::new() });
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
        self.plan.samples.sort_by_key(|sample| sample.at);
        self.plan.edits.sort_by_key(|edit| edit.at);
        self.headers.sort_by_key(|header| header.start);
        let mut headers = self.headers.iter().peekable();
        let mut taken = self.start;
        for sample in &self.plan.samples {
            while headers.next_if(|header| header.end <= sample.at).is_some() {}
            let why = match headers.peek() {
                _ if sample.at < taken => "lies over another sample",
                Some(header) if header.start < sample.end() => "lies over a header box",
                _ => {
                    taken = sample.end();
                    continue;
                }
            };
            let scope = self.plan.protections[sample.protection as usize].scope;
            let track = self.plan.scopes[scope as usize].track;
            return Err(Error::SampleOutOfRange {
                place: Place { path: "mdat".to_owned(), at: sample.at },
                what: format!("a protected sample of track {track}"),
                range: sample.at..sample.end(),
                why,
            });
        }
        Ok(self.plan)
    }
}

/// Lists of a plan are shorter than the header boxes they come from, so 32 bits are enough.
fn index(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

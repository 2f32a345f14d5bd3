//! What a track is, how its samples are protected, and where that is written.

use cenc::{Key, Pattern, SampleEncryption, Scheme, Subsample, encrypt_sample};

/// A track.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    pub(crate) id: u32,
    pub(crate) entry: Entry,
    pub(crate) samples: Vec<Sample>,
    /// `None`: clear.
    pub(crate) protected: Option<Protected>,
}

/// A sample entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Video,
    Audio(&'static [u8; 4]),
    /// Version 1 of QuickTime's sound description.
    QuickTimeAudio,
    Wvtt,
    /// Begins with three strings.
    Stpp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) clear: Vec<u8>,
    pub(crate) iv: [u8; 16],
    pub(crate) subsamples: Vec<Subsample>,
    /// Its index in `sbgp`; `None`: behind the last run, if all behind it are too.
    pub(crate) group: Option<u32>,
}

/// How a track is protected.
#[derive(Clone, Debug)]
pub(crate) struct Protected {
    pub(crate) scheme: Scheme,
    /// In the boxes of PIFF 1.1.
    pub(crate) piff: bool,
    pub(crate) tenc_version: u8,
    pub(crate) default: Setting,
    /// The `seig` groups in the sample table.
    pub(crate) groups: Vec<Setting>,
    /// The `seig` groups of each fragment.
    pub(crate) local: Vec<Vec<Setting>>,
    pub(crate) sgpd_version: u8,
    /// The group of samples that `sbgp` does not cover, for version 2 of `sgpd`.
    pub(crate) default_group: u32,
    /// PIFF's sample boxes say this instead of the track's default.
    pub(crate) override_: Option<Setting>,
    pub(crate) has_subsamples: bool,
    pub(crate) senc: Senc,
    /// `senc` of a sample table stands in `trak`.
    pub(crate) senc_in_trak: bool,
    pub(crate) aux: AuxAt,
    /// A `sinf` of an unknown scheme stands before ours.
    pub(crate) foreign_sinf: bool,
    /// `saiz` and `saio` of another kind stand behind ours.
    pub(crate) foreign_aux: bool,
}

/// What `senc` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Senc {
    Absent,
    Whole,
    /// Entries for protected samples only.
    OfProtected,
    /// Entries for one sample more than there are.
    Long,
    /// The last entry is not there, and not counted.
    Short,
    /// The last byte is not there.
    Cut,
}

/// Where `saio` says that the auxiliary information is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuxAt {
    /// There are no `saiz` and `saio`.
    Nowhere,
    Senc,
    /// In `mdat`, before the first sample.
    Data,
    /// In `mdat`, before the samples of each run.
    EachRun,
    /// Three bytes behind where they are, in `senc`.
    Astray,
}

/// What holds for a sample: `tenc` or `seig`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) is_protected: bool,
    pub(crate) kid: [u8; 16],
    pub(crate) pattern: (u8, u8),
    pub(crate) iv: Iv,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Iv {
    /// Each sample has its own, of so many bytes.
    Each(u8),
    Constant(Vec<u8>),
}

impl Track {
    pub(crate) fn video(id: u32) -> Self {
        Self::new(id, Entry::Video, &[700, 33, 16, 48, 257, 1, 15, 512])
    }

    pub(crate) fn audio(id: u32) -> Self {
        Self::new(id, Entry::Audio(b"mp4a"), &[120, 6, 16, 177, 64, 33])
    }

    pub(crate) fn new(id: u32, entry: Entry, sizes: &[usize]) -> Self {
        let samples = (0..).zip(sizes).map(|(number, &size)| Sample {
            clear: noise(u64::from(id) << 32 | number, size),
            iv: *noise(u64::from(id) << 48 | number, 16).first_chunk().unwrap(),
            subsamples: Vec::new(),
            group: None,
        });
        Self { id, entry, samples: samples.collect(), protected: None }
    }

    /// Protects the track. Video gets subsamples.
    pub(crate) fn protect(mut self, mut protected: Protected) -> Self {
        protected.has_subsamples = self.entry == Entry::Video;
        if protected.has_subsamples {
            let block = if protected.scheme == Scheme::Cbc1 { 16 } else { 1 };
            for sample in &mut self.samples {
                sample.subsamples = subsamples(sample.clear.len() as u32, block);
            }
        }
        self.protected = Some(protected);
        self
    }

    /// Protects whole samples also of video.
    pub(crate) fn protect_whole(mut self, protected: Protected) -> Self {
        self.protected = Some(protected);
        self
    }

    /// Puts the first samples into these groups; those behind them are in none.
    pub(crate) fn groups(mut self, groups: &[u32]) -> Self {
        for (sample, group) in self.samples.iter_mut().zip(groups) {
            sample.group = Some(*group);
        }
        self
    }

    /// What protects a sample, in a fragment or in the sample table.
    pub(crate) fn setting(&self, sample: &Sample, fragment: Option<usize>) -> Option<&Setting> {
        let protected = self.protected.as_ref()?;
        let local = fragment.and_then(|fragment| protected.local.get(fragment));
        let index = match (sample.group, local.is_some_and(|local| !local.is_empty())) {
            (Some(group), _) => group,
            (None, true) => 0x1_0000 + protected.default_group,
            (None, false) => protected.default_group,
        };
        let default = match (fragment, &protected.override_) {
            (Some(_), Some(setting)) => setting,
            _ => &protected.default,
        };
        match index {
            0 | 0x1_0000 => Some(default),
            0x1_0001.. => Some(&local.unwrap()[index as usize - 0x1_0001]),
            _ => Some(&protected.groups[index as usize - 1]),
        }
        .filter(|setting| setting.is_protected)
    }

    /// A sample as it stands in the protected file.
    pub(crate) fn encrypted(&self, sample: &Sample, fragment: Option<usize>) -> Vec<u8> {
        let mut bytes = sample.clear.clone();
        let Some(setting) = self.setting(sample, fragment) else { return bytes };
        let protected = self.protected.as_ref().unwrap();
        let iv = match &setting.iv {
            Iv::Each(size) => &sample.iv[..usize::from(*size)],
            Iv::Constant(iv) => iv,
        };
        let (crypt, skip) = setting.pattern;
        let encryption = SampleEncryption::new(
            protected.scheme,
            cenc::Iv::new(iv).unwrap(),
            Pattern::new(crypt, skip).unwrap(),
            protected.has_subsamples.then_some(sample.subsamples.as_slice()),
        );
        encrypt_sample(&Key::new(&key(setting.kid)), &encryption.unwrap(), &mut bytes).unwrap();
        bytes
    }
}

impl Protected {
    /// `senc`, and `saiz` and `saio` that point into it.
    pub(crate) fn new(scheme: Scheme, setting: Setting) -> Self {
        Self {
            scheme,
            piff: false,
            tenc_version: u8::from(scheme.takes_pattern()),
            default: setting,
            groups: Vec::new(),
            local: Vec::new(),
            sgpd_version: 1,
            default_group: 0,
            override_: None,
            has_subsamples: false,
            senc: Senc::Whole,
            senc_in_trak: false,
            aux: AuxAt::Senc,
            foreign_sinf: false,
            foreign_aux: false,
        }
    }

    /// AES-CTR, with IVs of 8 bytes.
    pub(crate) fn cenc(kid: u8) -> Self {
        Self::new(Scheme::Cenc, Setting::new(kid))
    }

    /// A constant IV, and no auxiliary information at all if samples are protected whole.
    pub(crate) fn cbcs(kid: u8, pattern: (u8, u8)) -> Self {
        let iv = Iv::Constant(noise(kid.into(), 16));
        Self::new(Scheme::Cbcs, Setting { pattern, iv, ..Setting::new(kid) })
    }

    pub(crate) fn without_aux(self) -> Self {
        Self { senc: Senc::Absent, aux: AuxAt::Nowhere, ..self }
    }

    pub(crate) fn settings(&self) -> impl Iterator<Item = &Setting> {
        let local = self.local.iter().flatten();
        [&self.default].into_iter().chain(&self.groups).chain(local).chain(&self.override_)
    }
}

impl Setting {
    pub(crate) fn new(kid: u8) -> Self {
        Self { is_protected: true, kid: [kid; 16], pattern: (0, 0), iv: Iv::Each(8) }
    }

    pub(crate) fn clear() -> Self {
        Self { is_protected: false, iv: Iv::Each(0), ..Self::new(0) }
    }
}

/// The key that all tests have for a key id.
pub(crate) fn key(kid: [u8; 16]) -> [u8; 16] {
    kid.map(|octet| octet ^ 0xa5)
}

/// Bytes without a pattern, always the same for a seed (splitmix64).
pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let words = std::iter::repeat_with(|| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ word >> 31).to_be_bytes()
    });
    words.flatten().take(len).collect()
}

/// Cuts a sample into clear and protected runs; protected ones are multiples of `block`.
fn subsamples(len: u32, block: u32) -> Vec<Subsample> {
    let (mut left, mut cut) = (len, Vec::new());
    for wanted in [5, 41] {
        let clear = left.min(wanted);
        let protected = (left - clear) * 2 / 3 / block * block;
        cut.push(Subsample::new(clear as u16, protected));
        left -= clear + protected;
    }
    while left > 0 {
        let clear = left.min(u16::MAX.into());
        cut.push(Subsample::new(clear as u16, 0));
        left -= clear;
    }
    cut
}

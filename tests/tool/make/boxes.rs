//! The boxes of protection: `sinf`, `sgpd`, `sbgp`, `senc`, `saiz`, `saio`, `pssh`, and PIFF's.

use cenc::Scheme;

use super::{
    track::{AuxAt, Iv, Protected, Sample, Senc, Setting, Track},
    writer::{Form, Writer},
};

const PIFF_TRACK: u128 = 0x8974dbce_7be7_4c51_84f9_7148f9882554;
const PIFF_SAMPLES: u128 = 0xa2394f52_5a9b_4f14_a244_6c427c648df4;
const COMMON_SYSTEM: u128 = 0x1077efec_c0b2_4d02_ace3_3c1e52e2fb4b;

/// The samples of a track that one `moov` or one `traf` describes.
pub(crate) struct Unit<'t> {
    pub(crate) track: &'t Track,
    /// Which of the tracks.
    pub(crate) index: usize,
    /// `None`: `moov`.
    pub(crate) fragment: Option<usize>,
    /// The number of its first sample, from 0.
    pub(crate) first: usize,
    /// Its samples, run by run.
    pub(crate) runs: Vec<&'t [Sample]>,
}

impl Unit<'_> {
    pub(crate) fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.runs.iter().copied().flatten()
    }

    /// What the marks of this unit are called, run by run.
    pub(crate) fn mark(&self, what: &'static str, run: usize) -> (&'static str, [usize; 3]) {
        (what, [self.fragment.map_or(0, |fragment| fragment + 1), self.index, run])
    }

    /// The auxiliary information of a sample.
    fn aux(&self, protected: &Protected, sample: &Sample) -> Vec<u8> {
        let setting = self.track.setting(sample, self.fragment);
        let mut aux = Vec::new();
        match setting {
            None if protected.senc == Senc::OfProtected => return aux,
            Some(Setting { iv: Iv::Each(size), .. }) => {
                aux.extend_from_slice(&sample.iv[..usize::from(*size)]);
            }
            _ => {}
        }
        if protected.has_subsamples {
            let subsamples = if setting.is_some() { &sample.subsamples[..] } else { &[] };
            aux.extend_from_slice(&(subsamples.len() as u16).to_be_bytes());
            for subsample in subsamples {
                aux.extend_from_slice(&subsample.clear.to_be_bytes());
                aux.extend_from_slice(&subsample.protected.to_be_bytes());
            }
        }
        aux
    }

    /// The boxes of this unit's groups and auxiliary information, but for `senc` where it goes
    /// elsewhere. `base`: what the offsets of `saio` count from.
    pub(crate) fn boxes(&self, out: &mut Writer<'_>, base: u64) {
        let Some(protected) = &self.track.protected else { return };
        if let Some(local) = self.fragment.and_then(|fragment| protected.local.get(fragment)) {
            sgpd(out, protected, local);
        }
        self.sbgp(out);
        if !protected.senc_in_trak || self.fragment.is_some() {
            self.senc(out);
        }
        if protected.aux != AuxAt::Nowhere {
            self.saiz(out, protected);
            self.saio(out, protected, base);
        }
        if protected.foreign_aux {
            self.foreign_aux(out, base);
        }
    }

    /// Auxiliary information of another kind, which stays: one byte of each sample, wherever.
    fn foreign_aux(&self, out: &mut Writer<'_>, base: u64) {
        out.full(b"saiz", 0, 1, |out| {
            out.put(b"othr\0\0\0\0\x01");
            out.u32(self.samples().count() as u32);
        });
        out.full(b"saio", 0, 1, |out| {
            out.put(b"othr\0\0\0\0");
            out.u32(1);
            let offset = out.distance(base, self.mark("run", 0));
            out.low32(offset);
        });
    }

    fn sbgp(&self, out: &mut Writer<'_>) {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        let groups: Vec<_> = self.samples().map(|sample| sample.group).collect();
        let covered = groups.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        for group in &groups[..covered] {
            let group = group.unwrap_or(0);
            match runs.last_mut() {
                Some((count, last)) if *last == group => *count += 1,
                _ => runs.push((1, group)),
            }
        }
        if runs.is_empty() {
            return;
        }
        out.full_protection(b"sbgp", 0, 0, |out| {
            out.put(b"seig");
            out.u32(runs.len() as u32);
            for (count, group) in runs {
                out.u32(count);
                out.u32(group);
            }
        });
    }

    /// `senc`, or what PIFF has for it.
    pub(crate) fn senc(&self, out: &mut Writer<'_>) {
        let Some(protected) = &self.track.protected else { return };
        if protected.senc == Senc::Absent {
            return;
        }
        let kind = if protected.piff { b"uuid" } else { b"senc" };
        let override_ = protected.override_.as_ref().filter(|_| self.fragment.is_some());
        out.protection(kind, |out| {
            if protected.piff {
                out.put(&PIFF_SAMPLES.to_be_bytes());
            }
            let flags = u32::from(override_.is_some()) | u32::from(protected.has_subsamples) << 1;
            out.u32(flags);
            if let Some(setting) = override_ {
                piff_setting(out, protected.scheme, setting);
            }
            let mut entries: Vec<_> = self
                .samples()
                .filter(|sample| {
                    protected.senc != Senc::OfProtected
                        || self.track.setting(sample, self.fragment).is_some()
                })
                .map(|sample| self.aux(protected, sample))
                .collect();
            match protected.senc {
                Senc::Long => entries.push(vec![7; 30]),
                Senc::Short => _ = entries.pop(),
                Senc::Cut => _ = entries.last_mut().unwrap().pop(),
                _ => {}
            }
            out.u32(entries.len() as u32);
            if out.form == Form::Protected {
                out.mark(self.mark("senc", 0));
            }
            entries.iter().for_each(|entry| out.put(entry));
        });
    }

    fn saiz(&self, out: &mut Writer<'_>, protected: &Protected) {
        let sizes: Vec<_> =
            self.samples().map(|sample| self.aux(protected, sample).len() as u8).collect();
        let all_same = sizes.windows(2).all(|pair| pair[0] == pair[1]);
        let default = sizes.first().copied().filter(|_| all_same).unwrap_or(0);
        out.full_protection(b"saiz", 0, 1, |out| {
            self.aux_type(out, protected);
            out.u8(default);
            out.u32(sizes.len() as u32);
            if default == 0 {
                out.put(&sizes);
            }
        });
    }

    fn saio(&self, out: &mut Writer<'_>, protected: &Protected, base: u64) {
        let offsets: Vec<u64> = match protected.aux {
            AuxAt::Nowhere => return,
            AuxAt::Senc => vec![out.distance(base, self.mark("senc", 0))],
            AuxAt::Astray => vec![out.distance(base, self.mark("senc", 0)).wrapping_add(3)],
            AuxAt::Data => vec![out.distance(base, self.mark("aux", 0))],
            AuxAt::EachRun => {
                let runs = 0..self.runs.len();
                runs.map(|run| out.distance(base, self.mark("aux", run))).collect()
            }
        };
        out.full_protection(b"saio", 1, 1, |out| {
            self.aux_type(out, protected);
            out.u32(offsets.len() as u32);
            offsets.iter().for_each(|offset| out.u64(*offset));
        });
    }

    fn aux_type(&self, out: &mut Writer<'_>, protected: &Protected) {
        let fourcc = if protected.piff { *b"cenc" } else { protected.scheme.fourcc() };
        out.put(&fourcc);
        out.u32(0);
    }

    /// The samples of a run, and auxiliary information that goes in front of them.
    pub(crate) fn data(&self, out: &mut Writer<'_>, run: usize) {
        if let Some(protected) = &self.track.protected {
            let samples: Vec<_> = match protected.aux {
                AuxAt::Data if run == 0 => self.samples().collect(),
                AuxAt::EachRun => self.runs[run].iter().collect(),
                _ => Vec::new(),
            };
            if !samples.is_empty() {
                out.mark(self.mark("aux", run));
            }
            samples.iter().for_each(|sample| out.put(&self.aux(protected, sample)));
        }
        out.mark(self.mark("run", run));
        for sample in self.runs[run] {
            match out.form {
                Form::Protected => out.put(&self.track.encrypted(sample, self.fragment)),
                Form::Default | Form::Compact => out.put(&sample.clear),
            }
        }
        out.mark(self.mark("end", run));
    }
}

pub(crate) fn sgpd(out: &mut Writer<'_>, protected: &Protected, groups: &[Setting]) {
    if groups.is_empty() {
        return;
    }
    let entries: Vec<_> = groups.iter().map(|setting| bytes(setting, true)).collect();
    let same = entries.windows(2).all(|pair| pair[0].len() == pair[1].len());
    let length = if same { entries[0].len() as u32 } else { 0 };
    // Editions differ in whether version 2 has a length; `3` stands for the one without.
    let version = protected.sgpd_version;
    out.full_protection(b"sgpd", version.min(2), 0, |out| {
        out.put(b"seig");
        if matches!(version, 1 | 2) {
            out.u32(length);
        }
        if version > 1 {
            out.u32(protected.default_group);
        }
        out.u32(entries.len() as u32);
        for entry in entries {
            if matches!(version, 1 | 2) && length == 0 {
                out.u32(entry.len() as u32);
            }
            out.put(&entry);
        }
    });
}

/// The fields that `tenc` and `seig` share.
fn bytes(setting: &Setting, has_pattern: bool) -> Vec<u8> {
    let (crypt, skip) = if has_pattern { setting.pattern } else { (0, 0) };
    let (size, constant) = match &setting.iv {
        Iv::Each(size) => (*size, None),
        Iv::Constant(iv) => (0, Some(iv)),
    };
    let mut bytes = vec![0, crypt << 4 | skip, setting.is_protected.into(), size];
    bytes.extend_from_slice(&setting.kid);
    if let Some(iv) = constant.filter(|_| setting.is_protected) {
        bytes.push(iv.len() as u8);
        bytes.extend_from_slice(iv);
    }
    bytes
}

fn piff_setting(out: &mut Writer<'_>, scheme: Scheme, setting: &Setting) {
    let Iv::Each(size) = setting.iv else { panic!("PIFF has no constant IV") };
    out.u24(if scheme == Scheme::Cenc { 1 } else { 2 });
    out.u8(size);
    out.put(&setting.kid);
}

pub(crate) fn sinf(out: &mut Writer<'_>, protected: &Protected, format: &[u8; 4]) {
    let scheme = if protected.piff { *b"piff" } else { protected.scheme.fourcc() };
    let foreign = protected.foreign_sinf.then_some(*b"adkm");
    for scheme in foreign.into_iter().chain([scheme]) {
        out.protection(b"sinf", |out| {
            out.boxed(b"frma", |out| out.put(format));
            out.full(b"schm", 0, 0, |out| {
                out.put(&scheme);
                out.u32(0x1_0000);
            });
            out.boxed(b"schi", |out| match &scheme {
                b"adkm" => out.full(b"adaf", 0, 0, |out| out.u32(7)),
                b"piff" => out.boxed(b"uuid", |out| {
                    out.put(&PIFF_TRACK.to_be_bytes());
                    out.u32(0);
                    piff_setting(out, protected.scheme, &protected.default);
                }),
                _ => out.full(b"tenc", protected.tenc_version, 0, |out| {
                    out.put(&bytes(&protected.default, protected.tenc_version > 0));
                }),
            });
        });
    }
}

pub(crate) fn pssh(out: &mut Writer<'_>, kids: &[[u8; 16]]) {
    out.full_protection(b"pssh", 1, 0, |out| {
        out.put(&COMMON_SYSTEM.to_be_bytes());
        out.u32(kids.len() as u32);
        kids.iter().for_each(|kid| out.put(kid));
        out.u32(0);
    });
}

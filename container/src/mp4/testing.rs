//! Boxes, movies and fragments for tests, each in a line or two.

use cenc::Pattern;

use crate::{
    Error, Plan, Step, Window,
    mp4::{
        Planner,
        boxes::{Header, Mp4Box},
        protection::{Encryption, IvSource},
    },
};

/// A box that is being written. Its size is right after every step.
#[derive(Clone, Debug)]
pub(crate) struct Written(Vec<u8>);

pub(crate) fn plain(kind: &[u8; 4]) -> Written {
    Written([&[0, 0, 0, 8], kind.as_slice()].concat())
}

pub(crate) fn full(kind: &[u8; 4], version: u8, flags: u32) -> Written {
    plain(kind).u32(u32::from(version) << 24 | flags)
}

pub(crate) fn uuid(user_type: [u8; 16], flags: u32) -> Written {
    plain(b"uuid").put(user_type).u32(flags)
}

impl Written {
    pub(crate) fn put(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.extend_from_slice(bytes.as_ref());
        let size = u32::try_from(self.0.len()).unwrap();
        self.stating(size)
    }

    pub(crate) fn u8(self, value: u8) -> Self {
        self.put([value])
    }

    pub(crate) fn u16(self, value: u16) -> Self {
        self.put(value.to_be_bytes())
    }

    pub(crate) fn u32(self, value: u32) -> Self {
        self.put(value.to_be_bytes())
    }

    pub(crate) fn u64(self, value: u64) -> Self {
        self.put(value.to_be_bytes())
    }

    pub(crate) fn zeros(self, len: usize) -> Self {
        self.put(vec![0; len])
    }

    /// Writes another size than the true one; the next field makes it true again.
    pub(crate) fn stating(mut self, size: u32) -> Self {
        self.0[..4].copy_from_slice(&size.to_be_bytes());
        self
    }

    pub(crate) fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

impl AsRef<[u8]> for Written {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Boxes one behind the other.
pub(crate) fn file(boxes: &[Written]) -> Vec<u8> {
    boxes.iter().flat_map(|boxed| boxed.0.iter().copied()).collect()
}

/// Where [`opened`] says that a box stands.
pub(crate) const AT: u64 = 1000;

/// A written box as the planner sees it.
pub(crate) fn opened<'a>(bytes: &'a (impl AsRef<[u8]> + ?Sized)) -> Mp4Box<'a, 'a> {
    let bytes = bytes.as_ref();
    let header = Header::read(bytes).unwrap().unwrap();
    Mp4Box::top(&header, AT, &bytes[header.len..])
}

/// The key id of everything here.
pub(crate) const KID: [u8; 16] = *b"0123456789abcdef";

/// Protected samples with that IV.
pub(crate) fn encryption(iv: IvSource) -> Encryption {
    Encryption { protected: true, kid: KID.into(), pattern: Pattern::NONE, iv }
}

/// `tenc` for samples with an IV each.
pub(crate) fn tenc(iv_size: u8) -> Written {
    full(b"tenc", 0, 0).put([0, 0, 1, iv_size]).put(KID)
}

/// `tenc` with a constant IV of 8 bytes.
pub(crate) fn tenc_constant(pattern: u8) -> Written {
    full(b"tenc", 1, 0).put([0, pattern, 1, 0]).put(KID).u8(8).put([7; 8])
}

pub(crate) fn sinf(scheme: &[u8; 4], in_schi: &Written) -> Written {
    plain(b"sinf")
        .put(plain(b"frma").put(b"avc1"))
        .put(full(b"schm", 0, 0).put(scheme).u32(0x1_0000))
        .put(plain(b"schi").put(in_schi))
}

pub(crate) fn avc1() -> Written {
    plain(b"avc1").zeros(78)
}

pub(crate) fn encv(scheme: &[u8; 4], in_schi: &Written) -> Written {
    plain(b"encv").zeros(78).put(sinf(scheme, in_schi))
}

pub(crate) fn stsd(entries: &[Written]) -> Written {
    let count = u32::try_from(entries.len()).unwrap();
    entries.iter().fold(full(b"stsd", 0, 0).u32(count), Written::put)
}

/// The sample table of a fragmented file: no samples.
pub(crate) fn empty_table(entries: &[Written]) -> Written {
    plain(b"stbl")
        .put(stsd(entries))
        .put(full(b"stsz", 0, 0).u32(0).u32(0))
        .put(full(b"stsc", 0, 0).u32(0))
        .put(full(b"stco", 0, 0).u32(0))
}

pub(crate) fn tkhd(track: u32) -> Written {
    full(b"tkhd", 0, 0).u32(0).u32(0).u32(track)
}

pub(crate) fn trak(track: u32, table: &Written) -> Written {
    let hdlr = full(b"hdlr", 0, 0).u32(0).put(b"vide");
    plain(b"trak").put(tkhd(track)).put(plain(b"mdia").put(hdlr).put(plain(b"minf").put(table)))
}

pub(crate) fn mvex(track: u32) -> Written {
    plain(b"mvex").put(full(b"trex", 0, 0).u32(track).u32(1).u32(0).u32(0).u32(0))
}

/// The header of a fragmented movie with track 1, of which these are the sample entries.
pub(crate) fn moov(entries: &[Written]) -> Written {
    plain(b"moov").put(trak(1, &empty_table(entries))).put(mvex(1))
}

/// The header of a fragmented movie with track 1 of scheme `cenc` and IVs of 8 bytes.
pub(crate) fn cenc_moov() -> Written {
    moov(&[encv(b"cenc", &tenc(8))])
}

/// The header of a fragmented movie with track 1 of scheme `cbcs` and a constant IV.
pub(crate) fn cbcs_moov() -> Written {
    moov(&[encv(b"cbcs", &tenc_constant(0x19))])
}

/// `tfhd` of a track whose offsets count from the `moof`.
pub(crate) fn tfhd(track: u32) -> Written {
    full(b"tfhd", 0, 0x2_0000).u32(track)
}

/// `trun` with an offset and sizes.
pub(crate) fn trun(offset: i32, sizes: &[u32]) -> Written {
    let count = u32::try_from(sizes.len()).unwrap();
    let start = full(b"trun", 0, 0x201).u32(count).put(offset.to_be_bytes());
    sizes.iter().fold(start, |trun, &size| trun.u32(size))
}

/// `senc` without subsamples: an IV of 8 bytes for each sample.
pub(crate) fn senc(samples: u8) -> Written {
    let start = full(b"senc", 0, 0).u32(samples.into());
    (0..samples).fold(start, |senc, sample| senc.put([sample; 8]))
}

/// A `moof` box that `moof` makes from the offset of the data behind it, and the `mdat` with these.
pub(crate) fn fragment(moof: impl Fn(i32) -> Written, data: &[u8]) -> Vec<u8> {
    let offset = i32::try_from(moof(0).len()).unwrap() + 8;
    [moof(offset).as_ref(), plain(b"mdat").put(data).as_ref()].concat()
}

/// A `moof` box with one track fragment, of track 1.
pub(crate) fn moof(in_traf: &[Written]) -> Written {
    plain(b"moof").put(in_traf.iter().fold(plain(b"traf").put(tfhd(1)), Written::put))
}

/// Plans all units of a file.
pub(crate) fn plans(file: &[u8]) -> Result<Vec<Plan>, Error> {
    plans_of(Planner::new(), file)
}

pub(crate) fn plans_of(mut planner: Planner, file: &[u8]) -> Result<Vec<Plan>, Error> {
    let mut plans = Vec::new();
    loop {
        match planner.next_unit(&Window::new(0, file), true)? {
            Step::Unit(plan) => plans.push(plan),
            Step::End => return Ok(plans),
            step => panic!("{step:?} of a whole input"),
        }
    }
}

/// What the error says.
pub(crate) fn told<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => panic!("no error"),
        Err(error) => error.to_string(),
    }
}

//! Samples of one track, and the way they are protected.

use std::ops::RangeInclusive;

use cenc::{Iv, Kernel, Key, Pattern, SampleEncryption, Scheme, Subsample, encrypt_sample};

use crate::{Buffer, KEY};

/// Samples that lie one behind the other in memory, as a file has them.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Scheme of all of them.
    pub scheme: Scheme,
    /// Pattern of all of them.
    pub pattern: Pattern,
    /// What differs.
    pub shapes: Vec<Shape>,
}

/// All of a sample but its bytes.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Length in bytes.
    pub len: usize,
    /// IV.
    pub iv: Iv,
    /// Subsamples; `None`: protected whole.
    pub subsamples: Option<Vec<Subsample>>,
}

impl Stream {
    /// `count` samples of `len` bytes, without subsamples and pattern.
    #[must_use]
    pub fn whole(scheme: Scheme, count: u64, len: usize) -> Self {
        let shapes = (0..count).map(|at| Shape { len, iv: iv(at), subsamples: None }).collect();
        Self { scheme, pattern: Pattern::NONE, shapes }
    }

    /// `count` samples without subsamples and pattern, of lengths spread over a range.
    #[must_use]
    pub fn mixed(scheme: Scheme, count: u64, lengths: RangeInclusive<usize>) -> Self {
        let mut stream = Self::whole(scheme, count, 0);
        let mut len = *lengths.start();
        for shape in &mut stream.shapes {
            shape.len = len;
            // Far on, and around: a length is not like the one before.
            len += 191;
            if len > *lengths.end() {
                len -= lengths.end() - lengths.start() + 1;
            }
        }
        stream
    }

    /// A video sample of four slices: a few clear bytes at the head of each, the rest protected.
    ///
    /// # Panics
    /// If there is no such pattern.
    #[must_use]
    pub fn slices(scheme: Scheme, (crypt, skip): (u8, u8), slice: u32) -> Self {
        const HEAD: u16 = 96;
        let pattern = Pattern::new(crypt, skip).expect("a pattern of the standard");
        let subsamples = Some(vec![Subsample::new(HEAD, slice); 4]);
        let len = 4 * (usize::from(HEAD) + slice as usize);
        Self { scheme, pattern, shapes: vec![Shape { len, iv: iv(0), subsamples }] }
    }

    /// Whether it is one run of protected bytes.
    #[must_use]
    pub fn is_one_run(&self) -> bool {
        matches!(self.shapes.as_slice(), [Shape { subsamples: None, .. }])
            && self.pattern == Pattern::NONE
    }

    /// Bytes in all samples, clear ones too.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.shapes.iter().map(|shape| shape.len).sum()
    }

    /// How each sample is encrypted.
    ///
    /// # Panics
    /// If scheme, pattern and subsamples do not go together.
    #[must_use]
    pub fn encryptions(&self) -> Vec<SampleEncryption<'_>> {
        let encryptions = self.shapes.iter().map(|Shape { iv, subsamples, .. }| {
            SampleEncryption::new(self.scheme, *iv, self.pattern, subsamples.as_deref())
        });
        encryptions.collect::<Result<_, _>>().expect("a stream of the standard")
    }

    /// All samples, encrypted one by one by the portable kernel.
    ///
    /// # Panics
    /// If subsamples do not cover a sample.
    #[must_use]
    pub fn encrypted(&self, clear: &Buffer) -> Buffer {
        let key = Key::on(portable(), &KEY);
        let (mut encrypted, mut at) = (clear.clone(), 0);
        for (shape, encryption) in self.shapes.iter().zip(self.encryptions()) {
            let sample = &mut encrypted[at..at + shape.len];
            encrypt_sample(&key, &encryption, sample).expect("subsamples cover it");
            at += shape.len;
        }
        encrypted
    }
}

/// An IV of 8 octets, as most packagers count them.
fn iv(number: u64) -> Iv {
    Iv::new(&number.to_be_bytes()).expect("8 octets")
}

fn portable() -> Kernel {
    Kernel::all().find(|kernel| kernel.name() == "portable").expect("every CPU has it")
}

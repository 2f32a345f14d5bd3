//! Writes boxes. Offsets are marks: each pass finds where things land, and the next one writes it
//! down where something points there.

use std::collections::BTreeMap;

/// The forms of one file: as it comes, and what has to become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Protected,
    /// Clear, with all lengths as they were.
    Default,
    Compact,
}

/// A place in the file: what is there, and which one it is.
pub(crate) type Mark = (&'static str, [usize; 3]);
pub(crate) type Marks = BTreeMap<Mark, u64>;

pub(crate) struct Writer<'p> {
    pub(crate) form: Form,
    pub(crate) bytes: Vec<u8>,
    before: &'p Marks,
    marks: Marks,
}

/// Writes until all marks are where the pass before had them.
pub(crate) fn write(form: Form, content: impl Fn(&mut Writer<'_>)) -> Vec<u8> {
    let mut before = Marks::new();
    for _ in 0..4 {
        let mut out = Writer { form, bytes: Vec::new(), before: &before, marks: Marks::new() };
        content(&mut out);
        let Writer { bytes, marks, .. } = out;
        if marks == before {
            return bytes;
        }
        before = marks;
    }
    panic!("the marks do not settle");
}

impl Writer<'_> {
    pub(crate) fn here(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(crate) fn mark(&mut self, mark: Mark) {
        let here = self.here();
        assert_eq!(self.marks.insert(mark, here), None, "{mark:?} twice");
    }

    /// Where a mark is. The first pass does not know.
    pub(crate) fn at(&self, mark: Mark) -> u64 {
        self.before.get(&mark).copied().unwrap_or(0)
    }

    /// How far a mark is from `base`.
    pub(crate) fn distance(&self, base: u64, mark: Mark) -> u64 {
        self.at(mark).wrapping_sub(base)
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.put(&[value]);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        self.put(&value.to_be_bytes());
    }

    pub(crate) fn u24(&mut self, value: u32) {
        self.put(&value.to_be_bytes()[1..]);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.put(&value.to_be_bytes());
    }

    /// Fields of 32 bits.
    pub(crate) fn fields<const N: usize>(&mut self, values: [u32; N]) {
        values.into_iter().for_each(|value| self.u32(value));
    }

    /// The low 32 bits.
    pub(crate) fn low32(&mut self, value: u64) {
        self.put(&value.to_be_bytes()[4..]);
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.put(&value.to_be_bytes());
    }

    pub(crate) fn zeros(&mut self, count: usize) {
        self.put(&vec![0; count]);
    }

    pub(crate) fn boxed(&mut self, kind: &[u8; 4], body: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.u32(0);
        self.put(kind);
        body(self);
        let size = (self.bytes.len() - start) as u32;
        self.bytes[start..start + 4].copy_from_slice(&size.to_be_bytes());
    }

    /// A box with version and flags.
    pub(crate) fn full(
        &mut self,
        kind: &[u8; 4],
        version: u8,
        flags: u32,
        body: impl FnOnce(&mut Self),
    ) {
        self.boxed(kind, |out| {
            out.u8(version);
            out.u24(flags);
            body(out);
        });
    }

    /// A box whose size stands in 64 bits.
    pub(crate) fn large(&mut self, kind: &[u8; 4], body: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.u32(1);
        self.put(kind);
        self.u64(0);
        body(self);
        let size = (self.bytes.len() - start) as u64;
        self.bytes[start + 8..start + 16].copy_from_slice(&size.to_be_bytes());
    }

    /// Boxes that are there for the sake of protection: each becomes a `free` box, or goes.
    pub(crate) fn protection(&mut self, kind: &[u8; 4], body: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.boxed(kind, body);
        match self.form {
            Form::Protected => {}
            Form::Default => {
                self.bytes[start + 4..start + 8].copy_from_slice(b"free");
                self.bytes[start + 8..].fill(0);
            }
            Form::Compact => self.bytes.truncate(start),
        }
    }

    /// The same with version and flags.
    pub(crate) fn full_protection(
        &mut self,
        kind: &[u8; 4],
        version: u8,
        flags: u32,
        body: impl FnOnce(&mut Self),
    ) {
        self.protection(kind, |out| {
            out.u8(version);
            out.u24(flags);
            body(out);
        });
    }
}

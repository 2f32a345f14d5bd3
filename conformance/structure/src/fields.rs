//! The fields of nodes: where each number stands that a reader goes by.

mod mp4;
mod webm;

use crate::tree::Tree;

/// A number in a file.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// The node it stands in.
    pub(crate) node: usize,
    pub(crate) name: &'static str,
    /// Its offset in the file, and its length in octets: 1 to 8.
    pub(crate) at: usize,
    pub(crate) width: usize,
    pub(crate) role: Role,
}

/// What a field is, which says what it is changed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A size, a count, an offset or any other number.
    Number,
    /// The version of a box.
    Version,
    /// Bits, each with a meaning of its own.
    Flags,
    /// The size of an element, whose first bits say how long it is.
    ElementSize,
}

/// All fields of a file, by node.
pub(crate) fn all(file: &[u8], tree: &Tree) -> Vec<Field> {
    match tree.is_webm {
        true => webm::all(file, tree),
        false => mp4::all(file, tree),
    }
}

/// Collects the fields of a node, one behind the other, as far as there are octets.
struct Reader<'r> {
    file: &'r [u8],
    node: usize,
    at: usize,
    end: usize,
    found: &'r mut Vec<Field>,
}

impl Reader<'_> {
    /// Takes a field.
    fn take(&mut self, name: &'static str, width: usize, role: Role) {
        if self.at + width <= self.end {
            self.found.push(Field { node: self.node, name, at: self.at, width, role });
        }
        self.at += width;
    }

    fn number(&mut self, name: &'static str, width: usize) {
        self.take(name, width, Role::Number);
    }

    fn numbers(&mut self, fields: &[(&'static str, usize)]) {
        fields.iter().for_each(|(name, width)| self.number(name, *width));
    }

    fn skip(&mut self, len: usize) {
        self.at += len;
    }

    /// The number at an offset from here.
    fn peek(&self, ahead: usize, width: usize) -> u64 {
        let range = self.at + ahead..self.at + ahead + width;
        self.file.get(range).map_or(0, crate::tree::number)
    }

    /// The first, the middle and the last of so many entries of equal length, as far as they are there.
    fn entries(&mut self, count: u64, len: usize, fields: &[(&'static str, usize)]) {
        let there = self.end.saturating_sub(self.at) / len.max(1);
        let count = usize::try_from(count).unwrap_or(there).min(there);
        let start = self.at;
        for number in picked(count) {
            self.at = start + number * len;
            self.numbers(fields);
        }
        self.at = start + count * len;
    }
}

/// The first, the middle and the last of so many.
fn picked(count: usize) -> Vec<usize> {
    let mut picked = vec![0, count / 2, count.saturating_sub(1)];
    picked.dedup();
    picked.retain(|number| *number < count);
    picked
}

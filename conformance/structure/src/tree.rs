//! The boxes or elements of a file as a tree that can be cut.

use std::ops::Range;

use crate::{boxes, elements};

/// A box or an element.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Types or names from the top down.
    pub(crate) path: String,
    pub(crate) at: usize,
    pub(crate) body: usize,
    pub(crate) end: usize,
    pub(crate) parent: Option<usize>,
    pub(crate) size: Size,
    /// Whether others lie in it.
    pub(crate) is_container: bool,
}

/// How the size of a node is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// Of a whole box, in 32 bits.
    Short,
    /// Of a whole box, in 64 bits behind its type.
    Long,
    /// A box up to the end of the file.
    Open,
    /// Of an element's body, at this offset and so many bytes long.
    Element(usize, usize),
}

impl Node {
    pub(crate) fn range(&self) -> Range<usize> {
        self.at..self.end
    }

    /// The last part of its path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The four octets of a box that say what it is.
    pub(crate) fn kind<'f>(&self, file: &'f [u8]) -> &'f [u8] {
        file.get(self.at + 4..self.at + 8).unwrap_or_default()
    }

    /// What its size says in `file`, which may have been changed.
    pub(crate) fn stated(&self, file: &[u8]) -> u64 {
        match self.size {
            Size::Short => number(&file[self.at..self.at + 4]),
            Size::Long => number(&file[self.at + 8..self.at + 16]),
            Size::Open => 0,
            Size::Element(at, width) => number(&file[at..at + width]) & largest(width),
        }
    }

    /// Makes the size say something else, cut to the bits that there are.
    pub(crate) fn state(&self, file: &mut [u8], value: u64) {
        match self.size {
            Size::Short => put(&mut file[self.at..self.at + 4], value),
            Size::Long => put(&mut file[self.at + 8..self.at + 16], value),
            Size::Open => {}
            Size::Element(at, width) => {
                let marked = value & largest(width) | 1 << (7 * width);
                put(&mut file[at..at + width], marked);
            }
        }
    }
}

/// The number that an element's size of all ones has, which stands for "unknown".
pub(crate) fn largest(width: usize) -> u64 {
    (1 << (7 * width)) - 1
}

pub(crate) fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Writes the low bits of a number.
pub(crate) fn put(bytes: &mut [u8], value: u64) {
    let all = value.to_be_bytes();
    let len = bytes.len();
    bytes.copy_from_slice(&all[all.len() - len..]);
}

/// All nodes of a file, each before those in it.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    pub(crate) is_webm: bool,
}

impl Tree {
    pub(crate) fn read(file: &[u8]) -> Self {
        if file.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) {
            return Self { nodes: elements::walk(file), is_webm: true };
        }
        let mut nodes: Vec<Node> = Vec::new();
        for found in boxes::walk(file) {
            let mut parent = nodes.len().checked_sub(1);
            while let Some(above) = parent
                && found.at >= nodes[above].end
            {
                parent = nodes[above].parent;
            }
            if let Some(above) = parent {
                nodes[above].is_container = true;
            }
            let size = match number(&file[found.at..found.at + 4]) {
                0 => Size::Open,
                1 => Size::Long,
                _ => Size::Short,
            };
            let boxes::BoxAt { path, at, body, end, .. } = found;
            nodes.push(Node { path, at, body, end, parent, size, is_container: false });
        }
        Self { nodes, is_webm: false }
    }

    /// Those that a node lies in, from the inside out.
    pub(crate) fn above(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.nodes[node].parent, |above| self.nodes[*above].parent)
    }

    /// Whether `inner` is `outer` or lies in it.
    pub(crate) fn holds(&self, outer: usize, inner: usize) -> bool {
        inner == outer || self.above(inner).any(|above| above == outer)
    }

    /// The node that follows in the same parent.
    pub(crate) fn next(&self, node: usize) -> Option<usize> {
        let Node { end, parent, .. } = self.nodes[node];
        let later = self.nodes.iter().enumerate().skip(node + 1);
        later
            .take_while(|(_, other)| other.at <= end)
            .find(|(_, other)| other.at == end && other.parent == parent)
            .map(|(next, _)| next)
    }
}

//! Changes to a file: a number says something else, or a node is where it should not be.

use std::fmt;

use crate::{
    fields::{Field, Role},
    tree::{Node, Size, Tree, largest, number, put},
};

/// A file with what its reader knows of it.
#[derive(Debug)]
pub(crate) struct Original {
    pub(crate) file: Vec<u8>,
    pub(crate) tree: Tree,
    pub(crate) fields: Vec<Field>,
}

impl Original {
    pub(crate) fn new(file: Vec<u8>) -> Self {
        let tree = Tree::read(&file);
        let fields = crate::fields::all(&file, &tree);
        Self { file, tree, fields }
    }

    fn node(&self, node: usize) -> &Node {
        &self.tree.nodes[node]
    }

    /// What a field says.
    pub(crate) fn value(&self, field: &Field) -> u64 {
        match field.role {
            Role::ElementSize => self.node(field.node).stated(&self.file),
            _ => number(&self.file[field.at..field.at + field.width]),
        }
    }
}

/// One change. Fields and nodes by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// A field says this.
    Set { field: usize, value: u64 },
    /// The node stands there twice.
    Duplicate { node: usize, corrected: bool },
    /// A copy of the node stands at the end of it.
    Nest { node: usize, corrected: bool },
    /// The node is gone.
    Remove { node: usize, corrected: bool },
    /// The node is called padding.
    Hide { node: usize },
    /// The node and its next sibling have changed places.
    Swap { node: usize, next: usize },
    /// The node stands at the end of another container.
    Move { node: usize, to: usize, corrected: bool },
    /// The size of the node is written in so many bytes, and says this.
    Rewrite { node: usize, width: usize, value: u64 },
}

impl Mutation {
    /// Whether sizes of ancestors were to be corrected, and are not.
    pub(crate) fn is_raw(self) -> bool {
        match self {
            Self::Duplicate { corrected, .. }
            | Self::Nest { corrected, .. }
            | Self::Remove { corrected, .. }
            | Self::Move { corrected, .. } => !corrected,
            _ => false,
        }
    }

    /// Makes the change. `file` is the original, but for values of fields.
    pub(crate) fn make(self, original: &Original, file: &mut Vec<u8>) {
        let tree = &original.tree;
        match self {
            Self::Set { field, value } => {
                let Field { node, at, width, role, .. } = original.fields[field];
                match role {
                    Role::ElementSize => original.node(node).state(file, value),
                    _ => put(&mut file[at..at + width], value),
                }
            }
            Self::Duplicate { node, corrected } | Self::Nest { node, corrected } => {
                let copy = file[original.node(node).range()].to_vec();
                if corrected {
                    let is_inside = matches!(self, Self::Nest { .. });
                    correct(tree, file, is_inside.then_some(node), copy.len(), true);
                    tree.above(node)
                        .for_each(|above| correct(tree, file, Some(above), copy.len(), true));
                }
                let end = original.node(node).end;
                file.splice(end..end, copy);
            }
            Self::Remove { node, corrected } => {
                let range = original.node(node).range();
                if corrected {
                    tree.above(node)
                        .for_each(|above| correct(tree, file, Some(above), range.len(), false));
                }
                file.drain(range);
            }
            Self::Hide { node } => hide(original.node(node), tree.is_webm, file),
            Self::Swap { node, next } => {
                let [first, second] = [node, next].map(|node| original.node(node).range());
                file[first.start..second.end].rotate_left(first.len());
            }
            Self::Move { node, to, corrected } => {
                let range = original.node(node).range();
                let moved = file[range.clone()].to_vec();
                if corrected {
                    for above in tree.above(node) {
                        correct(tree, file, Some(above), moved.len(), false);
                    }
                    for above in std::iter::once(to).chain(tree.above(to)) {
                        correct(tree, file, Some(above), moved.len(), true);
                    }
                }
                let end = original.node(to).end;
                if end >= range.end {
                    file.splice(end..end, moved);
                    file.drain(range);
                } else {
                    file.drain(range);
                    file.splice(end..end, moved);
                }
            }
            Self::Rewrite { node, width, value } => {
                let changed = original.node(node);
                let (old, new) = rewritten(changed, width, value);
                let is_longer = new.len() >= old.len();
                let change = new.len().abs_diff(old.len());
                tree.above(node)
                    .for_each(|above| correct(tree, file, Some(above), change, is_longer));
                file.splice(old, new);
            }
        }
    }
}

/// Makes a node longer or shorter by so many bytes.
fn correct(tree: &Tree, file: &mut [u8], node: Option<usize>, change: usize, is_longer: bool) {
    let Some(node) = node.map(|node| &tree.nodes[node]) else { return };
    let stated = node.stated(file);
    if let Size::Element(_, width) = node.size
        && stated == largest(width)
    {
        return;
    }
    let change = change as u64;
    let stated = if is_longer { stated.wrapping_add(change) } else { stated.wrapping_sub(change) };
    node.state(file, stated);
}

fn hide(node: &Node, is_webm: bool, file: &mut [u8]) {
    if !is_webm {
        return file[node.at + 4..node.at + 8].copy_from_slice(b"free");
    }
    // Void, with a size that leaves room for what is there.
    let len = node.range().len();
    let width = if len > 9 { 8 } else { 1 };
    file[node.at] = 0xec;
    let size = Size::Element(node.at + 1, width);
    let body = len.saturating_sub(1 + width) as u64;
    Node { size, ..node.clone() }.state(file, body);
}

/// The octets of a node's size, and what takes their place.
fn rewritten(node: &Node, width: usize, value: u64) -> (std::ops::Range<usize>, Vec<u8>) {
    match node.size {
        Size::Element(at, old) => {
            let mut new = vec![0; width];
            put(&mut new, value & largest(width) | 1 << (7 * width));
            (at..at + old, new)
        }
        // Of boxes: behind the type, the size in 64 bits.
        _ => {
            let header = [&1_u32.to_be_bytes()[..], &[0; 4], &value.to_be_bytes()].concat();
            (node.at..node.at + 8, header)
        }
    }
}

/// A mutation as people read it.
pub(crate) struct Told<'t>(pub(crate) Mutation, pub(crate) &'t Original);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(mutation, original) = self;
        let place = |node: usize| {
            let Node { path, at, .. } = original.node(node);
            format!("`{path}` at byte {at}")
        };
        let raw = if mutation.is_raw() { ", sizes as they were" } else { "" };
        match *mutation {
            Mutation::Set { field, value } => {
                let field = &original.fields[field];
                let (old, place) = (original.value(field), place(field.node));
                write!(f, "{place}: {} at byte {} is {value}, not {old}", field.name, field.at)
            }
            Mutation::Duplicate { node, .. } => write!(f, "{} is there twice{raw}", place(node)),
            Mutation::Nest { node, .. } => write!(f, "{} has a copy in it{raw}", place(node)),
            Mutation::Remove { node, .. } => write!(f, "{} is gone{raw}", place(node)),
            Mutation::Hide { node } => write!(f, "{} is padding", place(node)),
            Mutation::Swap { node, next } => {
                write!(f, "{} and {} have changed places", place(node), place(next))
            }
            Mutation::Move { node, to, .. } => {
                write!(f, "{} is in {}{raw}", place(node), place(to))
            }
            Mutation::Rewrite { node, width, value } => {
                write!(f, "{}: the size is {value} in {width} bytes", place(node))
            }
        }
    }
}

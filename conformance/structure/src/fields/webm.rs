//! The fields of elements, by RFC 9559 and WebM Encryption.

use super::{Field, Reader, Role, picked};
use crate::{
    elements::is_number,
    tree::{Size, Tree},
};

pub(super) fn all(file: &[u8], tree: &Tree) -> Vec<Field> {
    let mut found = Vec::new();
    let looked_into = blocks(tree);
    for (index, node) in tree.nodes.iter().enumerate() {
        let Size::Element(size, width) = node.size else { continue };
        let name = node.name();
        let is_block = matches!(name, "SimpleBlock" | "Block");
        if is_block && !looked_into.contains(&index) {
            continue;
        }
        let role = Role::ElementSize;
        found.push(Field { node: index, name: "size", at: size, width, role });
        let (at, end) = (node.body, node.end);
        let mut reader = Reader { file, node: index, at, end, found: &mut found };
        match name {
            _ if is_block => block(&mut reader),
            _ if is_number(name) && (1..=8).contains(&(end - at)) => {
                reader.number("number", end - at);
            }
            // Key ids and codecs: the first octets.
            "ContentEncKeyID" | "CodecID" | "CodecPrivate" | "DocType" => {
                (0..16).for_each(|_| reader.number("octet", 1));
            }
            _ => {}
        }
    }
    found
}

/// Of each cluster the first, the middle and the last block: there are hundreds, and all are alike.
fn blocks(tree: &Tree) -> Vec<usize> {
    let is_block = |name: &str| matches!(name, "SimpleBlock" | "Block");
    let clusters = tree.nodes.iter().enumerate().filter(|(_, node)| node.name() == "Cluster");
    let picked = clusters.flat_map(|(cluster, _)| {
        let all: Vec<_> = (cluster + 1..tree.nodes.len())
            .take_while(|node| tree.holds(cluster, *node))
            .filter(|node| is_block(tree.nodes[*node].name()))
            .collect();
        picked(all.len()).into_iter().map(move |number| all[number]).collect::<Vec<_>>()
    });
    picked.collect()
}

/// Track, time, flags; then what is a frame, or begins with a signal byte, an IV, and partitions.
fn block(reader: &mut Reader<'_>) {
    reader.number("track number", 1);
    reader.number("timestamp", 2);
    reader.take("flags", 1, Role::Flags);
    let signal = reader.peek(0, 1);
    reader.take("signal byte", 1, Role::Flags);
    let iv = if signal & 1 != 0 { 8 } else { 0 };
    if iv > 0 {
        reader.number("IV", 8);
    }
    let count = reader.peek(0, 1);
    reader.number("num_partitions", 1);
    if signal & 2 != 0 {
        reader.entries(count, 4, &[("partition_offset", 4)]);
    }
}

//! Which changes a file gets: each field at its extremes, each node in wrong places, and both at once.

use std::collections::BTreeSet;

use crate::{
    fields::{Field, Role},
    mutation::{Mutation, Original},
    random::Random,
    tree::{Node, Size, largest},
};

/// What kind of changes an input has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// One field says something else.
    Field,
    /// One node is in a wrong place.
    Place,
    /// Two fields say something else.
    Fields,
    /// A field says something else, and a node is in a wrong place.
    Both,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Field, Self::Place, Self::Fields, Self::Both];
}

/// An input: the original with one change or two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) kind: Kind,
    pub(crate) first: Mutation,
    pub(crate) second: Option<Mutation>,
}

impl Case {
    pub(crate) fn mutations(&self) -> impl Iterator<Item = Mutation> {
        [Some(self.first), self.second].into_iter().flatten()
    }

    pub(crate) fn make(&self, original: &Original) -> Vec<u8> {
        let mut file = original.file.clone();
        self.mutations().for_each(|mutation| mutation.make(original, &mut file));
        file
    }
}

/// How many inputs of two changes each file gets: two fields, and a field and a node.
const PAIRS: [usize; 2] = [1200, 400];

/// All inputs that are made of a file, in an order that is the same in each run.
pub(crate) fn all(name: &str, original: &Original) -> Vec<Case> {
    let mut random = Random::of(name);
    let case = |kind| move |first| Case { kind, first, second: None };
    let mut cases = Vec::new();
    for (index, field) in original.fields.iter().enumerate() {
        let values = values(field, original.value(field)).into_iter();
        cases.extend(
            values.map(|value| Mutation::Set { field: index, value }).map(case(Kind::Field)),
        );
    }
    let places = places(original, &mut random);
    cases.extend(places.iter().copied().map(case(Kind::Place)));
    let related = Related::of(original);
    for _ in 0..PAIRS[0] {
        let (first, second) = related.pair(&mut random);
        let second = Some(set(original, second, &mut random));
        cases.push(Case { kind: Kind::Fields, first: set(original, first, &mut random), second });
    }
    for _ in 0..PAIRS[1] {
        let (field, _) = related.pair(&mut random);
        let first = set(original, field, &mut random);
        let second = random.pick(&places).copied();
        cases.push(Case { kind: Kind::Both, first, second });
    }
    cases
}

/// One of a field's extremes.
fn set(original: &Original, field: usize, random: &mut Random) -> Mutation {
    let found = &original.fields[field];
    let values = values(found, original.value(found));
    let value = random.pick(&values).copied().unwrap_or_default();
    Mutation::Set { field, value }
}

/// What a field is made to say, which is never what it says.
fn values(field: &Field, value: u64) -> Vec<u64> {
    let bits = 8 * field.width;
    let all = u64::MAX >> (64 - bits);
    let mut values = match field.role {
        Role::Version => vec![0, 1, 2, 255],
        Role::Flags => {
            let toggled = (0..bits).map(|bit| value ^ 1 << bit);
            toggled.chain([0, all]).collect()
        }
        Role::ElementSize => {
            let largest = largest(field.width);
            let mut values = numbers(7 * field.width, value);
            values.extend([largest - 1, largest]);
            values
        }
        Role::Number => numbers(bits, value),
    };
    values.retain(|other| *other != value);
    values.sort_unstable();
    values.dedup();
    values
}

/// The extremes of a number of so many bits.
fn numbers(bits: usize, value: u64) -> Vec<u64> {
    let all = u64::MAX >> (64 - bits);
    let sign = 1 << (bits - 1);
    let edges = [0, 1, 7, 8, sign - 1, sign, all, value.wrapping_sub(1), value.wrapping_add(1)];
    let edges = edges.into_iter().chain([0x7fff_ffff, 0x8000_0000, 0xffff_ffff]);
    edges.filter(|edge| *edge <= all).collect()
}

/// Every node in every wrong place.
fn places(original: &Original, random: &mut Random) -> Vec<Mutation> {
    let tree = &original.tree;
    // Of blocks, of which there are hundreds, those whose fields are changed.
    let known: BTreeSet<usize> = original.fields.iter().map(|field| field.node).collect();
    let containers: Vec<_> =
        (0..tree.nodes.len()).filter(|node| tree.nodes[*node].is_container).collect();
    let mut places = Vec::new();
    for node in known {
        let Node { parent, is_container, .. } = tree.nodes[node];
        let next = tree.next(node);
        let mut targets: Vec<_> =
            parent.and_then(|parent| tree.nodes[parent].parent).into_iter().collect();
        targets.extend(next.filter(|next| tree.nodes[*next].is_container));
        targets.extend((0..2).filter_map(|_| random.pick(&containers).copied()));
        targets.retain(|to| !tree.holds(node, *to) && Some(*to) != parent);
        targets.dedup();
        for corrected in [true, false] {
            places.push(Mutation::Duplicate { node, corrected });
            places.push(Mutation::Remove { node, corrected });
            if is_container {
                places.push(Mutation::Nest { node, corrected });
            }
            places.extend(targets.iter().map(|to| Mutation::Move { node, to: *to, corrected }));
        }
        places.push(Mutation::Hide { node });
        places.extend(next.map(|next| Mutation::Swap { node, next }));
        places.extend(rewrites(&tree.nodes[node], node, &original.file));
    }
    places
}

/// The size of a node, written in other lengths.
fn rewrites(changed: &Node, node: usize, file: &[u8]) -> Vec<Mutation> {
    let stated = changed.stated(file);
    match changed.size {
        Size::Element(_, old) => {
            let right = (1..=8).filter(|width| *width != old && stated < largest(*width));
            let right = right.map(|width| (width, stated));
            let unknown = [1, 4, 8].map(|width| (width, largest(width)));
            let all = right.chain(unknown).filter(|(width, _)| *width != old);
            all.map(|(width, value)| Mutation::Rewrite { node, width, value }).collect()
        }
        Size::Short => [stated + 8, 0, 15, 16, 1 << 32, 1 << 63, u64::MAX]
            .map(|value| Mutation::Rewrite { node, width: 8, value })
            .to_vec(),
        Size::Long | Size::Open => Vec::new(),
    }
}

/// Fields that mean something together.
struct Related {
    /// Each group: those of one track or fragment, or of the headers of a WebM file.
    groups: Vec<Vec<usize>>,
}

/// Boxes that tell where samples lie and how they are protected.
const TOLD_TOGETHER: [&str; 22] = [
    "saiz", "saio", "senc", "trun", "tfhd", "tenc", "stsz", "stz2", "stco", "co64", "stsc", "sbgp",
    "sgpd", "schm", "stsd", "trex", "tkhd", "sidx", "tfra", "traf", "moof", "stbl",
];

impl Related {
    fn of(original: &Original) -> Self {
        let tree = &original.tree;
        let is_piff = |name: &str| name.len() == 32;
        let matters = |name: &str| TOLD_TOGETHER.contains(&name) || is_piff(name);
        let group = |field: &Field| {
            let above: Vec<_> = tree.above(field.node).collect();
            let kinds = ["traf", "trak", "Cluster", "Tracks", "SeekHead", "Cues"];
            let found = above.iter().find(|node| kinds.contains(&tree.nodes[**node].name()));
            found.copied()
        };
        let mut groups: Vec<(Option<usize>, Vec<usize>)> = Vec::new();
        for (index, field) in original.fields.iter().enumerate() {
            if !tree.is_webm && !matters(tree.nodes[field.node].name()) {
                continue;
            }
            let group = group(field);
            match groups.iter_mut().find(|(known, _)| *known == group) {
                Some((_, fields)) => fields.push(index),
                None => groups.push((group, vec![index])),
            }
        }
        Self { groups: groups.into_iter().map(|(_, fields)| fields).collect() }
    }

    /// Two fields: mostly of one group.
    fn pair(&self, random: &mut Random) -> (usize, usize) {
        let pick = |group: &[usize], random: &mut Random| random.pick(group).copied();
        let first = random.pick(&self.groups).map_or(&[][..], Vec::as_slice);
        let second = match random.below(4) {
            0 => random.pick(&self.groups).map_or(&[][..], Vec::as_slice),
            _ => first,
        };
        let [first, second] = [first, second].map(|group| pick(group, random).unwrap_or_default());
        (first, second)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::{mutation::Told, tree::Tree};

    const SMALL: [&str; 3] = [
        "media/segments/a_init.mp4",
        "media/segments/a_1.m4s",
        "media/shaka_webm_vp9_opus_audio.webm",
    ];

    fn original(name: &str) -> Original {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
        Original::new(fs::read(fixtures.join(name)).unwrap())
    }

    #[test]
    fn a_change_changes_the_file_and_is_the_same_in_each_run() {
        for name in SMALL {
            let original = original(name);
            let (once, again) = (all(name, &original), all(name, &original));
            assert!(once.len() > 1000, "{name}: {}", once.len());
            assert_eq!(format!("{once:?}"), format!("{again:?}"));
            for case in once.iter().filter(|case| case.kind == Kind::Field) {
                let told = Told(case.first, &original);
                assert_ne!(case.make(&original), original.file, "{name}: {told}");
            }
        }
    }

    /// Nodes that a file has when a change has been made to it, with all sizes corrected.
    fn expected(original: &Original, mutation: Mutation) -> Option<usize> {
        let tree = &original.tree;
        let all = tree.nodes.len();
        let held = |node| (0..all).filter(|inner| tree.holds(node, *inner)).count();
        match mutation {
            Mutation::Duplicate { node, corrected: true }
            | Mutation::Nest { node, corrected: true } => Some(all + held(node)),
            Mutation::Remove { node, corrected: true } => Some(all - held(node)),
            Mutation::Swap { .. } | Mutation::Move { corrected: true, .. } => Some(all),
            _ => None,
        }
    }

    /// Whether the sizes that grow are written in as many bytes as they need then.
    fn has_room(original: &Original, mutation: Mutation) -> bool {
        let tree = &original.tree;
        let (node, first) = match mutation {
            Mutation::Duplicate { node, .. } => (node, tree.nodes[node].parent),
            Mutation::Nest { node, .. } => (node, Some(node)),
            Mutation::Move { node, to, .. } => (node, Some(to)),
            _ => return true,
        };
        let more = tree.nodes[node].range().len() as u64;
        std::iter::successors(first, |above| tree.nodes[*above].parent).all(|above| {
            let above = &tree.nodes[above];
            matches!(above.size, Size::Element(_, width) if above.stated(&original.file) + more < largest(width))
        })
    }

    /// In WebM nothing depends on where an element stands, so that all of them are found again.
    #[test]
    fn corrected_sizes_come_out_even() {
        let original = original(SMALL[2]);
        let mut tried = 0;
        for case in all(SMALL[2], &original).iter().filter(|case| case.kind == Kind::Place) {
            let Some(expected) = expected(&original, case.first) else { continue };
            if !has_room(&original, case.first) {
                continue;
            }
            let changed = case.make(&original);
            // An input that begins with another element is no WebM.
            if changed.starts_with(&original.file[..4]) {
                let told = Told(case.first, &original).to_string();
                assert_eq!(Tree::read(&changed).nodes.len(), expected, "{told}");
                tried += 1;
            }
        }
        assert!(tried > 500, "{tried}");
    }

    #[test]
    fn every_kind_of_field_that_protection_has_is_found() {
        let fields = |name: &str| {
            let original = original(name);
            let told = |field: &Field| {
                format!("{}: {}", original.tree.nodes[field.node].name(), field.name)
            };
            original.fields.iter().map(told).collect::<BTreeSet<_>>()
        };
        let found = fields("media/gpac_cenc_keyroll_frag_avc_aac.mp4");
        for field in [
            "tenc: default_Per_Sample_IV_Size",
            "senc: subsample_count",
            "senc: BytesOfProtectedData",
            "saiz: sample_count",
            "saio: offset",
            "sgpd: entry_count",
            "sbgp: group_description_index",
            "trun: data_offset",
            "tfhd: flags",
            "schm: scheme_type",
        ] {
            assert!(found.contains(field), "{field} is not in {found:?}");
        }
        let found = fields("media/gpac_cenc8_prog_avc_aac.mp4");
        for field in
            ["stsz: entry_size", "stsc: samples_per_chunk", "stco: chunk_offset", "senc: version"]
        {
            assert!(found.contains(field), "{field} is not in {found:?}");
        }
        let found = fields("media/shaka_webm_vp9_opus_video.webm");
        for field in [
            "SimpleBlock: signal byte",
            "SimpleBlock: partition_offset",
            "ContentEncAlgo: number",
            "SeekPosition: number",
            "CueClusterPosition: number",
            "Cluster: size",
        ] {
            assert!(found.contains(field), "{field} is not in {found:?}");
        }
    }
}

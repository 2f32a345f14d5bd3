//! Which keys are missing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use clearkey::KeyId;

/// Protected samples that there is no key for.
#[derive(Debug)]
pub(crate) struct NoKeys(pub(crate) BTreeMap<u32, BTreeSet<KeyId>>);

impl fmt::Display for NoKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no key for ")?;
        let tracks = self.0.iter();
        let kids = tracks.flat_map(|(track, kids)| kids.iter().map(move |kid| (track, kid)));
        for (index, (track, kid)) in kids.enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}KID {kid} (track {track})")?;
        }
        Ok(())
    }
}

impl std::error::Error for NoKeys {}

/// Key ids in a request that no key was given for.
#[derive(Debug)]
pub(crate) struct UnknownKids(pub(crate) Vec<KeyId>);

impl fmt::Display for UnknownKids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kids: Vec<_> = self.0.iter().map(|kid| format!("KID {kid}")).collect();
        write!(f, "no key for {}", kids.join(", "))
    }
}

impl std::error::Error for UnknownKids {}

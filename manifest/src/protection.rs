//! How a stream is protected.

use clearkey::{
    InitDataType, KeyId,
    pssh::{self, Pssh, SystemId},
};
use container::{Description, EntryDescription, FourCc, InitData, Plan};
use indexmap::IndexSet;

use crate::Error;

/// The protection of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// `cenc`, `cens`, `cbc1` or `cbcs`.
    pub scheme: FourCc,
    /// The default key id; `None`: there is none, since keys change.
    pub default_kid: Option<KeyId>,
    /// All key ids: the default first, then those of samples in the order in which they come. Each has 16
    /// octets.
    pub kids: IndexSet<KeyId>,
    /// The `pssh` boxes of other systems than the common one, in the file.
    pub systems: IndexSet<Pssh>,
}

impl Protection {
    /// What the headers say; `None`: the only track is clear.
    pub(crate) fn of(description: &Description) -> Result<Option<Self>, Error> {
        let entries = description.tracks.iter().flat_map(|track| &track.entries);
        let mut found: Option<Self> = None;
        for protection in
            entries.filter_map(|EntryDescription { summary, .. }| summary.protection.as_ref())
        {
            let scheme = protection.scheme_type;
            if scheme == *b"piff" {
                return Err(Error::Piff);
            }
            let default_kid = Some(&protection.kid).filter(|kid| !kid.is_zero());
            let of_stream = found.get_or_insert_with(|| Self {
                scheme,
                default_kid: default_kid.cloned(),
                kids: IndexSet::new(),
                systems: IndexSet::new(),
            });
            default_kid.into_iter().try_for_each(|kid| of_stream.add_kid(kid))?;
        }
        Ok(found)
    }

    /// Adds what samples and their headers say.
    pub(crate) fn add(&mut self, plan: &Plan) -> Result<(), Error> {
        for protection in plan.protections() {
            self.add_kid(&protection.kid)?;
        }
        for InitData { init_data_type, bytes, .. } in plan.init_data() {
            if *init_data_type != InitDataType::Cenc {
                continue;
            }
            // What cannot be read there is nothing that anybody could use.
            for found in pssh::boxes(bytes).map_while(Result::ok) {
                if let Some(pssh) = found.pssh()
                    && pssh.system_id() != SystemId::COMMON
                {
                    self.systems.insert(pssh.clone());
                }
            }
        }
        Ok(())
    }

    fn add_kid(&mut self, kid: &KeyId) -> Result<(), Error> {
        if kid.as_bytes().len() != 16 {
            return Err(Error::Kid { kid: kid.clone() });
        }
        self.kids.insert(kid.clone());
        Ok(())
    }

    /// The common `pssh` box with all key ids, in base64.
    pub(crate) fn common_pssh(&self) -> Result<String, Error> {
        Ok(Pssh::common(self.kids.iter().cloned().collect()).map_err(Error::Pssh)?.to_base64())
    }
}

/// A key id of 16 octets as a UUID.
pub(crate) fn uuid(kid: &KeyId) -> String {
    let hex = kid.to_string();
    let parts =
        [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or_default());
    parts.join("-")
}

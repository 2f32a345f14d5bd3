//! The movie header of a file that is being encrypted: sample entries, sample tables, `pssh`
//! (ISO/IEC 14496-12, 8.2).

use std::collections::BTreeMap;

use super::{
    aux_info::{self, growth, in_order},
    boxes::{boxed, piff_pssh, sinf},
    sample_data::SampleData,
    sample_table::{self, ChunkOffsets, Table},
    track::{EncryptedTrack, Unit, refuse_protection},
};
use crate::{
    Change, Error, FourCc, Relocation,
    encrypt::{Ivs, Settings, TrackSettings},
    mp4::{
        boxes::Mp4Box,
        builder::Builder,
        input::Input,
        movie::{self, Movie, MovieTrack},
        sample_entry::fields_len,
    },
    stop::Stop,
};

/// A movie header in the making.
pub(super) struct MovieEncryptor<'m, 'i> {
    pub(super) settings: &'m Settings,
    /// Where tracks of these ids went on to in the movie before.
    pub(super) ivs: &'m BTreeMap<u32, Ivs>,
    /// Bytes by which the units before make the file longer.
    pub(super) grown: i64,
    pub(super) data: &'m mut SampleData,
    pub(super) builder: &'m mut Builder,
    pub(super) input: &'m Input<'i>,
}

impl MovieEncryptor<'_, '_> {
    /// Plans a `moov` box, and the samples that its tables describe.
    pub(super) fn plan(
        mut self,
        moov: &Mp4Box<'_, '_>,
        movie: &Movie,
    ) -> Result<Vec<EncryptedTrack>, Stop> {
        let known = |settings: &&TrackSettings| movie.tracks.iter().any(|t| t.id == settings.track);
        if let Some(missing) = self.settings.tracks.iter().find(|settings| !known(settings)) {
            let what = format!("there is no track {}", missing.track);
            return Err(Error::Settings { what }.into());
        }
        let first = self.builder.plan.edits.len();
        let (mut tracks, mut tables, mut narrow) = (Vec::new(), Vec::new(), Vec::new());
        let traks = moov
            .children()
            .filter(|child| child.as_ref().is_ok_and(|child| child.kind == *b"trak"));
        for (trak, track) in traks.zip(&movie.tracks) {
            let trak = trak?;
            let mdia = trak.need(b"mdia")?;
            let minf = mdia.need(b"minf")?;
            let stbl = minf.need(b"stbl")?;
            narrow.extend(ChunkOffsets::read(&stbl)?);
            if let Some(settings) = self.settings.track(track.id) {
                if track.is_protected() {
                    return Err(
                        Error::AlreadyProtected { place: stbl.place(), track: track.id }.into()
                    );
                }
                for child in stbl.children().chain(trak.children()) {
                    refuse_protection(&child?, track.id)?;
                }
                let has_clear_entries = movie.is_fragmented && self.settings.clear_lead.is_some();
                let (planned, table) =
                    self.track(&mdia, &stbl, track, settings, has_clear_entries)?;
                tracks.push(planned);
                tables.extend(table);
            }
        }
        self.place(moov, first, tables, &narrow)?;
        Ok(tracks)
    }

    fn track(
        &mut self,
        mdia: &Mp4Box<'_, '_>,
        stbl: &Mp4Box<'_, '_>,
        track: &MovieTrack,
        settings: &TrackSettings,
        has_clear_entries: bool,
    ) -> Result<(EncryptedTrack, Option<Table>), Stop> {
        let kind = match &movie::handler(mdia)?.0 {
            b"vide" => *b"encv",
            b"soun" => *b"enca",
            other => {
                let what = format!("track {} is of type `{}`", track.id, FourCc(*other));
                return Err(Error::Settings { what }.into());
            }
        };
        let stsd = stbl.need(b"stsd")?;
        let timescale = timescale(mdia)?;
        let ivs = self.ivs.get(&track.id).cloned();
        let mut planned =
            EncryptedTrack::new(self.settings, settings, track, &stsd, timescale, ivs)?;
        let unit = Unit::new(track, self.builder, self.input, self.data);
        let scope = unit.scope;
        let table = sample_table::plan(stbl, track, &mut planned, unit)?;
        self.entries(&stsd, kind, settings, scope, has_clear_entries)?;
        Ok((planned, table))
    }

    /// Makes all sample entries protected ones. Clear fragments get copies of them that are not.
    fn entries(
        &mut self,
        stsd: &Mp4Box<'_, '_>,
        kind: [u8; 4],
        settings: &TrackSettings,
        scope: u32,
        has_copies: bool,
    ) -> Result<(), Error> {
        let mut fields = stsd.fields();
        let (version, _) = fields.version_and_flags()?;
        let count_at = fields.at();
        let count = fields.u32("entry_count")?;
        let (mut copies, mut end) = (Vec::new(), stsd.end());
        for entry in stsd.children_from(8) {
            let entry = entry?;
            let fields = fields_len(&entry, FourCc(kind), version)?;
            let at = entry.children_end(fields)?;
            let Settings { scheme, piff, .. } = *self.settings;
            let sinf = sinf(entry.kind, scheme, piff, settings);
            self.builder.overwrite(scope, entry.at + 4, &kind);
            self.builder.insert(Some(scope), at, entry.at, sinf);
            copies.extend(boxed(entry.kind.0, &[entry.body]));
            end = entry.end();
        }
        if has_copies {
            self.builder.overwrite(scope, count_at, &count.saturating_mul(2).to_be_bytes());
            self.builder.insert(Some(scope), end, stsd.at, copies);
        }
        Ok(())
    }

    /// Puts in what goes behind other boxes, and what tells where boxes and samples stand then.
    fn place(
        self,
        moov: &Mp4Box<'_, '_>,
        first: usize,
        tables: Vec<Table>,
        narrow: &[ChunkOffsets],
    ) -> Result<(), Error> {
        let pssh: Vec<u8> = match self.settings.piff {
            true => self.settings.pssh.iter().flat_map(|pssh| piff_pssh(pssh)).collect(),
            false => self.settings.pssh.concat(),
        };
        let edits = &self.builder.plan.edits;
        let grown = self.grown + edits[first..].iter().map(growth).sum::<i64>();
        let tables: Vec<_> = tables.into_iter().map(|table| (table.boxes(false), table)).collect();
        // The longest that the file can become.
        let end = self.input.end().saturating_add_signed(grown)
            + pssh.len() as u64
            + tables.iter().map(|(boxes, _)| boxes.longest()).sum::<u64>()
            + narrow.iter().map(ChunkOffsets::growth).sum::<u64>();
        let is_wide = u32::try_from(end).is_err();
        let mut placed = Vec::new();
        for (boxes, table) in tables {
            let boxes = if is_wide { table.boxes(true) } else { boxes };
            placed.push(boxes.place(table.slot, table.scope, self.builder));
        }
        let narrow = if is_wide { narrow } else { &[] };
        let upgraded = self.builder.plan.edits.len();
        for offsets in narrow {
            let room = offsets.wide(|at| at);
            self.builder.insert(None, offsets.range.start, offsets.stbl, room);
            self.builder.discard(None, offsets.range.clone());
        }
        if !pssh.is_empty() {
            self.builder.insert(None, moov.children_end(0)?, moov.at, pssh);
        }
        let edits = &mut self.builder.plan.edits;
        aux_info::point(&placed, 0, first, self.grown, edits)?;
        let mut relocation = Relocation::new();
        for index in in_order(edits, first) {
            relocation.add(&edits[index]);
        }
        let moved = |at| relocation.moved(at).saturating_add_signed(self.grown);
        for (edit, offsets) in edits[upgraded..].iter_mut().step_by(2).zip(narrow) {
            let bytes = offsets.wide(moved);
            edit.change = Change::Insert { bytes, owner: offsets.stbl };
        }
        Ok(())
    }
}

/// Units of time in a second, of `mdhd` (8.4.2).
fn timescale(mdia: &Mp4Box<'_, '_>) -> Result<u32, Error> {
    let mdhd = mdia.need(b"mdhd")?;
    let mut fields = mdhd.fields();
    let (version, _) = fields.version_and_flags()?;
    fields.u32_or_u64(version == 1, "creation_time")?;
    fields.u32_or_u64(version == 1, "modification_time")?;
    match fields.u32("timescale")? {
        0 => Err(mdhd.malformed("timescale is 0")),
        timescale => Ok(timescale),
    }
}

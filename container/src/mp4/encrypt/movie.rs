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
    encrypt::{Ivs, Ordered, Settings, TrackSettings},
    mp4::{
        boxes::Mp4Box,
        builder::Builder,
        input::Input,
        movie::{self, Movie, MovieTrack, timescale},
        sample_entry::fields_len,
    },
    stop::Stop,
};

/// A movie header in the making.
pub(super) struct MovieEncryptor<'m, 'i> {
    pub(super) settings: &'m Ordered,
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
    ) -> Result<BTreeMap<u32, EncryptedTrack>, Stop> {
        let known = |settings: &&TrackSettings| movie.track(settings.track).is_some();
        if let Some(missing) = self.settings.tracks.iter().find(|settings| !known(settings)) {
            let what = format!("there is no track {}", missing.track);
            return Err(Error::Settings { what }.into());
        }
        let first = self.builder.plan.edits.len();
        let (mut tracks, mut tables, mut narrow) = (BTreeMap::new(), Vec::new(), Vec::new());
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
                let has_clear_entries = movie.is_fragmented && self.settings.has_clear_lead();
                let (planned, table) =
                    self.track(&mdia, &stbl, track, settings, has_clear_entries)?;
                tracks.insert(track.id, planned);
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
            let Settings { scheme, piff, .. } = **self.settings;
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

#[cfg(test)]
mod tests {
    use std::{io, ops::Range, time::Duration};

    use super::super::testing::{edited, entry, planned, settings, trak};
    use crate::{
        Change, ReadAt, Window,
        encrypt::Settings,
        mp4::{
            relocate,
            testing::{Written, empty_table, file, full, plain, plans, stsd, told},
        },
    };

    /// A sample table with samples of 16 bytes, one in each of the chunks at these offsets.
    fn table(offsets: &[u32]) -> Written {
        let count = u32::try_from(offsets.len()).unwrap();
        let stco = full(b"stco", 0, 0).u32(count);
        plain(b"stbl")
            .put(stsd(&[entry()]))
            .put(full(b"stts", 0, 0).u32(1).u32(count).u32(10))
            .put(full(b"stsz", 0, 0).u32(16).u32(count))
            .put(full(b"stsc", 0, 0).u32(1).u32(1).u32(1).u32(1))
            .put(offsets.iter().fold(stco, |stco, &at| stco.u32(at)))
    }

    /// A large file: what it begins with, and zeros.
    struct Sparse {
        start: Vec<u8>,
        len: u64,
    }

    impl ReadAt for Sparse {
        fn available(&self) -> Range<u64> {
            0..self.len
        }

        fn read_exact_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
            buffer.fill(0);
            let from = usize::try_from(at).unwrap().min(self.start.len());
            let there = &self.start[from..];
            let len = there.len().min(buffer.len());
            buffer[..len].copy_from_slice(&there[..len]);
            Ok(())
        }
    }

    /// The file of that length with two tracks, the second of which stays clear.
    fn sparse(len: u64) -> Sparse {
        let last = u32::try_from(len - 16).unwrap_or(u32::MAX - 16);
        let moov = |first| {
            plain(b"moov").put(trak(1, &table(&[first, last]))).put(trak(2, &table(&[first + 16])))
        };
        let first = u32::try_from(moov(0).len()).unwrap() + 16;
        let mdat =
            [&[0, 0, 0, 1], b"mdat".as_slice(), &(len - u64::from(first) + 16).to_be_bytes()];
        Sparse { start: [moov(first).as_ref(), &mdat.concat()].concat(), len }
    }

    /// The lead of a sample table stays clear, but is told of with the samples that are protected.
    #[test]
    fn samples_of_a_lead_lie_beside_each_other_too() {
        let file = |second: u32| {
            let moov = |first: u32| plain(b"moov").put(trak(1, &table(&[first, first + second])));
            let first = u32::try_from(moov(0).len()).unwrap() + 8;
            file(&[moov(first), plain(b"mdat").zeros(32)])
        };
        let clear_lead = |seconds| Some(Duration::from_secs(seconds));
        for seconds in [1, 2] {
            let lead = || Settings { clear_lead: clear_lead(seconds), ..settings() };
            let output = edited(&file(16), lead()).unwrap();
            assert_eq!(plans(&output).unwrap()[0].samples().len(), 2);
            for second in [0, 15] {
                let message = told(edited(&file(second), lead()));
                assert!(message.ends_with("lies over another sample"), "{message}");
            }
        }
    }

    #[test]
    fn offsets_become_as_wide_as_the_longer_file_asks() {
        let most = u64::from(u32::MAX);
        let growth = 150;
        for (len, is_wide) in
            [(most - 2 * growth, false), (most - growth, true), (most, true), (5 << 30, true)]
        {
            let file = sparse(len);
            let (units, relocation) = planned(&file, settings()).unwrap();
            assert_eq!(units.len(), 1);
            let range = units[0].plan().range();
            let corrections = relocate(&file, range, &relocation).unwrap();
            let mut head = file.start.clone();
            units[0].edits().chain(&corrections).for_each(|edit| edit.write(0, &mut head));
            let head: Vec<u8> = units[0]
                .pieces(&relocation, 0, &head)
                .flat_map(|(_, piece)| piece.to_vec())
                .collect();
            assert_eq!(
                head.windows(4).filter(|bytes| bytes == b"co64").count(),
                if is_wide { 2 } else { 0 }
            );
            assert_eq!(
                head.windows(4).filter(|bytes| bytes == b"stco").count(),
                if is_wide { 0 } else { 2 }
            );
            // The reader finds the same samples, all moved by as much.
            let moved = head.len() as u64 - file.start.len() as u64;
            let whole = Sparse { len: len + moved, start: head };
            let mut planner = crate::mp4::Planner::new();
            let crate::Step::Unit(plan) = planner.next_unit(&whole, true).unwrap() else {
                panic!()
            };
            let samples: Vec<_> = plan.samples().iter().map(|sample| sample.at - moved).collect();
            let expected: Vec<_> =
                units[0].plan().samples().iter().map(|sample| sample.at).collect();
            assert_eq!(samples, expected);
            // `senc` and what points to it say the same.
            let saio = whole.start.windows(4).position(|bytes| bytes == b"saio").unwrap();
            let senc = whole.start.windows(4).position(|bytes| bytes == b"senc").unwrap();
            let stated = match is_wide {
                true => u64::from_be_bytes(whole.start[saio + 12..][..8].try_into().unwrap()),
                false => {
                    u32::from_be_bytes(whole.start[saio + 12..][..4].try_into().unwrap()).into()
                }
            };
            assert_eq!(stated, senc as u64 + 12);
            assert_eq!(whole.start[saio + 4], u8::from(is_wide));
        }
    }

    #[test]
    fn a_movie_header_behind_its_samples_grows_where_it_stands() {
        let mdat = plain(b"mdat").zeros(32);
        let moov = plain(b"moov").put(trak(1, &table(&[8, 24])));
        let file = [mdat.as_ref(), moov.as_ref()].concat();
        let output = edited(&file, settings()).unwrap();
        let plan = plans(&output).unwrap().remove(0);
        assert_eq!(plan.samples().iter().map(|sample| sample.at).collect::<Vec<_>>(), [8, 24]);
    }

    #[test]
    fn every_sample_entry_is_protected() {
        let entries = [entry(), plain(b"efgh").zeros(78).put(plain(b"abcC").zeros(3)).put([0; 4])];
        let table = empty_table(&entries).put(full(b"stts", 0, 0).u32(0));
        let moov = plain(b"moov").put(trak(1, &table));
        let output = edited(moov.as_ref(), settings()).unwrap();
        let found = plans(&output).unwrap();
        let entries = &found[0].tracks()[0].entries;
        let formats: Vec<_> = entries
            .iter()
            .map(|entry| (entry.format.as_str(), entry.protection.is_some()))
            .collect();
        assert_eq!(formats, [("abcd", true), ("efgh", true)]);
    }

    #[test]
    fn a_second_movie_goes_on_with_the_ivs_of_the_first() {
        let moov = |first: u32| plain(b"moov").put(trak(1, &table(&[first])));
        let one = |start: u32| {
            let first = u32::try_from(moov(0).len()).unwrap() + 8 + start;
            [moov(first).as_ref(), plain(b"mdat").zeros(16).as_ref()].concat()
        };
        let start = u32::try_from(one(0).len()).unwrap();
        let file = [one(0), one(start)].concat();
        let (units, _) = planned(&Window::new(0, &file), settings()).unwrap();
        let ivs: Vec<_> =
            units.iter().map(|unit| unit.plan().iv(&unit.plan().samples()[0])).collect();
        assert_ne!(ivs[0], ivs[1]);
        let output = edited(&file, settings()).unwrap();
        assert_eq!(
            plans(&output).unwrap().iter().map(|plan| plan.samples().len()).sum::<usize>(),
            2
        );
    }

    #[test]
    fn only_video_and_audio_are_encrypted() {
        let with_handler = |entry: Written, handler: &[u8; 4]| {
            let table = empty_table(&[entry]).put(full(b"stts", 0, 0).u32(0));
            let mut moov = plain(b"moov").put(trak(1, &table)).as_ref().to_vec();
            let at = moov.windows(4).position(|bytes| bytes == b"vide").unwrap();
            moov[at..at + 4].copy_from_slice(handler);
            edited(&moov, settings())
        };
        let message = told(with_handler(entry(), b"text"));
        assert_eq!(message, "cannot be encrypted so: track 1 is of type `text`");
        for (handler, len, kind) in [(b"soun", 28, b"enca"), (b"vide", 78, b"encv")] {
            let output = with_handler(plain(b"abcd").zeros(len), handler).unwrap();
            assert!(output.windows(4).any(|bytes| bytes == kind));
        }
    }

    #[test]
    fn a_track_has_a_time_scale() {
        let mut moov = plain(b"moov").put(trak(1, &table(&[]))).as_ref().to_vec();
        let mdhd = moov.windows(4).position(|bytes| bytes == b"mdhd").unwrap();
        moov[mdhd + 16..mdhd + 20].fill(0);
        let message = told(edited(&moov, settings()));
        assert_eq!(message, "`moov/trak/mdia/mdhd` at byte 48: timescale is 0");
    }

    #[test]
    fn what_goes_in_is_a_part_of_the_box_that_it_says() {
        let moov = plain(b"moov").put(trak(1, &table(&[])));
        let mut settings = settings();
        settings.pssh = vec![plain(b"pssh").zeros(4).as_ref().to_vec()];
        let (units, _) = planned(&Window::new(0, moov.as_ref()), settings).unwrap();
        let owners: Vec<_> = units[0]
            .edits()
            .filter_map(|edit| match edit.change {
                Change::Insert { owner, .. } => Some(owner),
                _ => None,
            })
            .map(|owner| &moov.as_ref()[usize::try_from(owner).unwrap() + 4..][..4])
            .collect();
        assert_eq!(owners, [b"abcd", b"moov"]);
    }
}

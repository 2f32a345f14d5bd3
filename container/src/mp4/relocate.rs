//! Every field of an MP4 file that holds an offset or a length, made right for a [`Relocation`].

use std::ops::Range;

use crate::{
    Change, Edit, Error, ReadAt, Relocation,
    mp4::{
        boxes::Mp4Box,
        cursor::big_endian,
        input::Input,
        samples,
        segment_index::{Reference, Sidx},
    },
    stop::Stop,
};

/// The edits that make the boxes at the top of a file between the offsets of `range` true again
/// after `relocation`: sizes of boxes, `stco`, `co64`, `tfhd`, `trun`, `saio`, `sidx`, `tfra` and
/// `mfro`.
///
/// Offsets are those of `input`; the edits are made before pieces are taken out or put in. Boxes that are
/// taken out are passed over, and what is put in has to be right by itself.
///
/// # Errors
/// As planning the same boxes; a `meta` box with item locations is refused, and so is a value that has
/// become too large for its field.
pub fn relocate(
    input: &dyn ReadAt,
    range: Range<u64>,
    relocation: &Relocation,
) -> Result<Vec<Edit>, Error> {
    let mut fixes = Fixes { relocation, edits: Vec::new() };
    if !relocation.is_empty() {
        match fixes.top_level(&Input::new(input, true, range.start), range.clone()) {
            Ok(()) => {}
            Err(stop) => return Err(stop.of_whole(range.start)),
        }
    }
    fixes.edits.sort_by_key(|edit| edit.at);
    Ok(fixes.edits)
}

struct Fixes<'r> {
    relocation: &'r Relocation,
    edits: Vec<Edit>,
}

impl Fixes<'_> {
    fn top_level(&mut self, input: &Input<'_>, range: Range<u64>) -> Result<(), Stop> {
        let mut at = range.start;
        while at < range.end {
            let header = input.header(at)?;
            let end = input.box_end(&header, at)?;
            if matches!(&header.kind.0, b"ftyp" | b"moov" | b"moof" | b"sidx" | b"mfra" | b"meta") {
                let body = input.body(&header, at, end)?;
                let boxed = Mp4Box::top(&header, at, &body);
                if header.size.is_some() {
                    self.size(&boxed)?;
                }
                self.content(&boxed)?;
            }
            at = end;
        }
        Ok(())
    }

    fn content(&mut self, boxed: &Mp4Box<'_, '_>) -> Result<(), Error> {
        match &boxed.kind.0 {
            b"moov" | b"trak" | b"mdia" | b"minf" | b"udta" => self.children(boxed, 0),
            // Version, flags and entry count stand before the entries.
            b"stsd" => self.children(boxed, 8),
            b"stbl" => {
                self.children(boxed, 0)?;
                self.each_saio(boxed, 0)
            }
            b"moof" => self.moof(boxed),
            b"mfra" => self.mfra(boxed),
            b"sidx" => self.sidx(boxed),
            b"stco" => self.chunk_offsets(boxed, 4),
            b"co64" => self.chunk_offsets(boxed, 8),
            b"meta" => refuse_item_locations(boxed),
            _ => Ok(()),
        }
    }

    fn children(&mut self, boxed: &Mp4Box<'_, '_>, skip: usize) -> Result<(), Error> {
        for child in boxed.children_from(skip) {
            // QuickTime's `udta` need not hold boxes to its end.
            let child = match child {
                Err(_) if boxed.kind == *b"udta" => break,
                child => child?,
            };
            if self.relocation.size(samples::range(&child)) > 0 {
                self.size(&child)?;
                self.content(&child)?;
            }
        }
        Ok(())
    }

    fn size(&mut self, boxed: &Mp4Box<'_, '_>) -> Result<(), Error> {
        let new = self.relocation.size(samples::range(boxed));
        if new == boxed.len() {
            return Ok(());
        }
        match boxed.has_large_size() {
            true => self.overwrite(boxed.at + 8, new.to_be_bytes().to_vec()),
            false => self.overwrite(boxed.at, narrow(new, "the size of a box", boxed)?),
        }
        Ok(())
    }

    fn moof(&mut self, moof: &Mp4Box<'_, '_>) -> Result<(), Error> {
        let mut is_first = true;
        for child in moof.children() {
            let child = child?;
            self.size(&child)?;
            if child.kind == *b"traf" {
                self.traf(moof.at, is_first, &child)?;
                is_first = false;
            }
        }
        Ok(())
    }

    fn traf(&mut self, moof: u64, is_first: bool, traf: &Mp4Box<'_, '_>) -> Result<(), Error> {
        let tfhd = traf.need(b"tfhd")?;
        self.size(&tfhd)?;
        let mut fields = tfhd.fields();
        let (_, flags) = fields.version_and_flags()?;
        fields.u32("track_ID")?;
        let at = fields.at();
        let absolute = if flags & 0x1 != 0 { Some(fields.u64("base_data_offset")?) } else { None };
        if let Some(base) = absolute {
            self.overwrite(at, self.relocation.moved(base).to_be_bytes().to_vec());
        }
        self.each_saio(traf, absolute.unwrap_or(moof))?;
        let counts_from_moof = is_first || flags & 0x2_0000 != 0;
        let Some(base) = absolute.or(counts_from_moof.then_some(moof)) else {
            // The offsets count from the data of the track fragment before, and nothing is taken
            // out between sample data.
            return Ok(());
        };
        for trun in traf.children() {
            let trun = trun?;
            if trun.kind == *b"trun" {
                self.trun(&trun, base)?;
            }
        }
        Ok(())
    }

    fn trun(&mut self, trun: &Mp4Box<'_, '_>, base: u64) -> Result<(), Error> {
        let mut fields = trun.fields();
        let (_, flags) = fields.version_and_flags()?;
        fields.u32("sample_count")?;
        if flags & 0x1 == 0 {
            return Ok(());
        }
        let at = fields.at();
        let offset = i64::from(fields.i32("data_offset")?);
        if let Some(data) = base.checked_add_signed(offset) {
            let moved = self.distance(base, data);
            let moved = i32::try_from(moved).map_err(|_| Error::Limit {
                place: trun.place(),
                what: "data_offset",
                value: moved.unsigned_abs(),
                limit: i32::MAX.cast_unsigned().into(),
            })?;
            self.overwrite(at, moved.to_be_bytes().to_vec());
        }
        Ok(())
    }

    fn distance(&self, from: u64, to: u64) -> i64 {
        self.relocation.moved(to).wrapping_sub(self.relocation.moved(from)).cast_signed()
    }

    fn each_saio(&mut self, parent: &Mp4Box<'_, '_>, base: u64) -> Result<(), Error> {
        for saio in parent.children() {
            let saio = saio?;
            if saio.kind == *b"saio" {
                self.saio(&saio, base)?;
            }
        }
        Ok(())
    }

    fn saio(&mut self, saio: &Mp4Box<'_, '_>, base: u64) -> Result<(), Error> {
        let mut fields = saio.fields();
        let (version, flags) = fields.version_and_flags()?;
        if flags & 1 != 0 {
            fields.u64("aux_info_type and aux_info_type_parameter")?;
        }
        let wide = version == 1;
        for _ in 0..fields.u32("entry_count")? {
            let at = fields.at();
            let offset = fields.u32_or_u64(wide, "offset")?;
            let moved = self.distance(base, base.saturating_add(offset)).cast_unsigned();
            self.overwrite(
                at,
                narrow_or_wide(wide, moved, "the offset of auxiliary information", saio)?,
            );
        }
        Ok(())
    }

    fn chunk_offsets(&mut self, boxed: &Mp4Box<'_, '_>, width: usize) -> Result<(), Error> {
        let mut fields = boxed.fields();
        fields.version_and_flags()?;
        let count = fields.u32("entry_count")?;
        let at = fields.at();
        let mut table = fields.table(count, width, "chunk_offset")?.to_vec();
        for entry in table.chunks_exact_mut(width) {
            let old = big_endian(entry);
            let new = self.relocation.moved(old);
            let new = narrow_or_wide(width == 8, new, "a chunk offset", boxed)?;
            entry.copy_from_slice(&new);
        }
        self.overwrite(at, table);
        Ok(())
    }

    /// Segment index (ISO/IEC 14496-12, 8.16.3): sizes that follow each other from an anchor behind
    /// the box.
    fn sidx(&mut self, sidx: &Mp4Box<'_, '_>) -> Result<(), Error> {
        let found = Sidx::read(sidx)?;
        let (at, wide) = found.first_offset;
        let mut position = found.anchor;
        let moved = self.relocation.len(sidx.end()..position);
        self.overwrite(at, narrow_or_wide(wide, moved, "first_offset", sidx)?);
        for Reference { at, is_index, size, .. } in found.references {
            let end = position.saturating_add(size.into());
            let size = self.relocation.len(position..end);
            let limit = u64::from(u32::MAX >> 1);
            if size > limit {
                let (place, what) = (sidx.place(), "referenced_size");
                return Err(Error::Limit { place, what, value: size, limit });
            }
            let kind = u64::from(is_index) << 31;
            self.overwrite(at, narrow(kind | size, "referenced_size", sidx)?);
            position = end;
        }
        Ok(())
    }

    fn mfra(&mut self, mfra: &Mp4Box<'_, '_>) -> Result<(), Error> {
        for child in mfra.children() {
            let child = child?;
            match &child.kind.0 {
                b"tfra" => self.tfra(&child)?,
                b"mfro" => {
                    let mut fields = child.fields();
                    fields.version_and_flags()?;
                    let at = fields.at();
                    fields.u32("size")?;
                    let new = self.relocation.size(samples::range(mfra));
                    self.overwrite(at, narrow(new, "the size of a box", mfra)?);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn tfra(&mut self, tfra: &Mp4Box<'_, '_>) -> Result<(), Error> {
        let mut fields = tfra.fields();
        let (version, _) = fields.version_and_flags()?;
        let wide = version == 1;
        fields.u32("track_ID")?;
        let lengths = fields.u32("lengths of the numbers")?;
        let numbers = [4, 2, 0].map(|shift| (lengths >> shift & 3) as usize + 1);
        for _ in 0..fields.u32("number_of_entry")? {
            fields.u32_or_u64(wide, "time")?;
            let at = fields.at();
            let moof = fields.u32_or_u64(wide, "moof_offset")?;
            let moved = self.relocation.moved(moof);
            self.overwrite(at, narrow_or_wide(wide, moved, "moof_offset", tfra)?);
            fields.bytes(numbers.iter().sum(), "traf_number, trun_number and sample_number")?;
        }
        Ok(())
    }

    fn overwrite(&mut self, at: u64, bytes: Vec<u8>) {
        self.edits.push(Edit { at, change: Change::Overwrite(bytes), scope: None });
    }
}

/// A value that stands in 32 bits of a box.
fn narrow(value: u64, what: &'static str, owner: &Mp4Box<'_, '_>) -> Result<Vec<u8>, Error> {
    match u32::try_from(value) {
        Ok(value) => Ok(value.to_be_bytes().to_vec()),
        Err(_) => {
            let limit = u32::MAX.into();
            Err(Error::Limit { place: owner.place(), what, value, limit })
        }
    }
}

fn narrow_or_wide(
    wide: bool,
    value: u64,
    what: &'static str,
    owner: &Mp4Box<'_, '_>,
) -> Result<Vec<u8>, Error> {
    if wide { Ok(value.to_be_bytes().to_vec()) } else { narrow(value, what, owner) }
}

/// Items of a `meta` box can lie anywhere in the file. Nobody was met who needs them moved, so they
/// are not, and not left pointing astray either.
fn refuse_item_locations(meta: &Mp4Box<'_, '_>) -> Result<(), Error> {
    // A full box in ISO's files, a plain one in QuickTime's.
    for skip in [4, 0] {
        let mut children = meta.children_from(skip);
        if children.any(|child| child.is_ok_and(|child| child.kind == *b"iloc")) {
            return Err(meta.unsupported("moving the items of an `iloc` box"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Window,
        mp4::boxes::Header,
        mp4::testing::{
            Written, avc1, empty_table, file, full, plain, plans, stsd, tfhd, told, trak, trun,
        },
    };

    /// A box to be taken out.
    fn piece(len: usize) -> Written {
        plain(b"GONE").zeros(len)
    }

    fn pieces_of(file: &[u8]) -> Relocation {
        let mut relocation = Relocation::new();
        for at in (4..file.len().saturating_sub(3)).filter(|&at| &file[at..at + 4] == b"GONE") {
            let size = u32::from_be_bytes(file[at - 4..at].try_into().unwrap());
            let start = (at - 4) as u64;
            relocation.remove(start..start + u64::from(size));
        }
        relocation
    }

    /// Corrects a file and takes its pieces out.
    fn cut(file: &[u8]) -> Result<Vec<u8>, Error> {
        let (relocation, len) = (pieces_of(file), file.len() as u64);
        let mut corrected = file.to_vec();
        let edits = relocate(&Window::new(0, file), 0..len, &relocation)?;
        assert!(edits.is_sorted_by_key(|edit| edit.at));
        for edit in edits {
            edit.write(0, &mut corrected);
        }
        let kept = relocation.kept(0..len).map(|kept| {
            &corrected[usize::try_from(kept.start).unwrap()..usize::try_from(kept.end).unwrap()]
        });
        Ok(kept.collect::<Vec<_>>().concat())
    }

    /// Puts the pieces of `with` into `without`, which is the same file but for them, and corrects that.
    fn grow(without: &[u8], with: &[u8]) -> Result<Vec<u8>, Error> {
        let removal = pieces_of(with);
        let (mut growth, mut inserts) = (Relocation::new(), Vec::new());
        let (mut kept_end, len) = (0, with.len() as u64);
        for kept in removal.kept(0..len).chain(std::iter::once(len..u64::MAX)) {
            let mut piece = kept_end;
            while piece < kept.start {
                let size = with[place(piece)..].first_chunk().map(|&size| u32::from_be_bytes(size));
                let size = u64::from(size.unwrap());
                let owner = removal.moved(innermost(with, piece..piece + size));
                growth.insert(removal.moved(piece), size, owner);
                inserts.push((removal.moved(piece), &with[place(piece)..place(piece + size)]));
                piece += size;
            }
            kept_end = kept.end;
        }
        let mut output = without.to_vec();
        for edit in relocate(&Window::new(0, without), 0..without.len() as u64, &growth)? {
            edit.write(0, &mut output);
        }
        for (at, piece) in inserts.into_iter().rev() {
            output.splice(place(at)..place(at), piece.iter().copied());
        }
        Ok(output)
    }

    /// Where the innermost box around `piece` begins.
    fn innermost(file: &[u8], piece: Range<u64>) -> u64 {
        const AROUND: [&[u8; 4]; 13] = [
            b"avc1", b"mdia", b"meta", b"mfra", b"minf", b"moof", b"moov", b"stbl", b"stsd",
            b"traf", b"trak", b"udta", b"mvex",
        ];
        let holds = |&start: &u64| {
            let bytes = &file[place(start)..];
            let is_around = AROUND.iter().any(|kind| bytes[4..8] == **kind);
            is_around
                && match Header::read(bytes).unwrap().unwrap().size {
                    Some(size) => start + size >= piece.end,
                    None => true,
                }
        };
        (0..piece.start - 7).rev().find(holds).unwrap()
    }

    fn place(at: u64) -> usize {
        usize::try_from(at).unwrap()
    }

    /// The law: a file from which pieces are taken out is the file that would have been written
    /// without them, and one into which they are put is the one that was written with them. `write`
    /// puts the pieces it is given where it likes, and writes right offsets.
    fn assert_law(write: impl Fn(&[Written]) -> Vec<u8>) {
        for pieces in [vec![piece(0)], vec![piece(300)], vec![piece(5), piece(80)]] {
            let with = write(&pieces);
            assert_ne!(with, write(&[]));
            assert_same(&cut(&with).unwrap(), &write(&[]));
            assert_same(&grow(&write(&[]), &with).unwrap(), &with);
        }
        assert_same(&cut(&write(&[])).unwrap(), &write(&[]));
    }

    /// What is said where a piece of `len` bytes comes in at the end of a `moov` box.
    fn told_of_growth(len: u64, boxes: &[Written]) -> String {
        let moov = plain(b"moov");
        let all = file(&[std::slice::from_ref(&moov), boxes].concat());
        let mut relocation = Relocation::new();
        relocation.insert(moov.len(), len, 0);
        told(relocate(&Window::new(0, &all), moov.len()..all.len() as u64, &relocation))
    }

    #[test]
    fn a_value_that_has_become_too_large_for_its_field_is_told_of() {
        let stbl = |inner: Written| {
            plain(b"moov").put(
                plain(b"trak")
                    .put(plain(b"mdia").put(plain(b"minf").put(plain(b"stbl").put(inner)))),
            )
        };
        let most = u64::from(u32::MAX);
        let offset = stbl(full(b"stco", 0, 0).u32(1).u32(100));
        assert!(told_of_growth(most - 99, std::slice::from_ref(&offset)).ends_with(
            "moov/trak/mdia/minf/stbl/stco` at byte 48: a chunk offset is 4294967296, the limit is 4294967295"
        ));
        let tfra =
            plain(b"mfra").put(full(b"tfra", 0, 0).u32(1).u32(0).u32(1).u32(0).u32(8).zeros(3));
        assert!(
            told_of_growth(most, &[tfra])
                .ends_with(": moof_offset is 4294967303, the limit is 4294967295")
        );
        // From behind what has come in to before it, and back.
        let header = full(b"tfhd", 0, 1).u32(1).u64(0);
        let traf = |at: i32| plain(b"moof").put(plain(b"traf").put(&header).put(trun(at, &[1])));
        assert!(
            told_of_growth(1 << 31, &[traf(9)])
                .ends_with(": data_offset is 2147483657, the limit is 2147483647")
        );
        let saio = full(b"saio", 0, 0).u32(1).u32(9);
        let traf = plain(b"moof").put(plain(b"traf").put(&header).put(saio));
        assert!(told_of_growth(most, &[traf]).ends_with(
            ": the offset of auxiliary information is 4294967304, the limit is 4294967295"
        ));
        // Sizes: of what stands in front, and of the box itself.
        let sidx = full(b"sidx", 0, 0).zeros(16).u32(0x1_0001).u32(20).zeros(8);
        let all = file(&[sidx.clone(), plain(b"moov"), plain(b"free")]);
        let mut relocation = Relocation::new();
        relocation.insert(sidx.len() + 8, 1 << 31, sidx.len());
        let message = told(relocate(&Window::new(0, &all), 0..all.len() as u64, &relocation));
        assert_eq!(
            message,
            "`sidx` at byte 0: referenced_size is 2147483668, the limit is 2147483647"
        );
        let mut relocation = Relocation::new();
        relocation.insert(8, most, 0);
        let all = plain(b"moov");
        let message = told(relocate(&Window::new(0, all.as_ref()), 0..8, &relocation));
        assert_eq!(
            message,
            "`moov` at byte 0: the size of a box is 4294967303, the limit is 4294967295"
        );
    }

    fn assert_same(found: &[u8], expected: &[u8]) {
        let at =
            found.iter().zip(expected).take_while(|(found, expected)| found == expected).count();
        assert!(found == expected, "they differ from byte {at} on");
    }

    fn put_all(boxed: Written, pieces: &[Written]) -> Written {
        pieces.iter().fold(boxed, Written::put)
    }

    fn len(boxes: &[Written]) -> u32 {
        u32::try_from(file(boxes).len()).unwrap()
    }

    fn offset(len: u32) -> i32 {
        i32::try_from(len).unwrap()
    }

    #[test]
    fn every_box_around_a_piece_shrinks() {
        assert_law(|pieces| {
            let entry = put_all(avc1(), pieces).put(plain(b"avcC"));
            let table = put_all(empty_table(&[entry, avc1()]), pieces);
            file(&[
                plain(b"ftyp"),
                put_all(plain(b"moov").put(trak(1, &table)), pieces),
                plain(b"free"),
            ])
        });
        assert_law(|pieces| {
            let inner = put_all(plain(b"udta").put(plain(b"abcd")), pieces);
            let size = 16 + inner.len();
            plain(b"moov").u64(size).put(inner).stating(1).as_ref().to_vec()
        });
        // The last box of a file may have no size.
        assert_law(|pieces| put_all(plain(b"moov"), pieces).stating(0).as_ref().to_vec());
        assert_law(|pieces| file(&[put_all(plain(b"meta").zeros(4), pieces)]));
    }

    #[test]
    fn chunk_offsets_move() {
        for wide in [false, true] {
            assert_law(|pieces| {
                let write = |start: u32| {
                    let offsets = [8, start + 8, start + 50];
                    let table = match wide {
                        false => offsets
                            .iter()
                            .fold(full(b"stco", 0, 0).u32(3), |stco, &at| stco.u32(at)),
                        true => offsets
                            .iter()
                            .fold(full(b"co64", 0, 0).u32(3), |co64, &at| co64.u64(at.into())),
                    };
                    let table = put_all(plain(b"stbl").put(stsd(&[avc1()])), pieces).put(table);
                    [plain(b"mdat").zeros(9), plain(b"moov").put(trak(1, &table))]
                };
                let end = len(&write(0));
                file(&[write(end).as_slice(), &[plain(b"mdat").zeros(90)]].concat())
            });
        }
    }

    #[test]
    fn offsets_of_a_sample_table_to_its_auxiliary_information_move() {
        for (wide, typed) in [(false, false), (false, true), (true, false), (true, true)] {
            assert_law(|pieces| {
                let write = |start: u32| {
                    let saio = full(b"saio", wide.into(), typed.into());
                    let saio = if typed { saio.put(b"abcd").u32(0) } else { saio };
                    let saio = match wide {
                        false => saio.u32(2).u32(start + 8).u32(start + 9),
                        true => saio.u32(2).u64((start + 8).into()).u64((start + 9).into()),
                    };
                    let table = put_all(plain(b"stbl"), pieces).put(saio);
                    [plain(b"moov").put(trak(1, &table))]
                };
                let end = len(&write(0));
                file(&[write(end).as_slice(), &[plain(b"mdat").zeros(9)]].concat())
            });
        }
    }

    #[test]
    fn offsets_of_a_fragment_move() {
        // They count from the `moof`, by default or because it says so; or from a stated base.
        for flags in [0, 0x2_0000, 1] {
            assert_law(|pieces| {
                let before = put_all(plain(b"moov"), pieces);
                let start = len(std::slice::from_ref(&before));
                let write = |data: u32| {
                    let header = full(b"tfhd", 0, flags).u32(1);
                    let header = if flags == 1 { header.u64(start.into()) } else { header };
                    let run = |data| trun(offset(data), &[7]);
                    let saio = full(b"saio", 0, 0).u32(1).u32(data + 7);
                    let traf = put_all(plain(b"traf").put(header), pieces)
                        .put(run(data))
                        .put(saio)
                        .put(run(data + 20));
                    put_all(plain(b"moof"), pieces).put(traf)
                };
                let header = len(&[write(0)]);
                file(&[before, write(header + 8), plain(b"mdat").zeros(40)])
            });
        }
    }

    #[test]
    fn a_base_may_lie_anywhere() {
        assert_law(|pieces| {
            let before = [put_all(plain(b"moov"), pieces), plain(b"mdat").zeros(30)];
            let start = len(&before);
            let header = full(b"tfhd", 0, 1).u32(1).u64((start - 30).into());
            let traf = put_all(plain(b"traf").put(header), pieces).put(trun(4, &[9]));
            file(&[before.as_slice(), &[plain(b"moof").put(traf)]].concat())
        });
    }

    #[test]
    fn an_offset_from_the_data_before_stays() {
        // The second track fragment has no base, so its offsets count from where the data of the
        // first ended (ISO/IEC 14496-12, 8.8.7.1).
        let header = |track| full(b"tfhd", 0, 0).u32(track);
        let write = |pieces: &[Written]| {
            let write = |data: u32| {
                let first =
                    put_all(plain(b"traf").put(header(1)), pieces).put(trun(offset(data), &[700]));
                let second = put_all(plain(b"traf").put(header(2)), pieces)
                    .put(trun(0, &[400]))
                    .put(trun(400, &[100]));
                plain(b"moof").put(first).put(second)
            };
            let table = || empty_table(&[avc1()]);
            let movie = plain(b"moov").put(trak(1, &table())).put(trak(2, &table()));
            let header = len(&[write(0)]);
            file(&[movie, write(header + 8), plain(b"mdat").zeros(1200)])
        };
        // The planner understands the two files in the same way.
        assert_eq!(plans(&write(&[piece(300)])).unwrap()[1].scopes()[1].clear, 2);
        assert_law(write);
    }

    #[test]
    fn a_run_without_an_offset_has_none_to_move() {
        assert_law(|pieces| {
            let run = full(b"trun", 0, 0).u32(9);
            let traf = put_all(plain(b"traf").put(tfhd(1)), pieces).put(run);
            file(&[plain(b"moof").put(traf)])
        });
    }

    #[test]
    fn the_segment_index_keeps_pointing_at_fragments() {
        for version in [0, 1] {
            assert_law(|pieces| {
                let fragment = |len| {
                    let traf = put_all(plain(b"traf").put(tfhd(1)), pieces);
                    file(&[plain(b"moof").put(traf), plain(b"mdat").zeros(len)])
                };
                let between = put_all(plain(b"moov"), pieces);
                let start = full(b"sidx", version, 0).u32(1).u32(1000);
                let sidx = match version {
                    0 => start.u32(7).u32(len(std::slice::from_ref(&between))),
                    _ => start.u64(7).u64(between.len()),
                };
                let fragments = [fragment(5), fragment(500), fragment(0)];
                let sidx = fragments.iter().zip([0, 1 << 31, 0]).fold(
                    sidx.u16(0).u16(3),
                    |sidx, (fragment, kind)| {
                        let size = u32::try_from(fragment.len()).unwrap();
                        sidx.u32(kind | size).u32(9).u32(0x9000_0000)
                    },
                );
                [&file(&[sidx, between]), fragments.concat().as_slice()].concat()
            });
        }
    }

    #[test]
    fn the_index_at_the_end_keeps_pointing_at_fragments() {
        for (version, lengths) in [(0, 0), (1, 0), (0, 0b11_01_00), (1, 0b11_11_11)] {
            assert_law(|pieces| {
                let fragment = put_all(plain(b"moof"), pieces);
                let first = put_all(plain(b"moov"), pieces);
                let (one, two) = (first.len(), first.len() + fragment.len());
                let numbers = (0..3).map(|field| 1 + (lengths >> (2 * field) & 3)).sum::<u32>();
                let tfra = [one, two].into_iter().fold(
                    full(b"tfra", version, 0).u32(1).u32(lengths).u32(2),
                    |tfra, at| {
                        let tfra = match version {
                            0 => tfra.u32(5).u32(u32::try_from(at).unwrap()),
                            _ => tfra.u64(5).u64(at),
                        };
                        tfra.put(vec![1; numbers as usize])
                    },
                );
                let mfra = put_all(plain(b"mfra").put(tfra), pieces);
                let size = u32::try_from(mfra.len() + 16).unwrap();
                let mfra = mfra.put(full(b"mfro", 0, 0).u32(size));
                file(&[first, fragment.clone(), fragment, mfra])
            });
        }
    }

    #[test]
    fn nothing_is_corrected_where_nothing_is_taken_out() {
        // It is not even read.
        let edits = relocate(&Window::new(0, &[]), 0..1000, &Relocation::new()).unwrap();
        assert_eq!(edits, []);
    }

    #[test]
    fn only_the_boxes_of_the_range_are_corrected() {
        let moov = plain(b"moov").put(piece(9));
        let (len, all) = (moov.len(), file(&[moov.clone(), moov]));
        let edits = relocate(&Window::new(0, &all), len..2 * len, &pieces_of(&all)).unwrap();
        assert_eq!(edits.iter().map(|edit| edit.at).collect::<Vec<_>>(), [len]);
        assert!(edits.iter().all(|edit| edit.scope.is_none()));
        assert!(relocate(&Window::new(0, &all), 0..2 * len + 1, &pieces_of(&all)).is_err());
    }

    #[test]
    fn items_are_not_left_pointing_astray() {
        let iloc = plain(b"iloc").zeros(9);
        let iso = plain(b"meta").zeros(4).put(plain(b"hdlr")).put(&iloc);
        let quicktime = plain(b"meta").put(plain(b"hdlr")).put(&iloc);
        for meta in [iso, quicktime] {
            for (parent, path) in [
                (meta.clone(), "meta"),
                (plain(b"moov").put(&meta), "moov/meta"),
                (plain(b"moov").put(plain(b"udta").put(&meta)), "moov/udta/meta"),
                (plain(b"moov").put(plain(b"trak").put(&meta)), "moov/trak/meta"),
            ] {
                let message = told(cut(&file(&[plain(b"moov").put(piece(1)), parent])));
                assert!(message.starts_with(&format!("`{path}` at byte ")), "{message}");
                assert!(message.ends_with(": moving the items of an `iloc` box is not supported"));
            }
        }
        let harmless = plain(b"meta").zeros(4).put(plain(b"hdlr")).put(plain(b"ilst"));
        assert!(cut(&file(&[plain(b"moov").put(piece(1)).put(harmless)])).is_ok());
    }

    #[test]
    fn user_data_need_not_be_boxes_to_the_end() {
        let udta = plain(b"udta").put(plain(b"name")).put([0, 0, 0, 3, 1, 2, 3, 4, 5]);
        assert!(cut(&file(&[plain(b"moov").put(piece(1)).put(&udta)])).is_ok());
        let trak = plain(b"trak").put([0, 0, 0, 3, 1, 2, 3, 4, 5]);
        let message = told(cut(&file(&[plain(b"moov").put(piece(1)).put(trak)])));
        assert_eq!(message, "`moov/trak` at byte 25: a box size of 3, less than its own header");
    }

    #[test]
    fn fields_that_are_not_there_are_told_of() {
        let stbl = |inner: Written| {
            plain(b"moov").put(
                plain(b"trak")
                    .put(plain(b"mdia").put(plain(b"minf").put(plain(b"stbl").put(inner)))),
            )
        };
        let traf = |inner: Written| plain(b"moof").put(plain(b"traf").put(tfhd(1)).put(inner));
        for (boxed, message) in [
            (
                stbl(full(b"stco", 0, 0).u32(2).u32(1)),
                "2 entries of chunk_offset, 4 bytes each, in 4 bytes",
            ),
            (
                stbl(full(b"co64", 0, 0).u32(1).u32(1)),
                "1 entries of chunk_offset, 8 bytes each, in 4 bytes",
            ),
            (stbl(full(b"saio", 0, 0).u32(2).u32(1)), "the box ends inside its field offset"),
            (traf(full(b"saio", 0, 0)), "the box ends inside its field entry_count"),
            (traf(full(b"trun", 0, 1).u32(1)), "the box ends inside its field data_offset"),
            (plain(b"moof").put(plain(b"traf")), "has no `tfhd` box"),
            (
                plain(b"moof").put(plain(b"traf").put(full(b"tfhd", 0, 1).u32(1))),
                "the box ends inside its field base_data_offset",
            ),
            (
                full(b"sidx", 0, 0).zeros(18).u16(1),
                "the box ends inside its field reference_type and referenced_size",
            ),
            (full(b"sidx", 1, 0).zeros(20), "the box ends inside its field first_offset"),
            (
                plain(b"mfra").put(full(b"tfra", 1, 0).u32(1).u32(0).u32(1).u64(0)),
                "the box ends inside its field moof_offset",
            ),
        ] {
            let message_found = told(cut(&file(&[plain(b"moov").put(piece(1)), boxed])));
            assert!(message_found.ends_with(&format!(": {message}")), "{message_found}");
        }
    }

    #[test]
    fn a_short_mfro_box_is_an_error_and_what_follows_it_stays() {
        for short in [plain(b"mfro"), full(b"mfro", 0, 0), full(b"mfro", 0, 0).u16(0)] {
            let all = file(&[
                plain(b"moov").put(piece(1)),
                plain(b"mfra").put(short),
                plain(b"free").zeros(9),
            ]);
            let message = told(cut(&all));
            assert!(message.starts_with("`mfra/mfro` at byte "), "{message}");
        }
    }

    #[test]
    fn boxes_do_not_nest_without_end() {
        let innermost = plain(b"trak").put(piece(1));
        let nested =
            |depth| (0..depth).fold(innermost.clone(), |inner, _| plain(b"trak").put(inner));
        assert!(cut(plain(b"moov").put(nested(14)).as_ref()).is_ok());
        let message = told(cut(plain(b"moov").put(nested(15)).as_ref()));
        assert!(
            message.ends_with(": the depth of nested boxes is 17, the limit is 16"),
            "{message}"
        );
    }
}

//! Every field of an MP4 file that holds an offset or a length, made right for a [`Relocation`].

use std::{io, ops::Range};

use crate::{
    Change, Edit, Error, ReadAt, Relocation,
    mp4::{Stop, boxes::Mp4Box, input::Input, samples},
};

/// The edits that make the boxes at the top of a file between the offsets of `range` true again
/// after `relocation`: sizes of boxes, `stco`, `co64`, `tfhd`, `trun`, `saio`, `sidx`, `tfra` and
/// `mfro`.
///
/// Offsets are those of `input`; the edits are made before the pieces are taken out.
///
/// # Errors
/// As planning the same boxes; and a `meta` box with item locations is refused.
pub fn relocate(
    input: &dyn ReadAt,
    range: Range<u64>,
    relocation: &Relocation,
) -> Result<Vec<Edit>, Error> {
    let mut fixes = Fixes { relocation, edits: Vec::new() };
    if !relocation.is_empty() {
        match fixes.top_level(&Input::new(input, true, range.start), range.clone()) {
            Ok(()) => {}
            Err(Stop::Failed(error)) => return Err(error),
            Err(Stop::More(_) | Stop::Everything) => {
                let source = io::ErrorKind::UnexpectedEof.into();
                return Err(Error::Read { at: range.start, source });
            }
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
            if matches!(&header.kind.0, b"moov" | b"moof" | b"sidx" | b"mfra" | b"meta") {
                let body = input.body(&header, at, end)?;
                let boxed = Mp4Box::top(&header, at, &body);
                if header.size.is_some() {
                    self.size(&boxed);
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
            b"moof" => boxed.children().try_for_each(|child| {
                let child = child?;
                self.size(&child);
                if child.kind == *b"traf" { self.traf(boxed.at, &child) } else { Ok(()) }
            }),
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
            self.size(&child);
            self.content(&child)?;
        }
        Ok(())
    }

    fn size(&mut self, boxed: &Mp4Box<'_, '_>) {
        let new = self.relocation.len(samples::range(boxed));
        if new == boxed.len() {
            return;
        }
        // The size is narrower now than it was, so it fits where it stood.
        match boxed.has_large_size() {
            true => self.overwrite(boxed.at + 8, new.to_be_bytes().to_vec()),
            false => self.overwrite(boxed.at, narrow(new)),
        }
    }

    fn traf(&mut self, moof: u64, traf: &Mp4Box<'_, '_>) -> Result<(), Error> {
        let tfhd = traf.need(b"tfhd")?;
        let mut fields = tfhd.fields();
        let (_, flags) = fields.version_and_flags()?;
        fields.u32("track_ID")?;
        let at = fields.at();
        let base = if flags & 1 != 0 { Some(fields.u64("base_data_offset")?) } else { None };
        if let Some(base) = base {
            self.overwrite(at, self.relocation.moved(base).to_be_bytes().to_vec());
        }
        let base = base.unwrap_or(moof);
        self.each_saio(traf, base)?;
        for trun in traf.children() {
            let trun = trun?;
            if trun.kind == *b"trun" {
                self.trun(&trun, base)?;
            }
        }
        Ok(())
    }

    /// A data offset that counts from the data of the track fragment before needs no correction, and
    /// gets none: nothing is taken out between sample data.
    fn trun(&mut self, trun: &Mp4Box<'_, '_>, base: u64) -> Result<(), Error> {
        let mut fields = trun.fields();
        let (_, flags) = fields.version_and_flags()?;
        fields.u32("sample_count")?;
        if flags & 1 == 0 {
            return Ok(());
        }
        let at = fields.at();
        let offset = i64::from(fields.i32("data_offset")?);
        if let Some(data) = base.checked_add_signed(offset) {
            let moved = self.distance(base, data);
            let moved = i32::try_from(moved)
                .map_err(|_| trun.unsupported("a data_offset of more than 31 bits"))?;
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
            self.overwrite(at, narrow_or_wide(wide, moved));
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
            let old = entry.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
            let new = self.relocation.moved(old).to_be_bytes();
            entry.copy_from_slice(&new[8 - width..]);
        }
        self.overwrite(at, table);
        Ok(())
    }

    /// Segment index (ISO/IEC 14496-12, 8.16.3): sizes that follow each other from an anchor behind
    /// the box.
    fn sidx(&mut self, sidx: &Mp4Box<'_, '_>) -> Result<(), Error> {
        let mut fields = sidx.fields();
        let (version, _) = fields.version_and_flags()?;
        let wide = version > 0;
        fields.u64("reference_ID and timescale")?;
        fields.u32_or_u64(wide, "earliest_presentation_time")?;
        let at = fields.at();
        let first_offset = fields.u32_or_u64(wide, "first_offset")?;
        let mut position = sidx.end().saturating_add(first_offset);
        let moved = self.relocation.len(sidx.end()..position);
        self.overwrite(at, narrow_or_wide(wide, moved));
        fields.u16("reserved")?;
        for _ in 0..fields.u16("reference_count")? {
            let at = fields.at();
            let reference = fields.u32("reference_type and referenced_size")?;
            let (kind, size) = (reference & 1 << 31, reference & !(1 << 31));
            let end = position.saturating_add(size.into());
            let size = self.relocation.len(position..end);
            self.overwrite(at, narrow(u64::from(kind) | size));
            position = end;
            fields.u64("subsegment_duration and SAP")?;
        }
        Ok(())
    }

    fn mfra(&mut self, mfra: &Mp4Box<'_, '_>) -> Result<(), Error> {
        for child in mfra.children() {
            let child = child?;
            match &child.kind.0 {
                b"tfra" => self.tfra(&child)?,
                b"mfro" => {
                    let new = self.relocation.len(samples::range(mfra));
                    self.overwrite(child.at + child.header_len() + 4, narrow(new));
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
            self.overwrite(at, narrow_or_wide(wide, self.relocation.moved(moof)));
            fields.bytes(numbers.iter().sum(), "traf_number, trun_number and sample_number")?;
        }
        Ok(())
    }

    fn overwrite(&mut self, at: u64, bytes: Vec<u8>) {
        self.edits.push(Edit { at, change: Change::Overwrite(bytes), scope: None });
    }
}

/// The low 32 bits, for a value that was in 32 bits before it became smaller.
fn narrow(value: u64) -> Vec<u8> {
    value.to_be_bytes()[4..].to_vec()
}

fn narrow_or_wide(wide: bool, value: u64) -> Vec<u8> {
    if wide { value.to_be_bytes().to_vec() } else { narrow(value) }
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

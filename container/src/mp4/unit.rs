//! Cuts an MP4 input into units.
//!
//! A unit is the shortest run of boxes at the top of the file that holds all it speaks of: `moov`
//! alone in a fragmented file, `moof` with its `mdat`, or everything from the first `mdat` on in a
//! progressive file. Boxes that speak of nothing (`ftyp`, `sidx`, `free`…) are units of their own.

use crate::{
    Error, Place, Plan,
    mp4::{
        boxes::{Header, Mp4Box},
        builder::Builder,
        input::Input,
    },
    stop::Stop,
};

/// What plans the header boxes of units, and remembers the last movie header.
pub(crate) trait Headers {
    fn has_movie(&self) -> bool;

    /// Whether no fragment may be overlooked.
    fn needs_all_fragments(&self) -> bool;

    fn moov(
        &mut self,
        moov: &Mp4Box<'_, '_>,
        builder: &mut Builder,
        input: &mut Input<'_>,
    ) -> Result<(), Stop>;

    fn moof(
        &mut self,
        moof: &Mp4Box<'_, '_>,
        builder: &mut Builder,
        input: &mut Input<'_>,
    ) -> Result<(), Stop>;
}

/// Takes boxes from `at` on until all that they speak of is inside of them.
pub(crate) fn gather(
    headers: &mut impl Headers,
    start: u64,
    input: &mut Input<'_>,
) -> Result<Plan, Stop> {
    let input_end = input.whole.then(|| input.end());
    let mut builder = Builder::new(start, input_end);
    let mut at = start;
    loop {
        if at >= input.end() {
            // Nothing can be missing in a whole input: `builder` refuses what lies beyond it.
            if input.whole {
                break;
            }
            return Err(Stop::More(builder.end));
        }
        let header = input.header(at)?;
        let end = input.box_end(&header, at)?;
        match &header.kind.0 {
            b"moov" | b"moof" => {
                let body = input.body(&header, at, end)?;
                let boxed = Mp4Box::top(&header, at, &body);
                builder.header(at..end);
                match header.kind == *b"moov" {
                    true => headers.moov(&boxed, &mut builder, input)?,
                    false => headers.moof(&boxed, &mut builder, input)?,
                }
            }
            _ => {
                builder.header(at..at + header.len as u64);
                check_open_end(&header, at, end, &builder, headers)?;
            }
        }
        at = end;
        if at >= builder.end && headers.has_movie() {
            break;
        }
        if !headers.has_movie() && !input.whole {
            return Err(Stop::Everything);
        }
    }
    if at > input.end() {
        return Err(Stop::More(at));
    }
    Ok(builder.finish(at)?)
}

/// A box of size 0 takes all that follows. In a protected fragmented file this could be fragments,
/// which would stay encrypted and nobody would know: only sample data may end so.
pub(crate) fn check_open_end(
    header: &Header,
    at: u64,
    end: u64,
    builder: &Builder,
    headers: &impl Headers,
) -> Result<(), Error> {
    if header.size.is_some() || !headers.needs_all_fragments() {
        return Ok(());
    }
    let is_data = header.kind == *b"mdat" && headers.has_movie();
    if is_data && builder.end >= end {
        return Ok(());
    }
    let what = "its size of 0 takes all that follows, but it is not the samples of a fragment";
    let place = Place { path: header.kind.to_string(), at };
    Err(Error::MalformedBox { place, what: what.to_owned() })
}

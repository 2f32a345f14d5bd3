//! Plans an MP4 input unit by unit, so that it can be decrypted.

use std::sync::Arc;

use crate::{
    Error, Place, Plan, ReadAt, Step,
    mp4::{
        boxes::{Header, Mp4Box},
        builder::Builder,
        fragment,
        input::Input,
        movie::{self, Movie},
        unit::{self, Headers},
    },
    stop::Stop,
};

/// Plans an input unit by unit. Holds what fragments need of the last movie header.
#[derive(Clone, Debug, Default)]
pub struct Planner {
    at: u64,
    /// Shared by the planner and the unit in the making: it can be large, and units many.
    movie: Option<Arc<Movie>>,
    /// A header box has been met, so this is MP4.
    is_mp4: bool,
    /// A box is being passed on that ends there.
    passing: Option<Passing>,
    /// How the input begins, where no MP4 file begins so. What has come by a pipe is gone later.
    odd_start: Option<String>,
}

#[derive(Clone, Debug)]
struct Passing {
    place: Place,
    /// `None`: the box is the last of the input.
    size: Option<u64>,
}

impl Passing {
    fn end(&self) -> Option<u64> {
        self.size.map(|size| self.place.at.saturating_add(size))
    }
}

impl Planner {
    /// A planner for an input from its start.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A planner for media segments that come without their init segment.
    ///
    /// # Errors
    /// Whatever can be wrong with `init`, or that it holds no `moov`.
    pub fn with_init(init: &dyn ReadAt) -> Result<Self, Error> {
        let mut planner = Self::new();
        while let Step::Unit(_) = planner.next_unit(init, true)? {}
        match planner.movie.take() {
            Some(movie) => Ok(Self { movie: Some(movie), is_mp4: true, ..Self::default() }),
            None => Err(NO_MOVIE),
        }
    }

    /// Plans the unit that follows the last one.
    ///
    /// `input` has at least the bytes from the end of the last unit on; if `whole`, then nothing
    /// comes after them.
    ///
    /// # Errors
    /// What is wrong with the input. The planner is of no use after an error.
    pub fn next_unit(&mut self, input: &dyn ReadAt, whole: bool) -> Result<Step, Error> {
        let mut input = Input::new(input, whole, self.at);
        if self.at == 0 {
            self.odd_start = input.odd_start();
        }
        let boxed = self.passing.as_ref().map_or(self.at, |passing| passing.place.at);
        match self.plan(&mut input) {
            Ok(None) if self.is_mp4 => Ok(Step::End),
            Ok(None) => Err(self.not_mp4().unwrap_or(NO_MOVIE)),
            Ok(Some(plan)) => {
                self.at = plan.range.end;
                Ok(Step::Unit(plan))
            }
            Err(Stop::More(until)) => Ok(Step::More(until)),
            Err(Stop::Everything) => Ok(Step::Everything),
            Err(Stop::Failed(error)) => match boxed {
                0 => Err(self.not_mp4().unwrap_or(error)),
                _ => Err(error),
            },
        }
    }

    /// As [`Input::not_mp4`], when the start of the input is gone, too.
    fn not_mp4(&self) -> Option<Error> {
        self.odd_start.clone().map(|what| Error::UnknownFormat { what })
    }

    fn plan(&mut self, input: &mut Input<'_>) -> Result<Option<Plan>, Stop> {
        if let Some(passing) = self.passing.clone() {
            return self.pass(passing, input);
        }
        if self.at >= input.end() {
            return if input.whole { Ok(None) } else { Err(Stop::More(self.at + 8)) };
        }
        let header = input.header(self.at)?;
        match &header.kind.0 {
            b"moov" | b"moof" => self.gather(input).map(Some),
            // The sample table may come behind the samples.
            b"mdat" if self.movie.is_none() => self.gather(input).map(Some),
            _ => self.start_passing(&header, input),
        }
    }

    fn gather(&mut self, input: &mut Input<'_>) -> Result<Plan, Stop> {
        // A unit that is not all there is tried again from the same state.
        let mut headers = Decrypting { movie: self.movie.clone() };
        let plan = unit::gather(&mut headers, self.at, input)?;
        self.is_mp4 |= headers.movie.is_some();
        self.movie = headers.movie;
        Ok(plan)
    }

    fn start_passing(
        &mut self,
        header: &Header,
        input: &mut Input<'_>,
    ) -> Result<Option<Plan>, Stop> {
        if input.whole {
            let end = input.box_end(header, self.at)?;
            let nothing = Builder::new(self.at, None);
            let headers = Decrypting { movie: self.movie.clone() };
            unit::check_open_end(header, self.at, end, &nothing, &headers)?;
        } else if header.size.is_none() {
            return Err(Stop::Everything);
        }
        let place = Place { path: header.kind.to_string(), at: self.at };
        self.pass(Passing { place, size: header.size }, input)
    }

    /// Passes on what has arrived of a box that speaks of nothing.
    fn pass(&mut self, passing: Passing, input: &Input<'_>) -> Result<Option<Plan>, Stop> {
        let there = input.end();
        let box_end = passing.end();
        let end = box_end.map_or(there, |end| end.min(there));
        if end == self.at && box_end != Some(end) {
            return match (input.whole, passing.size) {
                (false, _) => Err(Stop::More(self.at + 1)),
                (true, None) => Ok(None),
                (true, Some(size)) => {
                    let available = end - passing.place.at;
                    Err(Error::TruncatedBox { place: passing.place, size, available }.into())
                }
            };
        }
        self.passing = (box_end != Some(end)).then_some(passing);
        Ok(Some(Builder::new(self.at, None).finish(end)?))
    }
}

/// What an input without a movie header is.
pub(super) const NO_MOVIE: Error = Error::NoHeader { header: "`moov` box", file: "an MP4 file" };

pub(super) fn no_init(moof: &Mp4Box<'_, '_>) -> Error {
    Error::NoInit { place: moof.place(), what: "a fragment before any `moov`" }
}

/// Plans what is protected.
struct Decrypting {
    movie: Option<Arc<Movie>>,
}

impl Headers for Decrypting {
    fn has_movie(&self) -> bool {
        self.movie.is_some()
    }

    fn needs_all_fragments(&self) -> bool {
        self.movie.as_ref().is_none_or(|movie| movie.is_protected() && movie.is_fragmented)
    }

    fn moov(
        &mut self,
        moov: &Mp4Box<'_, '_>,
        builder: &mut Builder,
        input: &mut Input<'_>,
    ) -> Result<(), Stop> {
        self.movie = Some(Arc::new(movie::plan(moov, builder, input)?));
        Ok(())
    }

    fn moof(
        &mut self,
        moof: &Mp4Box<'_, '_>,
        builder: &mut Builder,
        input: &mut Input<'_>,
    ) -> Result<(), Stop> {
        let movie = self.movie.as_ref().ok_or_else(|| no_init(moof))?;
        fragment::plan(moof, movie, builder, input)
    }
}

#[cfg(test)]
mod tests {
    use std::{io, ops::Range};

    use super::*;
    use crate::{
        Window, limits,
        mp4::testing::{
            Written, avc1, cbcs_moov, cenc_moov, file, fragment, full, moof, moov, plain, plans,
            plans_of, senc, told, trun,
        },
    };

    /// A fragment of one sample of `len` bytes.
    fn one_sample(len: u32) -> Vec<u8> {
        fragment(|offset| moof(&[trun(offset, &[len]), senc(1)]), &vec![0; len as usize])
    }

    fn lengths(plans: &[Plan]) -> Vec<u64> {
        plans.iter().map(|plan| plan.range().end - plan.range().start).collect()
    }

    fn step(planner: &mut Planner, bytes: &[u8], whole: bool) -> Result<Step, Error> {
        planner.next_unit(&Window::new(0, bytes), whole)
    }

    #[test]
    fn a_unit_holds_all_it_speaks_of() {
        let (moov, fragment) = (cenc_moov(), one_sample(9));
        let others = [plain(b"ftyp").put(b"iso6"), plain(b"free"), full(b"sidx", 0, 0).zeros(20)];
        let len = fragment.len() as u64;
        let whole =
            [&file(&others), moov.as_ref(), &fragment, &file(&others[1..2]), &fragment].concat();
        let plans = plans(&whole).unwrap();
        assert_eq!(lengths(&plans), [12, 8, 32, moov.len(), len, 8, len]);
        assert!(plans.windows(2).all(|pair| pair[0].range().end == pair[1].range().start));
        let verbatim: Vec<_> = plans.iter().map(Plan::is_verbatim).collect();
        assert_eq!(verbatim, [true, true, true, false, false, true, false]);
    }

    #[test]
    fn boxes_between_a_fragment_and_its_data_belong_to_it() {
        let free = plain(b"free").zeros(5);
        let make = |offset| moof(&[trun(offset + 13 + 8, &[6]), senc(1)]);
        let moof = make(make(0).len().try_into().unwrap());
        let rest = file(&[moof, free, plain(b"mdat").zeros(14)]);
        let plans = plans(&[cenc_moov().as_ref(), &rest].concat()).unwrap();
        assert_eq!(lengths(&plans), [cenc_moov().len(), rest.len() as u64]);
    }

    /// Decrypted, such a header would not be one any more.
    #[test]
    fn samples_do_not_lie_over_the_headers_of_boxes_between() {
        let boxes = [plain(b"free").zeros(5), plain(b"mdat").zeros(14)];
        for at in [0_u8, 7, 8, 12, 13, 20, 21] {
            let make = |offset| moof(&[trun(offset + i32::from(at), &[1]), senc(1)]);
            let moof = make(make(0).len().try_into().unwrap());
            let whole = [cenc_moov().as_ref(), moof.as_ref(), &file(&boxes)].concat();
            let is_header = matches!(at, 0..8 | 13..21);
            match plans(&whole) {
                Ok(plans) => assert!(!is_header && plans[1].samples().len() == 1, "{at}"),
                Err(error) => {
                    assert!(is_header && error.to_string().contains("lies over a header box"));
                }
            }
        }
    }

    #[test]
    fn several_fragments_with_their_data_behind_them_are_one_unit() {
        let first = |offset| moof(&[trun(offset, &[3]), senc(1)]);
        let len = i32::try_from(first(0).len()).unwrap();
        let fragments = file(&[first(2 * len + 8), first(len + 8 + 3), plain(b"mdat").zeros(6)]);
        let plans = plans(&[cenc_moov().as_ref(), &fragments].concat()).unwrap();
        assert_eq!(lengths(&plans)[1], fragments.len() as u64);
        assert_eq!((plans[1].samples().len(), plans[1].scopes().len()), (2, 2));
    }

    #[test]
    fn without_a_movie_there_is_no_mp4_file() {
        let message = "no `moov` box: this is only a part of an MP4 file";
        for boxes in [vec![plain(b"ftyp")], vec![plain(b"ftyp"), plain(b"mdat").zeros(9)]] {
            assert_eq!(told(plans(&file(&boxes))), message);
            let whole = file(&boxes);
            assert_eq!(told(Planner::with_init(&Window::new(0, &whole))), message);
        }
        assert_eq!(
            told(plans(&[plain(b"styp").as_ref(), &one_sample(4)].concat())),
            "`moof` at byte 8: a fragment before any `moov`: its init segment is needed first"
        );
    }

    #[test]
    fn what_does_not_begin_as_mp4_files_do_is_none() {
        for (bytes, what) in [
            (b"".as_slice(), "it is empty"),
            (b"\0\0\0", "it has 3 bytes"),
            (b"RIFF....WAVE", "it begins with `RIFF....`"),
            (b"\0\0\0\x08abcd", r"it begins with `\x00\x00\x00\x08abcd`"),
        ] {
            let message = format!("this is neither an MP4 nor a WebM file: {what}");
            assert_eq!(told(plans(bytes)), message);
            assert_eq!(told(Planner::with_init(&Window::new(0, bytes))), message);
        }
        // A box that nobody knows is no reason to refuse a movie, and a known one tells what it is.
        assert!(plans(&file(&[plain(b"abcd"), cenc_moov()])).is_ok());
        let broken = told(plans(plain(b"moov").put(plain(b"trak")).as_ref()));
        assert_eq!(broken, "`moov/trak` at byte 8: has no `tkhd` box");
    }

    #[test]
    fn segments_are_planned_with_their_init_segment() {
        let init = file(&[plain(b"ftyp"), cenc_moov()]);
        let planner = Planner::with_init(&Window::new(0, &init)).unwrap();
        let segment = [plain(b"styp").as_ref(), &one_sample(5), &one_sample(6)].concat();
        for _ in 0..2 {
            let plans = plans_of(planner.clone(), &segment).unwrap();
            assert_eq!(
                plans.iter().map(|plan| plan.samples().len()).collect::<Vec<_>>(),
                [0, 1, 1]
            );
        }
        // Also one of no fragments at all.
        assert!(plans_of(planner.clone(), plain(b"styp").as_ref()).is_ok());
        assert!(plans_of(planner, &[]).unwrap().is_empty());
        let broken = plain(b"moov").put(plain(b"trak"));
        assert_eq!(
            told(Planner::with_init(&Window::new(0, broken.as_ref()))),
            "`moov/trak` at byte 8: has no `tkhd` box"
        );
    }

    #[test]
    fn a_new_movie_header_replaces_the_last_one() {
        let (clear, protected) = (moov(&[avc1()]), cenc_moov());
        let whole = [
            protected.as_ref(),
            &one_sample(3),
            clear.as_ref(),
            &one_sample(3),
            protected.as_ref(),
            &one_sample(3),
        ];
        let plans = plans(&whole.concat()).unwrap();
        let samples: Vec<_> = plans.iter().map(|plan| plan.samples().len()).collect();
        assert_eq!(samples, [0, 1, 0, 0, 0, 1]);
        assert!(plans[2].is_verbatim() && plans[3].is_verbatim());
    }

    #[test]
    fn a_box_is_not_larger_than_the_input() {
        for (kind, whole) in [(b"free", 16), (b"mdat", 16), (b"moov", 16), (b"moof", 16)] {
            let start = cenc_moov();
            let at = start.len();
            let last = plain(kind).zeros(8).stating(whole + 1);
            assert_eq!(
                told(plans(&[start.as_ref(), last.as_ref()].concat())),
                format!(
                    "`{}` at byte {at}: a size of 17 bytes, but only 16 are left",
                    crate::FourCc(*kind)
                )
            );
        }
        for (rest, message) in [
            (vec![0; 7], "the input ends with 7 bytes that hold no box"),
            (vec![0, 0, 0, 7, 1, 1, 1, 1], "a box size of 7, less than its own header"),
        ] {
            let at = cenc_moov().len();
            let message = format!("`top level` at byte {at}: {message}");
            assert_eq!(told(plans(&[cenc_moov().as_ref(), &rest].concat())), message);
        }
    }

    #[test]
    fn the_last_box_may_have_no_size_if_nothing_hides_in_it() {
        let open = |kind| plain(kind).zeros(9).stating(0);
        let make = |offset| moof(&[trun(offset, &[9]), senc(1)]);
        let offset = i32::try_from(make(0).len()).unwrap() + 8;
        let shorter = |offset| moof(&[trun(offset, &[8]), senc(1)]);
        // The samples of a fragment reach to its end.
        assert!(plans(&file(&[cenc_moov(), make(offset), open(b"mdat")])).is_ok());
        // Nothing in a clear file could stay encrypted.
        assert!(plans(&file(&[moov(&[avc1()]), open(b"free")])).is_ok());
        assert!(plans(&file(&[moov(&[avc1()]), open(b"mdat")])).is_ok());
        let refused = [
            vec![cenc_moov(), shorter(offset), open(b"mdat")],
            vec![cenc_moov(), make(offset), open(b"free")],
            vec![cenc_moov(), open(b"mdat")],
            vec![cenc_moov(), open(b"free")],
            vec![open(b"ftyp")],
            vec![open(b"mdat")],
        ];
        for boxes in refused {
            let message = told(plans(&file(&boxes)));
            let what =
                "its size of 0 takes all that follows, but it is not the samples of a fragment";
            assert!(message.ends_with(what), "{message}");
        }
        // A movie header may have no size either.
        plans(cenc_moov().stating(0).as_ref()).unwrap();
    }

    /// An input of a terabyte that begins with these bytes.
    struct Huge(Vec<u8>);

    impl ReadAt for Huge {
        fn available(&self) -> Range<u64> {
            0..1 << 40
        }

        fn read_exact_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
            buffer.fill(0);
            let from = usize::try_from(at).unwrap().min(self.0.len());
            let len = buffer.len().min(self.0.len() - from);
            buffer[..len].copy_from_slice(&self.0[from..from + len]);
            Ok(())
        }
    }

    #[test]
    fn a_header_box_has_a_limit() {
        for kind in [b"moov", b"moof"] {
            let size = limits::HEADER + 1;
            let input = Huge(plain(kind).u64(size).stating(1).as_ref().to_vec());
            let planned = Planner::new().next_unit(&input, true);
            let Err(Error::Limit { value, limit, .. }) = planned else { panic!("{planned:?}") };
            assert_eq!((value, limit), (size, limits::HEADER));
        }
        // Sample data have none.
        let moov = cenc_moov();
        let mdat = plain(b"mdat").u64((1 << 40) - moov.len()).stating(1);
        let input = Huge(file(&[moov, mdat]));
        let mut planner = Planner::new();
        planner.next_unit(&input, true).unwrap();
        let Ok(Step::Unit(plan)) = planner.next_unit(&input, true) else { panic!() };
        assert_eq!(plan.range().end, 1 << 40);
        assert!(matches!(planner.next_unit(&input, true), Ok(Step::End)));
    }

    #[test]
    fn the_samples_of_a_unit_have_a_limit() {
        // Track fragments with so many samples of a byte each.
        let planned = |moov: &Written, counts: &[u32]| {
            let (mut moof, mut offset) = (plain(b"moof"), 200);
            for &count in counts {
                let header = full(b"tfhd", 0, 0x2_0010).u32(1).u32(1);
                let run = full(b"trun", 0, 1).u32(count).u32(offset);
                moof = moof.put(plain(b"traf").put(header).put(run));
                offset += count;
            }
            let input = Huge(file(&[moov.clone(), moof, plain(b"mdat").stating(1 << 25)]));
            let mut planner = Planner::new();
            planner.next_unit(&input, true)?;
            planner.next_unit(&input, true)
        };
        let limit = 1 << 24;
        for counts in [[limit + 1].as_slice(), &[3, limit - 2]] {
            let message = told(planned(&cbcs_moov(), counts));
            assert!(message.starts_with("`moof/traf` at byte "), "{message}");
            let limited = ": the number of samples is 16777217, the limit is 16777216";
            assert!(message.ends_with(limited), "{message}");
        }
        // Clear samples are counted only.
        let Ok(Step::Unit(plan)) = planned(&moov(&[avc1()]), &[limit + 1]) else { panic!() };
        assert_eq!(plan.scopes()[0].clear, u64::from(limit) + 1);
    }

    #[test]
    fn what_is_missing_is_asked_for() {
        let (moov, fragment) = (cenc_moov(), one_sample(90));
        let all = [moov.as_ref(), &fragment].concat();
        let moov_len = moov.as_ref().len();
        let mut planner = Planner::new();
        let asked = |planner: &mut Planner, len: usize| match step(planner, &all[..len], false) {
            Ok(Step::More(until)) => until,
            other => panic!("{other:?} of {len} bytes"),
        };
        assert_eq!(asked(&mut planner, 0), 8);
        assert_eq!(asked(&mut planner, 7), 32);
        for len in [8, 100, moov_len - 1] {
            assert_eq!(asked(&mut planner, len), moov.len());
        }
        let planned = step(&mut planner, &all[..moov_len], false).unwrap();
        assert!(matches!(planned, Step::Unit(plan) if plan.range() == (0..moov.len())));
        assert_eq!(asked(&mut planner, moov_len), moov.len() + 8);
        let moof_len = fragment.len() - 98;
        assert_eq!(asked(&mut planner, moov_len + 8), moov.len() + moof_len as u64);
        for len in [moov_len + moof_len, all.len() - 1] {
            assert_eq!(asked(&mut planner, len), all.len() as u64);
        }
        // What came before the unit is not needed any more.
        let rest = Window::new(moov.len(), &all[moov_len..]);
        let planned = planner.next_unit(&rest, false).unwrap();
        assert!(matches!(planned, Step::Unit(plan) if plan.samples().len() == 1));
        assert_eq!(asked(&mut planner, all.len()), all.len() as u64 + 8);
        assert!(matches!(step(&mut planner, &all, true), Ok(Step::End)));
        assert!(matches!(step(&mut planner, &all, true), Ok(Step::End)));
    }

    #[test]
    fn boxes_that_speak_of_nothing_are_passed_on_as_they_come() {
        let all =
            [cenc_moov().as_ref(), plain(b"mdat").zeros(92).as_ref(), &one_sample(4)].concat();
        let start = cenc_moov().len();
        let mut planner = Planner::new();
        step(&mut planner, &all, false).unwrap();
        let mut passed = |len: u64| {
            let len = usize::try_from(start + len).unwrap();
            step(&mut planner, &all[..len.min(all.len())], false).unwrap()
        };
        assert!(matches!(passed(30), Step::Unit(plan) if plan.range() == (start..start + 30)));
        assert!(matches!(passed(30), Step::More(until) if until == start + 31));
        assert!(matches!(passed(31), Step::Unit(plan) if plan.range() == (start + 30..start + 31)));
        assert!(
            matches!(passed(1000), Step::Unit(plan) if plan.range() == (start + 31..start + 100))
        );
        assert!(matches!(passed(1000), Step::Unit(plan) if plan.samples().len() == 1));
    }

    #[test]
    fn a_box_that_breaks_off_is_told_of_when_nothing_more_comes() {
        let start = cenc_moov();
        let all = [start.as_ref(), plain(b"free").zeros(92).stating(200).as_ref()].concat();
        let mut planner = Planner::new();
        assert!(matches!(step(&mut planner, &all, false), Ok(Step::Unit(_))));
        assert!(matches!(step(&mut planner, &all, false), Ok(Step::Unit(_))));
        let at = start.len();
        assert!(
            matches!(step(&mut planner, &all, false), Ok(Step::More(until)) if until == at + 101)
        );
        assert_eq!(
            told(step(&mut planner, &all, true)),
            format!("`free` at byte {at}: a size of 200 bytes, but only 100 are left")
        );
    }

    /// Hands an input over as a pipe does, of which nothing stays that has been planned.
    fn piped(bytes: &[u8]) -> Result<(), Error> {
        let (mut planner, mut at, mut come) = (Planner::new(), 0, 0);
        loop {
            let whole = come == bytes.len();
            let window = Window::new(at as u64, &bytes[at..come]);
            match planner.next_unit(&window, whole)? {
                Step::Unit(plan) => at = usize::try_from(plan.range().end).unwrap(),
                Step::More(_) => come = (come + 20).min(bytes.len()),
                Step::Everything => come = bytes.len(),
                Step::End => return Ok(()),
            }
        }
    }

    #[test]
    fn a_pipe_that_is_no_mp4_is_refused_as_a_file_is() {
        for bytes in [
            plain(b"abcd").zeros(92).stating(200),
            plain(b"abcd").zeros(92),
            plain(b"abcd").u64(u64::MAX).zeros(60).stating(1),
        ] {
            let message = told(piped(bytes.as_ref()));
            assert!(message.starts_with("this is neither an MP4 nor a WebM file: it begins"));
            assert_eq!(message, told(plans(bytes.as_ref())));
        }
        assert!(piped(&file(&[plain(b"abcd").zeros(92), cenc_moov()])).is_ok());
    }

    #[test]
    fn a_size_is_told_as_it_is_stated() {
        for size in [u64::MAX, u64::MAX - 10, 1 << 63] {
            let last = plain(b"free").u64(size).zeros(60).stating(1);
            let bytes = file(&[cenc_moov(), last]);
            let message = told(piped(&bytes));
            assert!(message.contains(&format!("a size of {size} bytes")), "{message}");
            assert_eq!(message, told(plans(&bytes)));
        }
    }

    #[test]
    fn what_cannot_be_cut_into_units_is_needed_whole() {
        let open = plain(b"mdat").zeros(9).stating(0);
        for boxes in
            [vec![plain(b"mdat").zeros(9)], vec![open.clone()], vec![plain(b"free").stating(0)]]
        {
            assert!(matches!(
                step(&mut Planner::new(), &file(&boxes), false),
                Ok(Step::Everything)
            ));
        }
        let mut planner = Planner::new();
        let all = file(&[cenc_moov(), open]);
        assert!(matches!(step(&mut planner, &all, false), Ok(Step::Unit(_))));
        assert!(matches!(step(&mut planner, &all, false), Ok(Step::Everything)));
    }

    #[test]
    fn an_error_in_what_has_come_is_not_waited_with() {
        let moof = plain(b"moof").put(plain(b"traf"));
        let all = file(&[cenc_moov(), moof, plain(b"mdat")]);
        let mut planner = Planner::new();
        step(&mut planner, &all, false).unwrap();
        assert!(told(step(&mut planner, &all, false)).ends_with(": has no `tfhd` box"));
    }

    /// Samples cost memory, so a short box must not be able to state thousands of millions of them
    /// while the bytes that pay for them have not come.
    #[test]
    fn samples_are_listed_when_they_are_there() {
        let make = |offset| {
            let beyond = full(b"sbgp", 0, 0).put(b"seig").u32(1).u32(1).u32(7);
            moof(&[trun(offset, &[1 << 30; 3]), beyond])
        };
        let header = make(0).len();
        let moof = make(i32::try_from(header).unwrap() + 8);
        let all = file(&[cbcs_moov(), moof]);
        let mut planner = Planner::new();
        step(&mut planner, &all, false).unwrap();
        let end = all.len() as u64 + 8 + (3 << 30);
        // Only who lists the samples finds that the first of them is in no group that there is.
        let stepped = step(&mut planner, &all, false);
        assert!(matches!(stepped, Ok(Step::More(until)) if until == end), "{stepped:?}");
    }

    #[test]
    fn numbers_at_the_end_of_the_range_do_not_overflow() {
        let based = |base: u64, sizes: &[u32]| {
            let header = full(b"tfhd", 0, 1).u32(1).u64(base);
            plain(b"moof").put(plain(b"traf").put(header).put(trun(0, sizes)))
        };
        let far = |size: u64| plain(b"mdat").u64(size).stating(1);
        for moov in [cbcs_moov(), moov(&[avc1()])] {
            for base in [u64::MAX - 15, u64::MAX - 5, u64::MAX] {
                for whole in [false, true] {
                    for behind in 0..20 {
                        let moof = based(base, &[10, 10]);
                        let size = u64::MAX - moov.len() - moof.len() - behind;
                        let all = file(&[moov.clone(), moof, far(size)]);
                        let mut planner = Planner::new();
                        step(&mut planner, &all, whole).unwrap();
                        // It may be refused or waited for.
                        match step(&mut planner, &all, whole) {
                            Ok(Step::More(_)) => assert!(!whole),
                            Err(Error::SampleOutOfRange { .. }) => {}
                            other => panic!("{other:?}"),
                        }
                    }
                }
            }
        }
    }
}

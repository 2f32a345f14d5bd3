//! Cuts an MP4 input into units and plans each of them.
//!
//! A unit is the shortest run of boxes at the top of the file that holds all it speaks of: `moov`
//! alone in a fragmented file, `moof` with its `mdat`, or everything from the first `mdat` on in a
//! progressive file. Boxes that speak of nothing (`ftyp`, `sidx`, `free`…) are units of their own.

use crate::{
    Error, Place, Plan, ReadAt,
    mp4::{
        Stop,
        boxes::{Header, Mp4Box},
        builder::Builder,
        fragment,
        input::Input,
        movie::{self, Movie},
    },
};

/// Plans an input unit by unit. Holds what fragments need of the last movie header.
#[derive(Clone, Debug, Default)]
pub struct Planner {
    at: u64,
    movie: Option<Movie>,
    /// A header box has been met, so this is MP4.
    is_mp4: bool,
    /// A box is being passed on that ends there.
    passing: Option<Passing>,
}

#[derive(Clone, Debug)]
struct Passing {
    place: Place,
    /// `None`: the box is the last of the input.
    end: Option<u64>,
}

/// What a planner answers.
#[derive(Debug)]
pub enum Step {
    /// The next unit of the input. It is all there.
    Unit(Plan),
    /// More of the input is needed, up to this offset if there is as much.
    More(u64),
    /// The whole input is needed: it is a progressive file.
    Everything,
    /// The input has ended, and all of it has been planned.
    End,
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
            None => Err(Error::NoMovie),
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
        match self.plan(&mut input) {
            Ok(None) if self.is_mp4 => Ok(Step::End),
            Ok(None) => Err(Error::NoMovie),
            Ok(Some(plan)) => {
                self.at = plan.range.end;
                Ok(Step::Unit(plan))
            }
            Err(Stop::More(until)) => Ok(Step::More(until)),
            Err(Stop::Everything) => Ok(Step::Everything),
            Err(Stop::Failed(error)) => Err(error),
        }
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

    /// Takes boxes until all that they speak of is inside of them.
    fn gather(&mut self, input: &mut Input<'_>) -> Result<Plan, Stop> {
        let input_end = input.whole.then(|| input.end());
        let mut builder = Builder::new(self.at, input_end);
        let (mut movie, mut at) = (self.movie.clone(), self.at);
        loop {
            if at >= input.end() {
                // Nothing can be missing in a whole input: `builder` refuses what lies beyond it.
                if input.whole {
                    break;
                }
                return Err(Stop::More(builder.end.max(at + 8)));
            }
            let header = input.header(at)?;
            let end = input.box_end(&header, at)?;
            match &header.kind.0 {
                b"moov" => movie = Some(plan_moov(&header, at, end, &mut builder, input)?),
                b"moof" => plan_moof(&header, at, end, movie.as_ref(), &mut builder, input)?,
                _ => check_open_end(&header, at, end, &builder, movie.as_ref())?,
            }
            at = end;
            if at >= builder.end && movie.is_some() {
                break;
            }
            if movie.is_none() && !input.whole {
                return Err(Stop::Everything);
            }
        }
        if at > input.end() {
            return Err(Stop::More(at));
        }
        self.is_mp4 |= movie.is_some();
        self.movie = movie;
        Ok(builder.finish(at)?)
    }

    fn start_passing(
        &mut self,
        header: &Header,
        input: &mut Input<'_>,
    ) -> Result<Option<Plan>, Stop> {
        if input.whole {
            let end = input.box_end(header, self.at)?;
            let nothing = Builder::new(self.at, None);
            check_open_end(header, self.at, end, &nothing, self.movie.as_ref())?;
        } else if header.size.is_none() {
            return Err(Stop::Everything);
        }
        let place = Place { path: header.kind.to_string(), at: self.at };
        let end = header.size.map(|size| self.at.saturating_add(size));
        self.pass(Passing { place, end }, input)
    }

    /// Passes on what has arrived of a box that speaks of nothing.
    fn pass(&mut self, passing: Passing, input: &Input<'_>) -> Result<Option<Plan>, Stop> {
        let there = input.end();
        let end = passing.end.map_or(there, |end| end.min(there));
        if end == self.at && passing.end != Some(end) {
            return match (input.whole, passing.end) {
                (false, _) => Err(Stop::More(self.at + 1)),
                (true, None) => Ok(None),
                (true, Some(box_end)) => {
                    let Place { at, .. } = passing.place;
                    let (size, available) = (box_end - at, end - at);
                    Err(Error::TruncatedBox { place: passing.place, size, available }.into())
                }
            };
        }
        self.passing = (passing.end != Some(end)).then_some(passing);
        Ok(Some(Builder::new(self.at, None).finish(end)?))
    }
}

fn plan_moov(
    header: &Header,
    at: u64,
    end: u64,
    builder: &mut Builder,
    input: &mut Input<'_>,
) -> Result<Movie, Stop> {
    let body = input.body(header, at, end)?;
    let moov = Mp4Box::top(header, at, &body);
    builder.header(at..end);
    movie::plan(&moov, builder, input)
}

fn plan_moof(
    header: &Header,
    at: u64,
    end: u64,
    movie: Option<&Movie>,
    builder: &mut Builder,
    input: &mut Input<'_>,
) -> Result<(), Stop> {
    let body = input.body(header, at, end)?;
    let moof = Mp4Box::top(header, at, &body);
    builder.header(at..end);
    let movie = movie.ok_or_else(|| Error::NoInit { place: moof.place() })?;
    fragment::plan(&moof, movie, builder, input)
}

/// A box of size 0 takes all that follows. In a protected fragmented file this could be fragments,
/// which would stay encrypted and nobody would know: only sample data may end so.
fn check_open_end(
    header: &Header,
    at: u64,
    end: u64,
    builder: &Builder,
    movie: Option<&Movie>,
) -> Result<(), Error> {
    let is_protected = movie.is_none_or(|movie| movie.is_protected() && movie.is_fragmented);
    if header.size.is_some() || !is_protected {
        return Ok(());
    }
    let is_data = header.kind == *b"mdat" && movie.is_some();
    if is_data && builder.end >= end {
        return Ok(());
    }
    let what = "its size of 0 takes all that follows, but it is not the samples of a fragment";
    let place = Place { path: header.kind.to_string(), at };
    Err(Error::MalformedBox { place, what: what.to_owned() })
}

//! Changes the structure of every fixture, and asks `clearkey` what it makes of it.
//!
//! ```text
//! subject   ── tree, fields ──▶ cases ── mutation ──▶ input
//! input     ── library (all) and process (some) ──▶ judge ──▶ tally
//! ```
//! What reads the fixtures shares no code with the program.
#![forbid(unsafe_code)]
// A reader of files that are known to be right may stop where they are not; and they are small.
#![allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]

mod answer;
// Of the tests' walker, what is needed here.
#[allow(dead_code)]
#[path = "../../../tests/tool/boxes.rs"]
mod boxes;
mod cases;
mod elements;
mod fields;
mod judge;
mod library;
mod mutation;
mod process;
mod random;
mod subject;
mod tally;
mod tree;

use std::{
    error::Error,
    fs, panic,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use clap::Parser;
use peak_alloc::PeakAlloc;

use crate::{
    cases::{Case, Kind},
    judge::judge,
    mutation::{Original, Told},
    process::Bench,
    random::Random,
    subject::Subject,
    tally::Tally,
};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Changes the structure of every fixture, and asks the command what it makes of it.
#[derive(Debug, Parser)]
struct Args {
    /// The command
    clearkey: PathBuf,
    /// A few thousand inputs, of all fixtures and kinds
    #[arg(long)]
    short: bool,
    /// One in so many inputs goes through processes, in every way; 0: none but the first in other words
    #[arg(long, default_value_t = 8)]
    every: usize,
    /// One in so many inputs is tried
    #[arg(long, default_value_t = 1)]
    stride: usize,
    /// Only fixtures whose names have this in them
    #[arg(long)]
    only: Option<String>,
    /// Only the input with this number, in processes, with all that is said
    #[arg(long)]
    input: Option<usize>,
    /// Threads
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// The fixtures
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures"))]
    fixtures: PathBuf,
    /// Where inputs are kept that something is wrong with
    #[arg(long, default_value = "target/structure")]
    keep: PathBuf,
    /// Where the table goes
    #[arg(long)]
    table: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("structure: {error}");
            ExitCode::from(2)
        }
    }
}

/// Inputs that something is wrong with, of one fixture: more say nothing new.
const KEPT: usize = 20;

fn run(args: &Args) -> Result<bool, Box<dyn Error>> {
    let start = Instant::now();
    // Panics are found and told with their inputs.
    panic::set_hook(Box::new(|_| {}));
    let in_memory = Path::new("/dev/shm");
    let folder = match in_memory.is_dir() {
        true => tempfile::tempdir_in(in_memory)?,
        false => tempfile::tempdir()?,
    };
    fs::create_dir_all(&args.keep)?;
    let notes: Vec<_> = (0..args.threads.max(1))
        .map(|number| args.keep.join(format!("running-{number}")))
        .collect();
    let bench = |(number, note): (usize, &PathBuf)| {
        Bench::new(&args.clearkey, folder.path().join(number.to_string()), note)
    };
    let benches: Vec<_> = notes.iter().enumerate().map(bench).collect::<Result<_, _>>()?;
    let mut subjects = subject::all(&args.fixtures)?;
    if let Some(only) = &args.only {
        subjects.retain(|subject| subject.name.contains(only));
    }
    let mut rows = vec![Tally::head().to_owned()];
    let (mut all, mut failed) = (Tally::default(), 0);
    for subject in &subjects {
        MEMORY.reset_peak_usage();
        let work = Work::new(args, subject);
        let (mut tally, wrong) = work.run(&benches)?;
        tally.heap = MEMORY.peak_usage() as u64;
        for (number, wrong) in &wrong {
            for what in wrong {
                println!("FAIL {} #{number}: {what}", subject.name);
            }
        }
        for (number, wrong) in wrong.iter().take(KEPT) {
            work.keep(*number, wrong)?;
        }
        failed += wrong.len();
        all.join(&tally);
        rows.push(tally.row(&subject.name));
        if !args.short {
            println!("{}", rows[rows.len() - 1]);
        }
    }
    for note in notes {
        fs::remove_file(note)?;
    }
    rows.push(all.row("all"));
    if let Some(table) = &args.table {
        fs::write(table, format!("{}\n\n{}", rows.join("\n"), all.reasons()))?;
    }
    println!("{}", all.reasons());
    println!("{}\n{}", Tally::head(), rows[rows.len() - 1]);
    println!("{} inputs in {:.0} s", all.total(), start.elapsed().as_secs_f64());
    println!("structure: {} passed, {failed} failed", all.total() - failed as u64);
    Ok(failed == 0 && all.total() > 0)
}

/// Inputs made of one fixture.
struct Work<'w> {
    args: &'w Args,
    subject: &'w Subject,
    original: Original,
    cases: Vec<Case>,
    /// The numbers of those that are tried.
    picked: Vec<usize>,
}

/// Inputs that something is wrong with: their numbers, and what it is.
type Wrong = Vec<(usize, Vec<String>)>;

/// How many inputs of each kind `--short` takes of each fixture.
const SHORT: [(Kind, usize); 4] =
    [(Kind::Field, 60), (Kind::Place, 30), (Kind::Fields, 20), (Kind::Both, 10)];

impl<'w> Work<'w> {
    fn new(args: &'w Args, subject: &'w Subject) -> Self {
        let original = Original::new(subject.file.clone());
        let cases = cases::all(&subject.name, &original);
        let mut random = Random::of(&format!("which of {}", subject.name));
        let picked = match (args.input, args.short) {
            (Some(input), _) => vec![input],
            (None, false) => (0..cases.len()).step_by(args.stride.max(1)).collect(),
            (None, true) => SHORT
                .iter()
                .flat_map(|(kind, count)| {
                    let of_kind: Vec<_> =
                        (0..cases.len()).filter(|number| cases[*number].kind == *kind).collect();
                    let picked = (0..*count).filter_map(|_| random.pick(&of_kind).copied());
                    picked.collect::<Vec<_>>()
                })
                .collect(),
        };
        Self { args, subject, original, cases, picked }
    }

    fn run(&self, benches: &[Bench]) -> std::io::Result<(Tally, Wrong)> {
        let next = AtomicUsize::new(0);
        let found = Mutex::new((Tally::default(), Vec::new()));
        let serve = |bench: &Bench| -> std::io::Result<()> {
            while let Some(number) = self.picked.get(next.fetch_add(1, Ordering::Relaxed)) {
                let Some(case) = self.cases.get(*number) else { continue };
                bench.note(&format!("{} #{number}", self.subject.name))?;
                let input = case.make(&self.original);
                let lock = || found.lock().unwrap_or_else(PoisonError::into_inner);
                let verdict = judge(self.subject, &input, &MEMORY, bench, |verdict| {
                    let is_new = !lock().0.knows(&verdict.shape);
                    let is_wrong = !verdict.wrong.is_empty();
                    let is_picked = self.args.every > 0 && self.is_picked(*number);
                    is_new || is_wrong || is_picked || self.args.input.is_some()
                })?;
                let mut found = lock();
                found.0.add(case.kind, &verdict);
                if !verdict.wrong.is_empty() {
                    found.1.push((*number, verdict.wrong));
                }
            }
            Ok(())
        };
        thread::scope(|scope| {
            let threads: Vec<_> =
                benches.iter().map(|bench| scope.spawn(|| serve(bench))).collect();
            threads.into_iter().try_for_each(|thread| match thread.join() {
                Ok(done) => done,
                Err(_) => Err(std::io::Error::other("a thread of this program has panicked")),
            })
        })?;
        let (tally, mut wrong) = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        wrong.sort();
        Ok((tally, wrong))
    }

    /// Whether an input goes through processes: the same ones in each run.
    fn is_picked(&self, number: usize) -> bool {
        let mut random = Random::of(&format!("{} #{number}", self.subject.name));
        random.below(self.args.every) == 0
    }

    /// Keeps an input, with what was done to it and how to make it again.
    fn keep(&self, number: usize, wrong: &[String]) -> std::io::Result<()> {
        let Subject { name, .. } = self.subject;
        let case = &self.cases[number];
        let (stem, end) = name.rsplit_once('.').unwrap_or((name, "bin"));
        let path = self.args.keep.join(format!("{}-{number}.{end}", stem.replace('/', "-")));
        fs::write(&path, case.make(&self.original))?;
        let done: Vec<_> =
            case.mutations().map(|mutation| Told(mutation, &self.original).to_string()).collect();
        let text = format!(
            "{name} #{number}\n{}\n\n{}\n\nstructure/run --only {name} --input {number} CLEARKEY\n",
            done.join("\n"),
            wrong.join("\n")
        );
        fs::write(path.with_extension("txt"), text)
    }
}

//! What came of all inputs, counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    time::Duration,
};

use crate::{
    cases::Kind,
    judge::{Runs, Verdict},
};

/// Counts of one fixture, or of several.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) inputs: BTreeMap<Kind, u64>,
    /// Answers to decryption, and to encryption.
    decrypt: BTreeMap<&'static str, u64>,
    encrypt: BTreeMap<&'static str, u64>,
    /// Variants of errors.
    errors: BTreeMap<String, u64>,
    /// Kinds of messages.
    shapes: BTreeSet<String>,
    allowed: BTreeMap<&'static str, u64>,
    cpu: Duration,
    /// Inputs that went through processes, and what these took at most.
    sampled: u64,
    runs: Runs,
    /// The largest heap of this program.
    pub(crate) heap: u64,
}

impl Tally {
    /// Counts an input. `true`: nothing like it has been refused before.
    pub(crate) fn add(&mut self, kind: Kind, verdict: &Verdict) {
        *self.inputs.entry(kind).or_default() += 1;
        *self.decrypt.entry(verdict.class).or_default() += 1;
        if let Some(encrypt) = verdict.encrypt {
            *self.encrypt.entry(encrypt).or_default() += 1;
        }
        if let Some(error) = &verdict.error {
            *self.errors.entry(error.clone()).or_default() += 1;
        }
        for rule in &verdict.allowed {
            *self.allowed.entry(rule).or_default() += 1;
        }
        self.shapes.insert(verdict.shape.clone());
        self.cpu = self.cpu.max(verdict.cpu);
        if let Some(runs) = verdict.runs {
            self.sampled += 1;
            self.runs.join(runs);
        }
    }

    /// Whether an answer in these words has been counted.
    pub(crate) fn knows(&self, shape: &str) -> bool {
        self.shapes.contains(shape)
    }

    pub(crate) fn join(&mut self, other: &Self) {
        for (kind, count) in &other.inputs {
            *self.inputs.entry(*kind).or_default() += count;
        }
        for (mine, others) in [
            (&mut self.decrypt, &other.decrypt),
            (&mut self.encrypt, &other.encrypt),
            (&mut self.allowed, &other.allowed),
        ] {
            for (name, count) in others {
                *mine.entry(name).or_default() += count;
            }
        }
        for (name, count) in &other.errors {
            *self.errors.entry(name.clone()).or_default() += count;
        }
        self.shapes.extend(other.shapes.iter().cloned());
        self.cpu = self.cpu.max(other.cpu);
        self.sampled += other.sampled;
        self.runs.join(other.runs);
        self.heap = self.heap.max(other.heap);
    }

    pub(crate) fn total(&self) -> u64 {
        self.inputs.values().sum()
    }

    /// A row of the table.
    pub(crate) fn row(&self, name: &str) -> String {
        let mut row = format!("| {name} |");
        for kind in Kind::ALL {
            let _ = write!(row, " {} |", self.inputs.get(&kind).unwrap_or(&0));
        }
        for class in ["done", "refused", "no key", "key looks wrong"] {
            let _ = write!(row, " {} |", self.decrypt.get(class).unwrap_or(&0));
        }
        match self.encrypt.is_empty() {
            true => row.push_str(" – |"),
            false => {
                let count = |class| self.encrypt.get(class).unwrap_or(&0);
                let _ = write!(row, " {} / {} |", count("done"), count("refused"));
            }
        }
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        let mebibytes = |bytes: u64| bytes.div_ceil(1 << 10) as f64 / 1024.0;
        let _ = write!(row, " {:.1} | {:.1} |", milliseconds(self.cpu), mebibytes(self.heap));
        let Runs { count, cpu, wall, resident } = self.runs;
        let _ = write!(
            row,
            " {} / {count} | {:.0} / {:.0} | {:.1} |",
            self.sampled,
            milliseconds(cpu),
            milliseconds(wall),
            mebibytes(resident)
        );
        row
    }

    /// The rows' head.
    pub(crate) fn head() -> &'static str {
        "| fixture | one field | one place | two fields | field and place | decrypted | refused | no key \
         | key looks wrong | encrypted / refused | CPU (ms) | heap (MiB) | sampled / processes | their CPU / wall (ms) \
         | resident (MiB) |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    }

    /// What was refused and why, and which differences were allowed.
    pub(crate) fn reasons(&self) -> String {
        let mut text = "| refused as | inputs |\n|---|--:|\n".to_owned();
        let mut errors: Vec<_> = self.errors.iter().collect();
        errors.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (name, count) in errors {
            let _ = writeln!(text, "| `{name}` | {count} |");
        }
        text.push_str("\n| what differed by a rule | inputs |\n|---|--:|\n");
        for (rule, count) in &self.allowed {
            let _ = writeln!(text, "| {rule} | {count} |");
        }
        let _ = writeln!(
            text,
            "\nKinds of answers, by their words without numbers: {}.",
            self.shapes.len()
        );
        text
    }
}

impl Runs {
    fn join(&mut self, other: Self) {
        self.count += other.count;
        self.cpu = self.cpu.max(other.cpu);
        self.wall = self.wall.max(other.wall);
        self.resident = self.resident.max(other.resident);
    }
}

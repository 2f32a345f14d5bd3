//! What comes of an input, however it was asked for.

use std::{collections::BTreeSet, fmt};

/// Why an input was refused, or that it was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    /// Keys are missing: `KID … (track …)`.
    NoKey(BTreeSet<String>),
    /// Keys look wrong, likewise. How many samples were looked at by then may differ.
    WrongKey(BTreeSet<String>),
    /// Anything else, in its words.
    Refused(String),
    /// A panic, a signal, a time limit: what must never be.
    Died(String),
}

impl Answer {
    /// What a process that has ended by itself says: its exit code, its words, and what it may call the files
    /// that these are about.
    pub(crate) fn of_process(code: i32, stderr: &str, names: &[&str]) -> Self {
        let last = stderr.lines().rev().find(|line| line.starts_with("clearkey: "));
        let mut message = last.and_then(|line| line.strip_prefix("clearkey: ")).unwrap_or_default();
        for name in names {
            let rest = message.strip_prefix(name).and_then(|rest| rest.strip_prefix(": "));
            message = rest.unwrap_or(message);
        }
        if code == 101 || stderr.contains("panicked") {
            return Self::Died(format!("exit code {code}: {stderr}"));
        }
        match code {
            0 => Self::Done,
            1 if message.contains("looks wrong") => Self::WrongKey(kids(message, "key for ")),
            1 => Self::NoKey(kids(message, "")),
            2 if message.is_empty() => Self::Died(format!("no message: {stderr:?}")),
            2 => Self::Refused(message.to_owned()),
            _ => Self::Died(format!("exit code {code}: {stderr}")),
        }
    }

    /// A short name for tables.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NoKey(_) => "no key",
            Self::WrongKey(_) => "key looks wrong",
            Self::Refused(_) => "refused",
            Self::Died(_) => "died",
        }
    }

    /// Its words without numbers: what kind of refusal it is.
    pub(crate) fn shape(&self) -> String {
        let Self::Refused(message) = self else { return self.class().to_owned() };
        let mut shape = String::new();
        for part in message.chars() {
            match part {
                '0'..='9' if shape.ends_with('#') => {}
                '0'..='9' => shape.push('#'),
                _ => shape.push(part),
            }
        }
        // What a box was called, and octets that are shown.
        let parts = shape.split('`').enumerate();
        parts.map(|(number, part)| if number % 2 == 1 { "…" } else { part }).collect()
    }
}

/// The key ids in a message, each with its track.
fn kids(message: &str, before: &str) -> BTreeSet<String> {
    let mark = format!("{before}KID ");
    let parts = message.split(mark.as_str()).skip(1);
    let kid = |part: &str| part.chars().take_while(char::is_ascii_hexdigit).collect::<String>();
    let track = |part: &str| {
        let track = part.split("(track ").nth(1).unwrap_or_default();
        track.chars().take_while(char::is_ascii_digit).collect::<String>()
    };
    parts.map(|part| format!("KID {} (track {})", kid(part), track(part))).collect()
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::NoKey(kids) => write!(f, "no key for {kids:?}"),
            Self::WrongKey(kids) => write!(f, "looks wrong: {kids:?}"),
            Self::Refused(message) => write!(f, "refused: {message}"),
            Self::Died(why) => write!(f, "died: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_process_are_its_answer() {
        let answer = |code, stderr| Answer::of_process(code, stderr, &["in.mp4", "init.mp4"]);
        assert_eq!(answer(0, "clearkey: in.mp4: track 1: 3 samples decrypted\n"), Answer::Done);
        let refused = |words: &str| Answer::Refused(words.to_owned());
        assert_eq!(answer(2, "clearkey: in.mp4: no tracks\n"), refused("no tracks"));
        assert_eq!(answer(2, "clearkey: in.mp4: init.mp4: no tracks\n"), refused("no tracks"));
        let kids = |kids: &[&str]| kids.iter().map(|kid| (*kid).to_owned()).collect();
        assert_eq!(
            answer(1, "clearkey: in.mp4: no key for KID 0a (track 1), KID 0b (track 2)\n"),
            Answer::NoKey(kids(&["KID 0a (track 1)", "KID 0b (track 2)"]))
        );
        assert_eq!(
            answer(
                1,
                "clearkey: in.mp4: key for KID 0a looks wrong: 3 of 4 samples implausible (track 7)\n"
            ),
            Answer::WrongKey(kids(&["KID 0a (track 7)"]))
        );
        for (code, stderr) in
            [(2, ""), (101, "clearkey: in.mp4: x\n"), (0, "thread 'main' panicked"), (3, "")]
        {
            assert_eq!(answer(code, stderr).class(), "died", "{code} {stderr}");
        }
    }

    #[test]
    fn answers_that_differ_in_numbers_and_names_only_are_of_one_shape() {
        let shape = |words: &str| Answer::Refused(words.to_owned()).shape();
        assert_eq!(shape("`moof/traf` at byte 17: 3 left"), shape("`moov` at byte 4: 12 left"));
        assert_ne!(shape("`moov` at byte 4: 12 left"), shape("`moov` at byte 4: 12 right"));
    }
}

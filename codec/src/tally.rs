//! What the samples of one key have shown so far, and whether that key looks wrong.
//!
//! A rule is something that the syntax demands of bytes that were protected. Under a wrong key those
//! bytes are random, and break the rule with a probability that is known. So each test speaks for one of
//! three stories, and the likelihoods of all tests are weighed against each other:
//! - the key is wrong, and the rule breaks as often as chance breaks it;
//! - the key is right, and the rule holds but for a damaged sample now and then;
//! - the key is right, and whoever wrote the stream does not keep the rule: it breaks as often as it likes.
//!
//! Beside rules there are odds: what happens under a right key too, but not as often as under a wrong one.
//! They take longer, and are believed later.

/// A rule of some codec's syntax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A field of a header has a value that it may have: a marker, a reserved bit, a version.
    Header,
    /// A length in the data fits what is there.
    Length,
    /// The payload ends as its trailing bits demand.
    Trailing,
    /// No forbidden byte sequence (a start code in a NAL unit).
    Emulation,
    /// An entropy decoder can start there (a marker bit, a forbidden first value).
    Entropy,
    /// The first coded units make sense.
    Payload,
    /// A checksum holds.
    Checksum,
    /// It goes on as the samples before did (frame length, stream parameters).
    Continuity,
}

const RULES: usize = 8;

/// What has been seen of the samples of one key. Tallies of the same key can be joined.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    checked: u64,
    implausible: u64,
    rules: [Count; RULES],
    odds: Odds,
    /// The sample being looked at breaks a rule.
    broken: bool,
    /// What codecs remember of the samples before, each for itself; 0: nothing.
    pub(crate) memory: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Count {
    tests: u64,
    fails: u64,
    /// Fails to expect under a wrong key: the sum of all chances.
    expected: f64,
    /// Logarithm (base 2) of the likelihood of just these outcomes under a wrong key.
    wrong: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Odds {
    trials: u64,
    hits: u64,
    /// Logarithms (base 2) of the likelihood of just these outcomes under the right key and a wrong one.
    right: f64,
    wrong: f64,
}

/// What a tally says of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was seen that would tell.
    Unknown,
    /// The plaintext looks right, or at least not wrong.
    Plausible,
    /// The key looks wrong.
    Wrong,
}

/// How often a right key's stream breaks a rule that its writer keeps: damage, and rules read too narrowly.
const DAMAGE: f64 = 1.0 / 4096.0;
/// How many streams come from a writer that does not keep some rule.
const CARELESS: f64 = 1.0 / 16.0;
/// The standard deviation of the logarithm of a rule's odds, which are known no better than this.
const VAGUE: f64 = 0.5;
/// How many streams come from a writer whose headers and lengths nobody can read: decoders need them.
const UNREADABLE: f64 = 1.0 / (1 << 20) as f64;
/// More headers than these are not damaged by accident. How many random bytes break is known of some codecs
/// only roughly, so any such rate may be that of a wrong key.
const OFTEN: f64 = 1.0 / 3.0;
/// Bits of evidence (a likelihood ratio of 8 to 1) from which a key is called wrong.
const ENOUGH: f64 = 3.0;
/// How many streams have odds of their own: pictures that repeat.
const ODD: f64 = 1.0 / 65536.0;
/// Bits of evidence against a key that odds are not believed. The right key's odds come to as many once
/// in 2^10 streams, and to [`ENOUGH`] more once in 2^13.
const DOUBT: f64 = 10.0;

impl Tally {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes an outcome for the sample being looked at. `chance` is how probable it is that random bytes
    /// break the rule here, between 0 and 1.
    pub(crate) fn test(&mut self, rule: Rule, chance: f64, holds: bool) {
        let chance = chance.clamp(1e-9, 1.0 - 1e-9);
        let count = &mut self.rules[rule as usize];
        count.tests += 1;
        count.fails += u64::from(!holds);
        count.expected += chance;
        count.wrong += if holds { (1.0 - chance).log2() } else { chance.log2() };
        self.broken |= !holds;
    }

    /// Notes whether something happened whose probability is known under the right key and a wrong one,
    /// both between 0 and 1. It must be as good as independent of the trials before.
    pub(crate) fn weigh(&mut self, right: f64, wrong: f64, happened: bool) {
        let likelihood = |chance: f64| if happened { chance.log2() } else { (1.0 - chance).log2() };
        self.odds.trials += 1;
        self.odds.hits += u64::from(happened);
        self.odds.right += likelihood(right);
        self.odds.wrong += likelihood(wrong);
    }

    /// Ends the look at a sample.
    pub(crate) fn sample_done(&mut self) {
        self.checked += 1;
        self.implausible += u64::from(self.broken);
        self.broken = false;
    }

    /// Samples looked at.
    #[must_use]
    pub fn checked(&self) -> u64 {
        self.checked
    }

    /// Those of them that break a rule.
    #[must_use]
    pub fn implausible(&self) -> u64 {
        self.implausible
    }

    /// A tally of nothing, for samples behind or beside those that this one has seen.
    #[must_use]
    pub fn follower(&self) -> Self {
        Self { memory: self.memory, ..Self::new() }
    }

    /// Adds what another tally of the same key has seen.
    pub fn join(&mut self, other: &Self) {
        self.checked += other.checked;
        self.implausible += other.implausible;
        for (count, other) in self.rules.iter_mut().zip(&other.rules) {
            count.tests += other.tests;
            count.fails += other.fails;
            count.expected += other.expected;
            count.wrong += other.wrong;
        }
        self.odds.trials += other.odds.trials;
        self.odds.hits += other.odds.hits;
        self.odds.right += other.odds.right;
        self.odds.wrong += other.odds.wrong;
        // Threads' tallies are joined in any order: one that has nothing to remember says nothing.
        if other.memory != 0 {
            self.memory = other.memory;
        }
    }

    /// Bits of evidence that the key is wrong; negative: that it is right.
    #[must_use]
    pub fn evidence(&self) -> f64 {
        let strict = [Rule::Header, Rule::Length].map(|rule| rule as usize);
        let rules = self.rules.iter().enumerate();
        let evidence = rules.map(|(rule, count)| count.evidence(strict.contains(&rule)));
        evidence.sum::<f64>() + self.odds.evidence()
    }

    /// What all this says of the key.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match () {
            () if self.odds.trials == 0 && self.rules.iter().all(|count| count.tests == 0) => {
                Verdict::Unknown
            }
            () if self.evidence() >= ENOUGH => Verdict::Wrong,
            () => Verdict::Plausible,
        }
    }
}

impl Count {
    fn evidence(&self, is_strict: bool) -> f64 {
        if self.tests == 0 {
            return 0.0;
        }
        let (tests, fails) = (self.tests as f64, self.fails as f64);
        let keeps = fails * DAMAGE.log2() + (tests - fails) * (1.0 - DAMAGE).log2();
        let any_rate = log2_any_rate(tests, fails);
        let mut wrong = self.wrong.max(self.about_wrong());
        let mut careless = CARELESS.log2() + any_rate;
        if is_strict && fails / tests > OFTEN {
            careless = UNREADABLE.log2() + any_rate;
            wrong = wrong.max(any_rate - 1.0);
        }
        wrong - keeps.max(careless)
    }

    /// The likelihood under a wrong key again, if chances are not quite what they are said to be: garbage is
    /// less than random where samples begin alike and have one IV. The rate of breaking has a Beta
    /// distribution about the chance.
    fn about_wrong(&self) -> f64 {
        let (tests, fails) = (self.tests as f64, self.fails as f64);
        let chance = self.expected / tests;
        let [a, b] = [1.0 / (1.0 - chance), 1.0 / chance].map(|size| size / (VAGUE * VAGUE));
        log2_beta(a + fails, b + tests - fails) - log2_beta(a, b)
    }
}

impl Odds {
    fn evidence(&self) -> f64 {
        if self.trials == 0 {
            return 0.0;
        }
        let odd = ODD.log2() + log2_any_rate(self.trials as f64, self.hits as f64);
        let evidence = self.wrong - self.right.max(odd);
        if evidence > 0.0 { (evidence - DOUBT).max(0.0) } else { evidence }
    }
}

/// log2 of the likelihood of `k` out of `n`, in just that order, if any rate is as likely as any other:
/// the Beta integral.
fn log2_any_rate(n: f64, k: f64) -> f64 {
    -(n + 1.0).log2() - log2_choose(n, k)
}

/// log2 of the Beta function, for arguments above 2.
fn log2_beta(a: f64, b: f64) -> f64 {
    let log = log_factorial(a - 1.0) + log_factorial(b - 1.0) - log_factorial(a + b - 1.0);
    log / std::f64::consts::LN_2
}

/// log2 of the binomial coefficient, by Stirling's series.
fn log2_choose(n: f64, k: f64) -> f64 {
    (log_factorial(n) - log_factorial(k) - log_factorial(n - k)) / std::f64::consts::LN_2
}

fn log_factorial(n: f64) -> f64 {
    if n < 2.0 {
        return 0.0;
    }
    n * n.ln() - n + 0.5 * (std::f64::consts::TAU * n).ln() + 1.0 / (12.0 * n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(chance: f64, fails: usize, tests: usize) -> Tally {
        let mut tally = Tally::new();
        for test in 0..tests {
            tally.test(Rule::Trailing, chance, test >= fails);
            tally.sample_done();
        }
        tally
    }

    #[test]
    fn nothing_seen_says_nothing() {
        assert_eq!(Tally::new().verdict(), Verdict::Unknown);
        let mut unseen = Tally::new();
        unseen.sample_done();
        assert_eq!((unseen.verdict(), unseen.checked()), (Verdict::Unknown, 1));
    }

    #[test]
    fn a_strong_rule_tells_at_once() {
        assert_eq!(tally(0.99, 3, 3).verdict(), Verdict::Wrong);
        assert_eq!(tally(0.99, 0, 1).verdict(), Verdict::Plausible);
        // Two damaged samples of a thousand.
        assert_eq!(tally(0.99, 2, 1000).verdict(), Verdict::Plausible);
    }

    #[test]
    fn a_weak_rule_tells_when_it_breaks_as_chance_would_have_it() {
        assert_eq!(tally(1.0 / 256.0, 1, 100).verdict(), Verdict::Wrong);
        assert_eq!(tally(1.0 / 256.0, 4, 1000).verdict(), Verdict::Wrong);
        // One sample alone, and a writer that breaks it all the time, are no evidence.
        assert_eq!(tally(1.0 / 256.0, 1, 1).verdict(), Verdict::Plausible);
        assert_eq!(tally(1.0 / 256.0, 50, 100).verdict(), Verdict::Plausible);
        assert_eq!(tally(1.0 / 256.0, 1000, 1000).verdict(), Verdict::Plausible);
    }

    #[test]
    fn a_chance_need_not_be_exact() {
        assert_eq!(tally(0.33, 110, 400).verdict(), Verdict::Wrong);
        assert_eq!(tally(0.33, 170, 400).verdict(), Verdict::Wrong);
        assert_eq!(tally(0.8, 286, 400).verdict(), Verdict::Wrong);
        // But this is another rate, whatever it is of.
        assert_eq!(tally(0.33, 20, 400).verdict(), Verdict::Plausible);
        assert_eq!(tally(0.33, 380, 400).verdict(), Verdict::Plausible);
        assert_eq!(tally(1.0 / 256.0, 40, 2000).verdict(), Verdict::Plausible);
    }

    fn weighed(hits: usize, trials: usize) -> Tally {
        let mut tally = Tally::new();
        for trial in 0..trials {
            tally.weigh(0.125, 0.5, trial < hits);
            tally.sample_done();
        }
        tally
    }

    #[test]
    fn odds_tell_after_some_dozens() {
        assert_eq!(weighed(16, 32).verdict(), Verdict::Wrong);
        assert_eq!(weighed(500, 1000).verdict(), Verdict::Wrong);
        assert_eq!(weighed(4, 32).verdict(), Verdict::Plausible);
        assert_eq!(weighed(125, 1000).verdict(), Verdict::Plausible);
        assert_eq!(weighed(125, 1000).implausible(), 0);
        // A short streak, and the same picture again and again.
        assert_eq!(weighed(3, 4).verdict(), Verdict::Plausible);
        for trials in 1..2000 {
            assert_eq!(weighed(trials, trials).verdict(), Verdict::Plausible, "{trials}");
        }
    }

    #[test]
    fn headers_that_cannot_be_read_come_from_no_writer() {
        let headers = |fails: usize, tests: usize| {
            let mut tally = Tally::new();
            (0..tests).for_each(|test| tally.test(Rule::Header, 0.5, test >= fails));
            tally.verdict()
        };
        // The rate need not be the one that was expected.
        assert_eq!([headers(98, 100), headers(58, 100), headers(40, 100)], [Verdict::Wrong; 3]);
        assert_eq!([headers(0, 100), headers(1, 100), headers(20, 100)], [Verdict::Plausible; 3]);
    }

    #[test]
    fn joined_tallies_say_what_one_would() {
        let mut joined = tally(0.25, 2, 30);
        joined.join(&tally(0.25, 3, 10));
        let mut odds = weighed(3, 9);
        odds.join(&weighed(0, 9));
        assert!((odds.evidence() - weighed(3, 18).evidence()).abs() < 1e-9);
        let whole = tally(0.25, 5, 40);
        assert!((joined.evidence() - whole.evidence()).abs() < 1e-9);
        assert_eq!((joined.checked(), joined.implausible()), (40, 5));
    }

    #[test]
    fn binomial_coefficients_are_near_enough() {
        for (n, k, expected) in [(4.0, 2.0, 6.0_f64), (10.0, 3.0, 120.0), (7.0, 0.0, 1.0)] {
            assert!((log2_choose(n, k) - expected.log2()).abs() < 0.02, "{n} {k}");
        }
    }
}

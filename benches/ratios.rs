//! How fast every kernel is beside the peers, as tables, from one run in which all take turns.
//!
//! `--svg FILE` draws throughput against sample size, too. Without `--bench`, as `cargo test` runs
//! it, nothing is timed, but all bytes are asserted.

use benches::cases::{self, Case};
use benches::turns::Timed;
use benches::{Means, chart};
use cenc::Kernel;

fn main() -> std::io::Result<()> {
    let arguments: Vec<_> = std::env::args().collect();
    let groups = [
        cases::whole(),
        cases::short(),
        cases::video(),
        cases::cbcs(),
        cases::schemes(),
        cases::cbc_encryption(),
    ];
    if !arguments.iter().any(|argument| argument == "--bench") {
        groups.iter().flatten().for_each(check);
        return Ok(());
    }
    let groups = groups.map(|cases| cases.into_iter().map(Timed::new).collect::<Vec<_>>());
    print_ratios(&groups);
    for groups in [&groups[..1], &groups[1..5], &groups[5..]] {
        print_rates(groups);
    }
    let svg = arguments.iter().skip_while(|argument| *argument != "--svg").nth(1);
    svg.map_or(Ok(()), |file| std::fs::write(file, chart::svg(&groups[0])))
}

fn check(case: &Case) {
    for means in case.means() {
        let _run = case.run(means);
    }
}

/// How many times faster than a peer each kernel is.
fn print_ratios([whole, short, video, cbcs, _, cbc_encryption]: &[Vec<Timed>; 6]) {
    println!(
        "\n| what | beside | its GB/s | target | {} |",
        kernels().collect::<Vec<_>>().join(" | ")
    );
    println!("|---|---|--:|--:|{}", "--:|".repeat(kernels().count()));
    let openssl = Means::OpenSsl.to_string();
    let whole = |group: &'static str| {
        whole.iter().filter(move |timed| timed.case.group == group && timed.case.name == "64KiB")
    };
    let (ctr, cbc) = (whole("CTR"), whole("CBC decryption"));
    print_rows(ctr.clone().chain(cbc.clone()), Timed::BOUND, 0.83);
    print_rows(ctr, &openssl, 1.9);
    print_rows(cbc, &openssl, 1.7);
    print_rows(short, &openssl, 4.0);
    print_rows(video, &openssl, 2.0);
    print_rows(cbcs, &openssl, 3.0);
    print_rows(cbc_encryption, &openssl, 6.0);
}

fn print_rows<'a>(timed: impl IntoIterator<Item = &'a Timed>, peer: &str, target: f64) {
    for timed in timed {
        let Case { group, name, .. } = &timed.case;
        let rate = giga(timed.rate(peer));
        let ratios = kernels().map(|kernel| number(timed.ratio(&kernel, peer)));
        let ratios = ratios.collect::<Vec<_>>().join(" | ");
        println!("| {group}, {name} | {peer} | {rate} | {target} | {ratios} |");
    }
}

/// GB/s of everyone who took part.
fn print_rates(groups: &[Vec<Timed>]) {
    let timed = || groups.iter().flatten();
    let means = Means::all().map(|means| means.to_string());
    let mut columns: Vec<_> = means.chain([Timed::BOUND.to_owned()]).collect();
    columns.retain(|column| timed().any(|timed| timed.rate(column).is_some()));
    println!("\n| GB/s | {} |", columns.join(" | "));
    println!("|---|{}", "--:|".repeat(columns.len()));
    for timed in timed() {
        let Case { group, name, .. } = &timed.case;
        let rates = columns.iter().map(|column| giga(timed.rate(column)));
        println!("| {group}, {name} | {} |", rates.collect::<Vec<_>>().join(" | "));
    }
}

fn kernels() -> impl Iterator<Item = String> {
    Kernel::all().map(|kernel| Means::Batch(kernel).to_string())
}

fn giga(bytes_per_second: Option<f64>) -> String {
    number(bytes_per_second.map(|rate| rate / 1e9))
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.2}"))
}

//! Every kernel and every peer over the same streams.
//!
//! Each bench asserts its bytes before it times them.

use std::time::Duration;

use benches::Bound;
use benches::cases::{self, Case, Direction};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn whole(criterion: &mut Criterion) {
    bench(criterion, cases::whole());
    for (group, direction) in [("CTR", Direction::Encrypt), ("CBC decryption", Direction::Decrypt)]
    {
        bound(criterion, group, direction);
    }
}

fn short(criterion: &mut Criterion) {
    bench(criterion, cases::short());
}

fn video(criterion: &mut Criterion) {
    bench(criterion, cases::video());
    bench(criterion, cases::cbcs());
    bench(criterion, cases::schemes());
}

fn cbc_encryption(criterion: &mut Criterion) {
    bench(criterion, cases::cbc_encryption());
}

fn bench(criterion: &mut Criterion, cases: Vec<Case>) {
    for case in cases {
        let mut group = criterion.benchmark_group(&case.group);
        group.throughput(Throughput::Bytes(case.stream.bytes() as u64));
        for means in case.means() {
            let (mut run, mut data) = (case.run(means), case.buffer());
            let name = BenchmarkId::new(means.to_string(), &case.name);
            group.bench_function(name, |bencher| bencher.iter(|| run(&mut data)));
        }
        group.finish();
    }
}

/// No bytes are moved, so it does not depend on their number.
fn bound(criterion: &mut Criterion, group: &str, direction: Direction) {
    const BYTES: usize = 64 << 10;
    let Some(bound) = Bound::widest() else { return };
    let mut run = bound.run(direction, BYTES);
    let mut group = criterion.benchmark_group(group);
    group.throughput(Throughput::Bytes(BYTES as u64));
    let name = BenchmarkId::new("bound", bound.name);
    group.bench_function(name, |bencher| bencher.iter(|| run(&mut [])));
    group.finish();
}

fn config() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .nresamples(10_000)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .without_plots()
}

criterion_group!(name = samples; config = config(); targets = whole, short, video, cbc_encryption);
criterion_main!(samples);

//! Decrypting one sample, beside the bare cipher over as many neighbouring bytes: what the walk over
//! subsamples and patterns costs.
//!
//! Every bench asserts its bytes before it times them.

use aes::{
    Aes128,
    cipher::{BlockModeDecrypt, InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper},
};
use benches::{IV, KEY, Workload};
use cenc::{Key, Scheme, decrypt_sample};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ctr::{CtrCore, flavors};

fn workloads() -> Vec<Workload> {
    use Scheme::{Cbc1, Cbcs, Cenc, Cens};
    let slices = |name, scheme, pattern, slice| {
        Workload::slices(name, scheme, pattern, slice).expect("a pattern of the standard")
    };
    vec![
        Workload::whole("audio 400 B", Cenc, 400),
        Workload::whole("audio 400 B", Cbcs, 400),
        Workload::whole("whole 64 KiB", Cenc, 64 << 10),
        Workload::whole("whole 64 KiB", Cbc1, 64 << 10),
        slices("video 64 KiB", Cenc, (0, 0), 16 << 10),
        slices("video 64 KiB, 1:9", Cens, (1, 9), 16 << 10),
        slices("video 64 KiB", Cbc1, (0, 0), 16 << 10),
        slices("video 64 KiB, 1:9", Cbcs, (1, 9), 16 << 10),
        slices("video 64 KiB, 5:5", Cbcs, (5, 5), 16 << 10),
    ]
}

fn decrypt(criterion: &mut Criterion) {
    let key = Key::new(&KEY);
    let mut group = criterion.benchmark_group("decrypt");
    for workload in workloads() {
        let encryption = workload.encryption().expect("a workload of the standard");
        let mut sample = workload.encrypted().expect("a workload of the standard");
        let mut check = sample.clone();
        decrypt_sample(&key, &encryption, &mut check).expect("the sample fits");
        assert_eq!(check, workload.clear());

        group.throughput(Throughput::Bytes(workload.len as u64));
        group.bench_function(
            format!("{}/{}/clearkey", workload.scheme, workload.name),
            |bencher| {
                bencher.iter(|| decrypt_sample(&key, &encryption, &mut sample));
            },
        );
    }
    group.finish();
}

/// The peers: one call over all bytes, with the key schedule made before.
fn bare(criterion: &mut Criterion) {
    let aes = Aes128::new(&KEY.into());
    let mut group = criterion.benchmark_group("bare cipher");
    for (scheme, name, decrypt) in [
        (Scheme::Cenc, "RustCrypto ctr", ctr as fn(&Aes128, &mut [u8])),
        (Scheme::Cbc1, "RustCrypto cbc", cbc),
    ] {
        for len in [400, 64 << 10] {
            let workload = Workload::whole(name, scheme, len);
            let mut sample = workload.encrypted().expect("a workload of the standard");
            let mut check = sample.clone();
            decrypt(&aes, &mut check);
            assert_eq!(check, workload.clear());

            group.throughput(Throughput::Bytes(len as u64));
            group.bench_function(format!("{name}/{len} B"), |bencher| {
                bencher.iter(|| decrypt(&aes, &mut sample));
            });
        }
    }
    group.finish();
}

fn ctr(aes: &Aes128, bytes: &mut [u8]) {
    let core = CtrCore::<&Aes128, flavors::Ctr64BE>::inner_iv_init(aes, &IV.into());
    StreamCipherCoreWrapper::from_core(core).apply_keystream(bytes);
}

fn cbc(aes: &Aes128, bytes: &mut [u8]) {
    let (blocks, _clear) = aes::Block::slice_as_chunks_mut(bytes);
    cbc::Decryptor::<&Aes128>::inner_iv_init(aes, &IV.into()).decrypt_blocks(blocks);
}

criterion_group!(samples, decrypt, bare);
criterion_main!(samples);

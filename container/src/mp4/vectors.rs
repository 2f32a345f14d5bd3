//! Known answers: the boxes of `fixtures/vectors/box_parse.json`, each with the file it is from.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use crate::{
    FourCc, Window,
    mp4::{
        aux_info::{AuxReader, Senc, SizesAndOffsets, is_encryption},
        groups::{Descriptions, is_seig},
        input::Input,
        protection::{Encryption, IvSource},
        testing::{self, Written, full, opened, plain},
    },
};

#[test]
fn box_vectors() {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("../../../fixtures/vectors/box_parse.json")).unwrap();
    for vector in &vectors {
        let payload = hex(&vector["payload_hex"]);
        let found = match text(&vector["box"]) {
            "tenc" => tenc(&plain(b"tenc").put(payload)),
            "sgpd" => sgpd(&plain(b"sgpd").put(payload)),
            "saiz" => saiz(&plain(b"saiz").put(payload)),
            "saio" => saio(&plain(b"saio").put(payload)),
            "senc" => senc(&plain(b"senc").put(payload), vector),
            "senc entry" => senc(&full(b"senc", 0, 2).u32(1).put(payload), vector)["entry"].take(),
            other => panic!("a box `{other}`"),
        };
        assert_expected(&found, &vector["expected"], vector);
    }
    assert_eq!(vectors.len(), 12);
}

/// Every member that is expected is found; where an entry of `seig` expects less than there is, the
/// rest is not asked for.
fn assert_expected(found: &Value, expected: &Value, vector: &Value) {
    match (found, expected) {
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{vector}");
            for (found, expected) in found.iter().zip(expected) {
                assert_expected(found, expected, vector);
            }
        }
        (Value::Object(found), Value::Object(expected)) => {
            for (name, expected) in expected {
                let found = found.get(name).unwrap_or_else(|| panic!("no {name}: {vector}"));
                assert_expected(found, expected, vector);
            }
        }
        _ => assert_eq!(found, expected, "{vector}"),
    }
}

fn tenc(tenc: &Written) -> Value {
    let tenc = opened(tenc);
    let mut found = encryption(&Encryption::tenc(&tenc).unwrap());
    found["version"] = tenc.fields().version_and_flags().unwrap().0.into();
    found
}

fn encryption(encryption: &Encryption) -> Value {
    let Encryption { protected, kid, pattern, iv } = encryption;
    let mut found = json!({
        "is_protected": u8::from(*protected),
        "iv_size": iv.per_sample().unwrap_or(0),
        "kid": kid.to_string(),
        "crypt": pattern.crypt_byte_block(),
        "skip": pattern.skip_byte_block(),
    });
    if let IvSource::Constant(iv) = iv {
        found["constant_iv"] = HEXLOWER.encode(iv.as_bytes()).into();
    }
    found
}

fn sgpd(sgpd: &Written) -> Value {
    let sgpd = opened(sgpd);
    assert!(is_seig(&sgpd).unwrap());
    let entries = Descriptions::read(&sgpd).unwrap().entries;
    json!({ "grouping_type": "seig", "entries": entries.iter().map(encryption).collect::<Vec<_>>() })
}

/// What `saiz` says shows in how many bytes `saio` must point to.
fn saiz(saiz: &Written) -> Value {
    let aux_type = aux_type(saiz);
    let saio = full(b"saio", 0, 0).u32(1).u32(0);
    let [saiz, saio] = [saiz, &saio].map(opened);
    let file = vec![0; 0x1_0000];
    let len = |samples| {
        let boxes = SizesAndOffsets { saiz: &saiz, saio: &saio };
        let window = Window::new(0, &file);
        let opened = boxes.open(0, &[samples], &mut Input::new(&window, true, 0));
        opened.map(|(_, ranges)| ranges[0].end)
    };
    let count = (0..1000).take_while(|&samples| len(samples).is_ok()).last().unwrap();
    let mut found = json!({
        "aux_info_type": aux_type,
        "default_size": len(1).unwrap(),
        "sample_count": count,
    });
    if !found["aux_info_type"].is_null() {
        let mut fields = saiz.fields();
        fields.bytes(8, "version, flags and aux_info_type").unwrap();
        found["aux_info_type_parameter"] = fields.u32("aux_info_type_parameter").unwrap().into();
    }
    found
}

fn saio(saio: &Written) -> Value {
    let aux_type = aux_type(saio);
    let saiz = full(b"saiz", 0, 0).u8(1).u32(9);
    let [saiz, saio] = [&saiz, saio].map(opened);
    let file = vec![0; 0x1_0000];
    let boxes = SizesAndOffsets { saiz: &saiz, saio: &saio };
    let window = Window::new(0, &file);
    let (_, ranges) = boxes.open(0, &[9], &mut Input::new(&window, true, 0)).unwrap();
    let offsets: Vec<_> = ranges.iter().map(|range| range.start).collect();
    json!({ "aux_info_type": aux_type, "offsets": offsets })
}

/// The type of the auxiliary information, found by what else would be taken for encryption's.
fn aux_type(written: &Written) -> Value {
    assert!(is_encryption(&opened(written), &[]).unwrap());
    let mut other = written.as_ref().to_vec();
    other[12..16].copy_from_slice(b"?*!-");
    let other = opened(&other);
    match is_encryption(&other, &[]).unwrap() {
        true => Value::Null,
        false => {
            assert!(is_encryption(&other, &[FourCc(*b"?*!-")]).unwrap());
            str::from_utf8(&written.as_ref()[12..16]).unwrap().into()
        }
    }
}

fn senc(senc: &Written, vector: &Value) -> Value {
    let iv = match vector["iv_size"].as_u64().unwrap() {
        0 => IvSource::None,
        size => IvSource::PerSample(u8::try_from(size).unwrap()),
    };
    let encryption = testing::encryption(iv);
    let senc = opened(senc);
    let (flags, mut subsamples) = (senc.fields().version_and_flags().unwrap().1, Vec::new());
    let mut reader = AuxReader::Senc(Senc::open(&senc).unwrap().0);
    let mut entries = Vec::new();
    while let Ok(entry) = reader.next(&encryption, &mut subsamples) {
        entries.push((entry.iv, entry.subsamples));
    }
    let empty = entries.iter().filter(|(iv, table)| iv.is_none() && table.is_none()).count();
    let table = subsamples.iter().map(|subsample| (subsample.clear, subsample.protected));
    let iv = entries[0].0.map(|iv| HEXLOWER.encode(&iv.as_bytes()[..8]));
    json!({
        "flags": flags,
        "sample_count": entries.len(),
        "entries": format!("{empty} empty entries"),
        "entry": { "iv": iv, "subsamples": table.collect::<Vec<_>>() },
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(text(value).as_bytes()).unwrap()
}

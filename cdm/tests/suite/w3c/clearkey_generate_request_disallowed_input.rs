//! clearkey-generate-request-disallowed-input: seven kinds of data that are refused.

use crate::support::{exception, media_keys, temporary};

#[test]
fn wrong_data_are_a_type_error() {
    let long = vec![0; 70_000];
    let long_kid = clearkey::base64url::encode(&[7; 600]);
    let long_kid = format!(r#"{{"kids":["{long_kid}"]}}"#);
    let header = |size: [u8; 4], name: &[u8; 4]| {
        let common = [
            0x10, 0x77, 0xef, 0xec, 0xc0, 0xb2, 0x4d, 0x02, 0xac, 0xe3, 0x3c, 0x1e, 0x52, 0xe2,
            0xfb, 0x4b,
        ];
        [&size[..], name, &[1, 0, 0, 0], &common, &[0, 0, 0, 0], &[0, 0, 0, 0]].concat()
    };
    let cases: [(&str, &str, &[u8]); 7] = [
        ("webm, longer than 64 KiB", "webm", &long),
        ("cenc, longer than 64 KiB", "cenc", &long),
        ("keyids, longer than 64 KiB", "keyids", &long),
        ("invalid box size", "cenc", &header([0, 0, 0xff, 0xff], b"pssh")),
        ("no pssh box", "cenc", &header([0, 0, 0, 0], b"psss")),
        ("empty key id", "keyids", br#"{"kids":[""]}"#),
        ("key id longer than 512 octets", "keyids", long_kid.as_bytes()),
    ];
    for (name, init_data_type, init_data) in cases {
        let refused = temporary(&media_keys()).generate_request(init_data_type, init_data);
        assert_eq!(exception(refused), "TypeError", "{name}");
    }
}

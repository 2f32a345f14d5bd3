//! clearkey-check-initdata-type: each format makes a request. The original is satisfied whatever happens
//! (it hands its helper too few arguments); here the request must name the key.

use crate::support::{events, exception, media_keys, temporary};

/// WPT's initialization data, with the key id that it names in base64url.
const CASES: [(&str, &[u8], &str); 3] = [
    ("webm", &[0, 1, 2, 3], "AAECAw"),
    (
        "cenc",
        &[
            0x00, 0x00, 0x00, 0x34, b'p', b's', b's', b'h', 0x01, 0x00, 0x00, 0x00, 0x10, 0x77,
            0xef, 0xec, 0xc0, 0xb2, 0x4d, 0x02, 0xac, 0xe3, 0x3c, 0x1e, 0x52, 0xe2, 0xfb, 0x4b,
            0x00, 0x00, 0x00, 0x01, b'0', b'1', b'2', b'3', b'4', b'5', b'6', b'7', b'8', b'9',
            b'0', b'1', b'2', b'3', b'4', b'5', 0x00, 0x00, 0x00, 0x00,
        ],
        "MDEyMzQ1Njc4OTAxMjM0NQ",
    ),
    ("keyids", br#"{"kids":["LwVHf8JLtPrv2GUXFW2v_A"]}"#, "LwVHf8JLtPrv2GUXFW2v_A"),
];

#[test]
fn each_type_makes_a_request_for_its_key() {
    for (init_data_type, init_data, kid) in CASES {
        let session = temporary(&media_keys());
        session.generate_request(init_data_type, init_data).unwrap();
        let request = format!(r#"message license-request {{"kids":["{kid}"],"type":"temporary"}}"#);
        assert_eq!(events(&session), [request], "{init_data_type}");
    }
}

#[test]
fn data_of_one_type_are_none_of_another() {
    for (init_data_type, _, _) in CASES {
        for (other, init_data, _) in CASES {
            // Nearly anything is a key id.
            if other == init_data_type || init_data_type == "webm" {
                continue;
            }
            let refused = temporary(&media_keys()).generate_request(init_data_type, init_data);
            assert_eq!(exception(refused), "TypeError", "{other} as {init_data_type}");
        }
    }
}

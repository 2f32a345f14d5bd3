//! The whole life of a temporary session: `cargo run --package cdm --example session`.
//!
//! The application stands on one side, a license server on the other; here both are in one process, and
//! the messages between them are printed.

use cdm::{
    Decryption, EventType, MediaKeySystemConfiguration, MediaKeySystemMediaCapability,
    SessionEvent, SessionType,
};
use cenc::{Iv, Key, Pattern, SampleEncryption, Scheme, Subsample};
use clearkey::{InitData, InitDataType, Jwk, KeyId, LicenseRequest};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let kid: KeyId = "10000000-1000-1000-1000-100000000001".parse()?;
    let key = *b"0123456789abcdef";

    // A sample as a packager encrypts it, and what the container says about it.
    let clear = b"nine byte and the rest of the picture".to_vec();
    let subsamples = [Subsample::new(9, 28)];
    let iv = Iv::new(&[7; 8])?;
    let encryption = SampleEncryption::new(Scheme::Cenc, iv, Pattern::NONE, Some(&subsamples))?;
    let mut sample = clear.clone();
    cenc::encrypt_sample(&Key::new(&key), &encryption, &mut sample)?;

    // 1. Access to the key system, in a configuration that is supported.
    let configuration = MediaKeySystemConfiguration {
        init_data_types: vec!["cenc".to_owned()],
        video_capabilities: vec![MediaKeySystemMediaCapability {
            content_type: r#"video/mp4; codecs="avc1.4d401e""#.to_owned(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let access = cdm::request_media_key_system_access("org.w3.clearkey", &[configuration])?;
    let media_keys = access.create_media_keys()?;
    let session = media_keys.create_session(SessionType::Temporary)?;

    // 2. Listeners go in before the first call. This one is also the license server.
    session.add_event_listener(EventType::Message, move |session, event| {
        let SessionEvent::Message { message_type, message } = event else { return };
        println!("{message_type}: {}", String::from_utf8_lossy(message));
        let answered = LicenseRequest::parse(message).map(|request| {
            request.answer(|asked| (*asked == kid).then(|| Jwk::new(kid.clone(), key)))
        });
        match answered.map(|answer| answer.license) {
            Ok(Some(license)) => {
                println!("license: {} key", license.keys.len());
                if let Err(error) = session.update(&license.to_json()) {
                    eprintln!("{}: {error}", error.exception());
                }
            }
            other => eprintln!("no license: {other:?}"),
        }
    });
    session.add_event_listener(EventType::KeyStatusesChange, |session, _| {
        println!("statuses: {:?}", session.key_statuses());
    });

    // 3. The stream names its keys; nothing decrypts yet.
    let kid: KeyId = "10000000-1000-1000-1000-100000000001".parse()?;
    let init_data = InitData::new(InitDataType::Cenc, vec![kid.clone()])?;
    assert_eq!(media_keys.decrypt(kid.as_bytes(), &encryption, &mut sample)?, Decryption::NoKey);
    session.generate_request("cenc", init_data.as_bytes())?;

    // 4. Events are told when the application asks for it: request, license, statuses.
    media_keys.dispatch_events();
    assert_eq!(media_keys.decrypt(kid.as_bytes(), &encryption, &mut sample)?, Decryption::Done);
    assert_eq!(sample, clear);
    println!("decrypted: {}", String::from_utf8_lossy(&sample));

    // 5. The end: the keys are gone.
    session.close()?;
    media_keys.dispatch_events();
    println!("closed: {}", session.closed().map_or("not", cdm::CloseReason::as_str));
    assert_eq!(media_keys.decrypt(kid.as_bytes(), &encryption, &mut sample)?, Decryption::NoKey);
    Ok(())
}

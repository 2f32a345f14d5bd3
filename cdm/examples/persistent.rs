//! A license that outlives its session: `cargo run --package cdm --example persistent`.
//!
//! It is stored in a folder, loaded by a second environment, as after a restart, then given up; the server
//! acknowledges that, and nothing is left.

use cdm::{
    Environment, MediaKeySession, MediaKeySystemConfiguration, MediaKeySystemMediaCapability,
    MediaKeys, SessionEvent, SessionType, store::DirectoryStore,
};

const LICENSE: &str = r#"{
    "keys": [{"kty": "oct", "k": "tQ0bJVWb6b0KPL6KtZIy_A", "kid": "LwVHf8JLtPrv2GUXFW2v_A"}],
    "type": "persistent-license"
}"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("clearkey-example-{}", std::process::id()));

    let id = {
        let (_media_keys, session) = session(&folder)?;
        session.generate_request("keyids", br#"{"kids":["LwVHf8JLtPrv2GUXFW2v_A"]}"#)?;
        tell(&session);
        session.update(LICENSE.as_bytes())?;
        println!("session {} has stored {:?}", session.session_id(), session.key_statuses());
        session.close()?;
        session.session_id()
    };

    let (media_keys, session) = session(&folder)?;
    assert!(session.load(&id)?);
    println!("session {id} has loaded {:?}", session.key_statuses());
    session.remove()?;
    println!("given up: {:?}", session.key_statuses());
    // The release is sent again with every load until the server has acknowledged it.
    tell(&session);
    session.update(br#"{"kids":["LwVHf8JLtPrv2GUXFW2v_A"]}"#)?;
    println!("closed: {}", session.closed().map_or("not", cdm::CloseReason::as_str));

    let again = media_keys.create_session(SessionType::PersistentLicense)?;
    assert!(!again.load(&id)?, "nothing is left");
    Ok(std::fs::remove_dir_all(folder)?)
}

/// A session in an environment of its own. The folder is open for as long as anything of it is.
fn session(
    folder: &std::path::Path,
) -> Result<(MediaKeys, MediaKeySession), Box<dyn std::error::Error>> {
    let store = DirectoryStore::open(folder, "https://example.org")?;
    let environment = Environment::builder().store(store).build();
    let configuration = MediaKeySystemConfiguration {
        audio_capabilities: vec![MediaKeySystemMediaCapability {
            content_type: r#"audio/webm; codecs="opus""#.to_owned(),
            ..Default::default()
        }],
        session_types: Some(vec!["persistent-license".to_owned()]),
        ..Default::default()
    };
    let access =
        environment.request_media_key_system_access("org.w3.clearkey", &[configuration])?;
    let media_keys = access.create_media_keys()?;
    let session = media_keys.create_session(SessionType::PersistentLicense)?;
    Ok((media_keys, session))
}

/// What the server would be sent.
fn tell(session: &MediaKeySession) {
    while let Some(event) = session.next_event() {
        if let SessionEvent::Message { message_type, message } = event {
            println!("{message_type}: {}", String::from_utf8_lossy(&message));
        }
    }
}

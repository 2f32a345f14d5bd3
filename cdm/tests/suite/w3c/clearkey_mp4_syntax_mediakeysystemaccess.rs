//! clearkey-mp4-syntax-mediakeysystemaccess: arguments of the request, and what an access has.

use cdm::{Environment, Error, MediaKeySystemConfiguration, MediaKeysRequirement};

use crate::support::{KEY_SYSTEM, configuration, exception};

#[test]
fn wrong_arguments() {
    let request = cdm::request_media_key_system_access;
    let whole = [configuration(false)];
    for (key_system, configurations, expected) in [
        ("", &whole[..], "TypeError"),
        ("", &[], "TypeError"),
        (KEY_SYSTEM, &[], "TypeError"),
        ("unsupported", &[], "TypeError"),
        ("unsupported", &whole, "NotSupportedError"),
        ("org.w3.clearkey ", &whole, "NotSupportedError"),
        ("Org.W3.ClearKey", &whole, "NotSupportedError"),
        (KEY_SYSTEM, &[MediaKeySystemConfiguration::default()], "NotSupportedError"),
    ] {
        let refused = request(key_system, configurations);
        assert_eq!(exception(refused), expected, "{key_system:?} {configurations:?}");
    }
    // What WPT hands in as a wrong enumeration is an error of reading it here.
    for text in ["", "REQUIRED", "notallowed", "null"] {
        assert!(text.parse::<MediaKeysRequirement>().is_err(), "{text}");
        let json = format!(r#"{{"persistentState":"{text}"}}"#);
        assert!(serde_json::from_str::<MediaKeySystemConfiguration>(&json).is_err());
    }
    for text in ["required", "optional", "not-allowed"] {
        assert_eq!(text.parse::<MediaKeysRequirement>().unwrap().to_string(), text);
    }
}

#[test]
fn an_embedder_may_forbid_it() {
    let environment = Environment::builder().policy(|| false).build();
    // Before anything else is looked at.
    let refused = environment.request_media_key_system_access("", &[]);
    assert_eq!(refused.as_ref().unwrap_err(), &Error::Policy);
    assert_eq!(exception(refused), "SecurityError");
}

#[test]
fn an_access_has_its_name_its_configuration_and_media_keys() {
    let asked = configuration(false);
    let access =
        cdm::request_media_key_system_access(KEY_SYSTEM, std::slice::from_ref(&asked)).unwrap();
    assert_eq!(access.key_system(), KEY_SYSTEM);
    let mut copy = access.configuration();
    assert_eq!(copy.init_data_types, asked.init_data_types);
    assert_eq!(copy.video_capabilities, asked.video_capabilities);
    copy.label = "changed".to_owned();
    assert_eq!(access.configuration().label, "", "each copy is another");
    access.create_media_keys().unwrap();
    access.create_media_keys().unwrap();
}

#[test]
fn an_embedder_may_know_other_content_types() {
    let environment =
        Environment::builder().content_types(|kind, _| kind.container() == "video/fake").build();
    let mut asked = configuration(false);
    assert!(environment.request_media_key_system_access(KEY_SYSTEM, &[asked.clone()]).is_err());
    asked.video_capabilities[0].content_type = "video/fake".to_owned();
    let access = environment.request_media_key_system_access(KEY_SYSTEM, &[asked]).unwrap();
    assert_eq!(access.configuration().video_capabilities[0].content_type, "video/fake");
}

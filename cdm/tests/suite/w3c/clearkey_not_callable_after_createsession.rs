//! clearkey-not-callable-after-createsession: nothing works before generateRequest or load.

use cdm::{Error, MediaKeySession};

use crate::support::{LICENSE, exception, media_keys, temporary};

type Call = fn(&MediaKeySession) -> Result<(), Error>;

#[test]
fn update_close_and_remove_are_invalid() {
    let media_keys = media_keys();
    let calls: [Call; 3] = [
        |session| session.update(LICENSE.as_bytes()),
        |session| session.close(),
        |session| session.remove(),
    ];
    for call in calls {
        let session = temporary(&media_keys);
        assert_eq!(exception(call(&session)), "InvalidStateError");
        session.generate_request("keyids", crate::support::KEYIDS.as_bytes()).unwrap();
    }
}

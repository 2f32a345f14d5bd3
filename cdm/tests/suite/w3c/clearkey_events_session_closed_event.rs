//! clearkey-events-session-closed-event: `closed` tells why, as often as it is asked.

use cdm::CloseReason;

use crate::support::{media_keys, started, temporary};

#[test]
fn closed_by_the_application_and_it_says_so_twice() {
    let session = started(temporary(&media_keys()));
    assert_eq!(session.closed(), None);
    let closed = session.when_closed();
    assert_eq!(session.close(), Ok(()));
    for _ in 0..2 {
        assert_eq!(session.closed().map(CloseReason::as_str), Some("closed-by-application"));
        assert_eq!(closed.reason(), session.closed());
    }
}

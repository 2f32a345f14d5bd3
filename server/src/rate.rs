//! How often a client may ask.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    DefaultKeyedRateLimiter, Quota,
    clock::{Clock, DefaultClock},
};

use crate::refused::Refused;

/// So many requests a second for each client, and as many at once.
pub(crate) struct Rate {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
}

impl Rate {
    pub(crate) fn new(per_second: NonZeroU32) -> Self {
        Self { limiter: DefaultKeyedRateLimiter::dashmap(Quota::per_second(per_second)) }
    }

    /// Forgets clients that could ask as much as new ones.
    pub(crate) fn forget(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }

    /// The seconds to wait for, if the client has asked too often.
    fn check(&self, client: IpAddr) -> Result<(), u64> {
        self.limiter.check_key(&client).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            wait.as_secs() + 1
        })
    }
}

/// Refuses requests of clients that ask too often.
pub(crate) async fn limit(State(rate): State<Arc<Rate>>, request: Request, next: Next) -> Response {
    match rate.check(client(&request)) {
        Ok(()) => next.run(request).await,
        Err(seconds) => {
            let refused = Refused::new(StatusCode::TOO_MANY_REQUESTS, "too many requests");
            let after = [(header::RETRY_AFTER, HeaderValue::from(seconds))];
            (after, refused).into_response()
        }
    }
}

/// Who sends a request, by the address that its connection comes from. A client with IPv6 has as many
/// addresses as it likes in one network of 64 bits.
fn client(request: &Request) -> IpAddr {
    match peer(request).map(|peer| peer.ip().to_canonical()) {
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        Some(address) => address,
        None => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// The other end of the connection, where there is one.
pub(crate) fn peer(request: &Request) -> Option<SocketAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn each_client_has_its_own_account() {
        let rate = Rate::new(NonZeroU32::new(2).unwrap());
        let [one, other] = [1, 2].map(|last| IpAddr::from([10, 0, 0, last]));
        assert_eq!([(); 3].map(|()| rate.check(one)), [Ok(()), Ok(()), Err(1)]);
        assert_eq!(rate.check(other), Ok(()));
        rate.forget();
        assert_eq!(rate.check(one), Err(1));
    }

    #[test]
    fn a_client_is_an_address_or_a_network() {
        let client = |peer: &str| {
            let mut request = Request::new(Body::empty());
            let peer: SocketAddr = peer.parse().unwrap();
            request.extensions_mut().insert(ConnectInfo(peer));
            client(&request).to_string()
        };
        assert_eq!(client("10.1.2.3:4"), "10.1.2.3");
        assert_eq!(client("[::ffff:10.1.2.3]:4"), "10.1.2.3");
        assert_eq!(client("[2001:db8:1:2:3:4:5:6]:7"), "2001:db8:1:2::");
    }
}

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

use super::{Full, Peer, SeatLimits, Seats, network};

fn seats(total: usize, per_address: usize) -> Seats {
    let trusted = vec!["10.0.0.0/8".parse().unwrap()];
    Seats::new(&SeatLimits { total, per_address, trusted })
}

fn from(address: &str) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), 40_000)
}

fn forwarded(peer: &Peer, values: &[&str]) -> Result<Peer, Full> {
    let headers: HeaderMap =
        values.iter().map(|value| ("x-forwarded-for".parse().unwrap(), value.parse().unwrap())).collect();
    peer.clone().behind_proxies(&headers)
}

#[test]
fn a_seat_is_free_again_when_its_last_peer_is_gone() {
    let seats = seats(2, 2);
    let first = seats.take(from("192.0.2.1")).unwrap();
    let again = first.clone();
    let _second = seats.take(from("192.0.2.2")).unwrap();
    assert_eq!(seats.take(from("192.0.2.3")).unwrap_err(), Full::Total);
    drop(first);
    assert_eq!(seats.take(from("192.0.2.3")).unwrap_err(), Full::Total);
    drop(again);
    assert!(seats.take(from("192.0.2.3")).is_ok());
}

#[test]
fn an_address_has_its_own_limit() {
    let seats = seats(10, 2);
    let taken: Vec<_> = (0..2).map(|_| seats.take(from("192.0.2.1")).unwrap()).collect();
    assert_eq!(seats.take(from("192.0.2.1")).unwrap_err(), Full::Address);
    assert_eq!(seats.take(from("::ffff:192.0.2.1")).unwrap_err(), Full::Address, "the same address, mapped");
    assert!(seats.take(from("192.0.2.2")).is_ok());
    drop(taken);
    assert!(seats.take(from("192.0.2.1")).is_ok());
    assert!(seats.addresses.lock().is_empty(), "no entry outlives its connections");
}

#[test]
fn an_ipv6_network_counts_as_one() {
    let net = |text: &str| network(text.parse::<IpAddr>().unwrap());
    assert_eq!(net("2001:db8:1:2::1"), net("2001:db8:1:2:ffff::7"));
    assert_ne!(net("2001:db8:1:2::1"), net("2001:db8:1:3::1"));
    assert_eq!(net("::ffff:192.0.2.1"), net("192.0.2.1"));
}

#[test]
fn a_trusted_proxy_is_not_counted_but_its_clients_are() {
    let seats = seats(10, 1);
    let proxy: Vec<_> = (0..3).map(|_| seats.take(from("10.0.0.9")).unwrap()).collect();
    let client = forwarded(&proxy[0], &["198.51.100.7"]).unwrap();
    assert_eq!(client.client(), "198.51.100.7".parse::<IpAddr>().unwrap());
    assert_eq!(client.address().ip(), "10.0.0.9".parse::<IpAddr>().unwrap());
    assert_eq!(forwarded(&proxy[1], &["198.51.100.7"]).unwrap_err(), Full::Address);
    assert!(forwarded(&proxy[1], &["198.51.100.8"]).is_ok());
    drop(client);
    assert!(forwarded(&proxy[1], &["198.51.100.7"]).is_ok());
}

#[test]
fn only_the_last_untrusted_address_is_believed() {
    let seats = seats(10, 10);
    let proxy = seats.take(from("10.0.0.9")).unwrap();
    for (values, client) in [
        (vec!["203.0.113.1, 198.51.100.7"], "198.51.100.7"),
        (vec!["203.0.113.1, 198.51.100.7, 10.1.1.1"], "198.51.100.7"),
        (vec!["203.0.113.1", "198.51.100.7"], "198.51.100.7"),
        (vec!["198.51.100.7, garbage"], "10.0.0.9"),
        (vec!["10.1.1.1"], "10.0.0.9"),
        (vec![], "10.0.0.9"),
    ] {
        let peer = forwarded(&proxy, &values).unwrap();
        assert_eq!(peer.client(), client.parse::<IpAddr>().unwrap(), "{values:?}");
    }
    let stranger = seats.take(from("192.0.2.1")).unwrap();
    let peer = forwarded(&stranger, &["198.51.100.7"]).unwrap();
    assert_eq!(peer.client(), "192.0.2.1".parse::<IpAddr>().unwrap(), "a stranger's header moves nothing");
}

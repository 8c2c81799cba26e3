//! Room for connections: so many in all, so many from one address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::http::HeaderMap;
use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much room there is.
#[derive(Clone, Debug)]
pub(super) struct SeatLimits {
    pub(super) total: usize,
    pub(super) per_address: usize,
    /// Proxies: not counted themselves, believed about whom they speak for.
    pub(super) trusted: Vec<IpNet>,
}

/// Why there is no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// None at all.
    #[error("the hub has as many connections as it may have")]
    Total,
    /// None for this address.
    #[error("your address has as many connections as it may have")]
    Address,
}

impl Full {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Address => "address",
        }
    }
}

#[derive(Debug)]
pub(super) struct Seats {
    free: Arc<Semaphore>,
    addresses: Arc<Addresses>,
}

/// Who is at the other end of a connection. As long as a clone lives, the connection's seat is taken.
#[derive(Clone, Debug)]
pub struct Peer {
    address: SocketAddr,
    client: IpAddr,
    addresses: Arc<Addresses>,
    seat: Seat,
}

#[derive(Debug)]
struct Place {
    _permit: OwnedSemaphorePermit,
    _address: Option<AddressSeat>,
}

/// The seat of a connection, taken for as long as this lives.
#[derive(Clone, Debug)]
pub struct Seat {
    _place: Arc<Place>,
    _client: Option<Arc<AddressSeat>>,
}

/// Connections by address. At most as many entries as connections; an entry has about 40 B.
#[derive(Debug)]
struct Addresses {
    limit: usize,
    trusted: Vec<IpNet>,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

#[derive(Debug)]
struct AddressSeat {
    addresses: Arc<Addresses>,
    key: IpAddr,
}

impl Seats {
    pub(super) fn new(limits: &SeatLimits) -> Self {
        let addresses =
            Addresses { limit: limits.per_address, trusted: limits.trusted.clone(), taken: Mutex::default() };
        let total = limits.total.min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(total)), addresses: Arc::new(addresses) }
    }

    /// A seat for a connection from `address`.
    pub(super) fn take(&self, address: SocketAddr) -> Result<Peer, Full> {
        let permit = Arc::clone(&self.free).try_acquire_owned().map_err(|_| Full::Total)?;
        let client = address.ip().to_canonical();
        let address_seat = match self.addresses.trusts(client) {
            true => None,
            false => Some(self.addresses.take(client)?),
        };
        metrics::gauge!("presence_hub_seats_taken").increment(1);
        Ok(Peer {
            address,
            client,
            addresses: Arc::clone(&self.addresses),
            seat: Seat { _place: Arc::new(Place { _permit: permit, _address: address_seat }), _client: None },
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!("presence_hub_seats_taken").decrement(1);
    }
}

impl Peer {
    /// The other end of the TCP connection: the client, or a proxy.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The seat alone, where nobody asks any more who it is.
    #[must_use]
    pub fn into_seat(self) -> Seat {
        self.seat
    }

    /// The client, as far as it is known.
    #[must_use]
    pub fn client(&self) -> IpAddr {
        self.client
    }

    /// The client as a trusted proxy tells of it; without one, the other end of the connection.
    #[must_use]
    pub fn client_behind_proxies(&self, headers: &HeaderMap) -> IpAddr {
        let forwarded = self.addresses.trusts(self.client).then(|| self.addresses.forwarded(headers));
        forwarded.flatten().unwrap_or(self.client)
    }

    /// The peer as a trusted proxy tells of it, with a seat of the client's address; without a trusted proxy, the same
    /// peer: what others write into X-Forwarded-For moves nothing.
    ///
    /// # Errors
    /// [`Full::Address`] where the client has as many connections as it may have.
    pub fn behind_proxies(mut self, headers: &HeaderMap) -> Result<Self, Full> {
        if self.addresses.trusts(self.client)
            && let Some(client) = self.addresses.forwarded(headers)
        {
            self.seat._client = Some(Arc::new(self.addresses.take(client)?));
            self.client = client;
        }
        Ok(self)
    }
}

impl Addresses {
    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }

    /// The last address in X-Forwarded-For that is not a trusted proxy: each proxy appends whom it sees, so all before
    /// it is hearsay.
    fn forwarded(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let values = headers.get_all("x-forwarded-for").into_iter();
        let entries: Vec<&str> =
            values.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(',')).collect();
        for entry in entries.iter().rev() {
            let address = entry.trim().parse::<IpAddr>().ok()?.to_canonical();
            if !self.trusts(address) {
                return Some(address);
            }
        }
        None
    }

    fn take(self: &Arc<Self>, address: IpAddr) -> Result<AddressSeat, Full> {
        let key = network(address);
        let mut taken = self.lock();
        let count = taken.entry(key).or_insert(0);
        if *count >= self.limit {
            return Err(Full::Address);
        }
        *count += 1;
        Ok(AddressSeat { addresses: Arc::clone(self), key })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AddressSeat {
    fn drop(&mut self) {
        let mut taken = self.addresses.lock();
        let left = taken.get(&self.key).map_or(0, |count| count - 1);
        if left == 0 {
            taken.remove(&self.key);
        } else {
            taken.insert(self.key, left);
        }
    }
}

/// What one party has: an IPv4 address, or an IPv6 /64, of which anybody can use every address.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests;

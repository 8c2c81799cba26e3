//! What the generator's clients say, as bytes that are ready for the socket.

use std::{collections::BTreeMap, net::SocketAddr};

use model::{
    ActivityRequest, ActivityType, Device, Encoding, MetadataKey, MetadataValue, RequestId, ResumeRequest,
    Status, SubscribeRequest, SubscriptionId, TrackRequest,
};
use wire::{ActivityFrame, ClientFrame, Hello, Request, Subscribe, Token, TrackFrame, Unsubscribe};

use super::frame;
use crate::world::{Channel, channel_id};

/// Says things in one encoding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speech {
    encoding: Encoding,
    /// Characters of everybody's page, to make changes longer; 0: only who announces details has one.
    padding: usize,
}

/// What a change announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// How many changes this person has announced; 0: none yet.
    pub(crate) version: u32,
    /// With a page and a device, which not everybody may see.
    pub(crate) details: bool,
    /// Besides, as people do at a device: from page to page, typing now and then.
    pub(crate) at: Option<Device>,
}

impl Said {
    /// A change that is nothing but that.
    pub(crate) fn plain(version: u32, details: bool) -> Self {
        Self { version, details, at: None }
    }
}

impl Speech {
    pub(crate) fn new(encoding: Encoding, padding: usize) -> Self {
        Self { encoding, padding }
    }

    pub(crate) fn encoding(self) -> Encoding {
        self.encoding
    }

    /// The request that opens the WebSocket. Its key is the same for all: nothing is learned from it.
    pub(crate) fn upgrade(self, host: SocketAddr) -> Vec<u8> {
        let protocol = wire::subprotocol(self.encoding);
        format!(
            "GET /ws HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: {protocol}\r\n\r\n"
        )
        .into_bytes()
    }

    pub(crate) fn hello(self, token: &Token, resume: Option<ResumeRequest>, said: Option<Said>) -> Vec<u8> {
        let track = said.map(|said| self.words(said));
        self.message(&ClientFrame::Hello(Hello {
            token: Some(token.clone()),
            resume,
            track,
            ..Hello::default()
        }))
    }

    pub(crate) fn subscribe(self, id: u32, channel: Channel) -> Vec<u8> {
        let channels = vec![SubscribeRequest::of(channel_id(channel))];
        self.message(&ClientFrame::Subscribe(Subscribe { id: RequestId(id), channels }))
    }

    pub(crate) fn unsubscribe(self, id: u32, subscription: u32) -> Vec<u8> {
        let subscription = SubscriptionId(subscription);
        self.message(&ClientFrame::Unsubscribe(Unsubscribe { id: RequestId(id), subscription }))
    }

    pub(crate) fn track(self, id: u32, said: Said) -> Vec<u8> {
        self.message(&ClientFrame::Track(TrackFrame { id: RequestId(id), track: self.words(said) }))
    }

    pub(crate) fn untrack(self, id: u32) -> Vec<u8> {
        self.message(&ClientFrame::Untrack(Request { id: RequestId(id) }))
    }

    /// Something was done; `number` is found again in the log, under `count`.
    pub(crate) fn activity(self, id: u32, number: u32) -> Vec<u8> {
        const KINDS: [ActivityType; 3] =
            [ActivityType::PageView, ActivityType::Interaction, ActivityType::Focus];
        const PAGES: u32 = 20;
        let count = (MetadataKey::Count.name().to_owned(), MetadataValue::Number(number.into()));
        let activity = ActivityRequest {
            activity_type: KINDS[number as usize % KINDS.len()],
            page: Some(format!("/weddings/{}/guests", number % PAGES)),
            device: Some(Device::Mobile),
            session_id: None,
            organization_id: None,
            metadata: Some(BTreeMap::from([count])),
        };
        self.message(&ClientFrame::Activity(ActivityFrame { id: RequestId(id), activity }))
    }

    pub(crate) fn heartbeat(self) -> Vec<u8> {
        self.message(&ClientFrame::Heartbeat)
    }

    /// A pong with nothing in it.
    pub(crate) fn pong() -> Vec<u8> {
        let mut out = Vec::new();
        frame::put_masked(10, &[], &mut out);
        out
    }

    /// A state that differs from the one before it, whole.
    pub(crate) fn words(self, said: Said) -> TrackRequest {
        const STATUSES: [Status; 3] = [Status::Online, Status::Busy, Status::Away];
        /// One in so many changes is made while typing.
        const TYPES_EVERY: u32 = 3;
        let status = STATUSES[said.version as usize % STATUSES.len()];
        let types = said.at.is_some() && said.version.is_multiple_of(TYPES_EVERY);
        TrackRequest {
            current_page: self.page(said),
            is_typing: types.then_some(true),
            device: said.at.or(said.details.then_some(Device::Mobile)),
            custom_status: (said.version > 0).then(|| format!("{:x}", said.version)),
            ..TrackRequest::of(status)
        }
    }

    fn page(self, said: Said) -> Option<String> {
        const PAGES: [&str; 4] = ["timeline", "guests", "budget", "messages"];
        match (said.at, self.padding) {
            (Some(_), _) => Some(format!("/weddings/7/{}", PAGES[said.version as usize / 2 % PAGES.len()])),
            (None, 0) => said.details.then(|| "/weddings/7/timeline".to_owned()),
            (None, padding) => Some(format!("/{}", "x".repeat(padding))),
        }
    }

    fn message(self, frame: &ClientFrame) -> Vec<u8> {
        let opcode = match self.encoding {
            Encoding::Json => frame::TEXT,
            Encoding::MessagePack => frame::BINARY,
        };
        let payload = wire::encode_client(self.encoding, frame);
        let mut out = Vec::with_capacity(payload.len() + 8);
        frame::put_masked(opcode, &payload, &mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::scan;

    #[test]
    fn a_change_carries_its_number() {
        let speech = Speech::new(Encoding::Json, 0);
        let status = |version| speech.words(Said::plain(version, false)).custom_status;
        assert_eq!(scan::version(status(0x2a).unwrap().as_bytes()), Some(0x2a));
        assert_eq!(status(0), None);
    }

    #[test]
    fn at_a_device_people_go_from_page_to_page_and_type() {
        let speech = Speech::new(Encoding::Json, 0);
        let words = |version| speech.words(Said { at: Some(Device::Desktop), ..Said::plain(version, false) });
        assert_ne!(words(1).current_page, words(2).current_page);
        assert_eq!((words(3).is_typing, words(4).is_typing), (Some(true), None));
        assert_eq!(words(1).device, Some(Device::Desktop));
    }

    #[test]
    fn padding_is_a_long_page() {
        let page = |padding| Speech::new(Encoding::Json, padding).words(Said::plain(1, false)).current_page;
        assert_eq!(page(0), None);
        assert_eq!(page(400).map(|page| page.len()), Some(401));
    }

    #[test]
    fn a_change_differs_from_the_one_before() {
        let speech = Speech::new(Encoding::Json, 0);
        let words = |version| speech.words(Said::plain(version, true));
        assert!((0..9).all(|n| words(n) != words(n + 1) && words(n).status != words(n + 1).status));
    }

    #[test]
    fn an_activity_carries_its_number() {
        let bytes = Speech::new(Encoding::Json, 0).activity(7, 42);
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains(r#""metadata":{"count":42}"#), "{text}");
    }

    #[test]
    fn a_message_is_masked_with_nothing() {
        let bytes = Speech::new(Encoding::Json, 0).untrack(7);
        assert_eq!(bytes[..6], [0x81, 0x80 | (bytes.len() - 6) as u8, 0, 0, 0, 0]);
        assert_eq!(&bytes[6..], br#"{"t":"untrack","id":7}"#);
    }
}

//! What every route and every socket works with. Shared, and never changed after the start.

use std::{sync::Arc, time::Duration};

use hub::{Hub, Operations};
use persistence::{Store, TokenKey, jobs::Runner};
use tokio_util::task::TaskTracker;

use crate::{
    auth::{Authenticator, extension::ExtensionTokens},
    config::{Config, Console, Occupancy},
    rate::{UserLimits, guesses::Guesses},
    rest::{Exports, Reports},
    telemetry::Instruments,
    upgrade,
};

/// What every route and every socket works with.
pub(crate) struct App {
    pub(crate) hub: Hub,
    pub(crate) operations: Operations,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) jobs: Arc<Runner>,
    pub(crate) exports: Exports,
    pub(crate) analytics: Reports,
    pub(crate) authenticator: Authenticator,
    pub(crate) extension_tokens: ExtensionTokens,
    pub(crate) occupancy: Occupancy,
    pub(crate) user_limits: UserLimits,
    pub(crate) guesses: Guesses,
    pub(crate) upgrade_rules: upgrade::Rules,
    pub(crate) console: Console,
    pub(crate) instruments: Instruments,
    pub(crate) bounds: Bounds,
    /// The tasks of the sockets, so that a shutdown can wait for them.
    pub(crate) sockets: TaskTracker,
}

/// What one connection may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) hello_timeout: Duration,
    pub(crate) message_timeout: Duration,
    pub(crate) malformed_per_minute: u32,
    pub(crate) frames_per_second: u32,
    pub(crate) subscriptions: usize,
    pub(crate) heartbeat: Duration,
    pub(crate) heartbeat_timeout: Duration,
    pub(crate) expiry_warning: Duration,
    /// How long a client may take to read.
    pub(crate) stall: Duration,
}

impl App {
    /// An app on a running hub.
    #[must_use]
    pub(crate) fn new(
        config: &Config,
        (authenticator, token_key): (Authenticator, TokenKey),
        (hub, operations): (Hub, Operations),
        (store, jobs): (Arc<dyn Store>, Arc<Runner>),
        instruments: Instruments,
    ) -> Self {
        Self {
            hub,
            operations,
            store,
            jobs,
            exports: Exports::default(),
            analytics: Reports::new(config),
            authenticator,
            extension_tokens: ExtensionTokens::new(&token_key, config.occupancy.token_lasts()),
            occupancy: config.occupancy,
            user_limits: UserLimits::new(&config.limits),
            guesses: Guesses::new(&config.limits),
            upgrade_rules: upgrade::Rules::from(config),
            console: config.console.clone(),
            instruments,
            bounds: Bounds {
                hello_timeout: Duration::from_millis(config.listen.hello_timeout_ms),
                message_timeout: Duration::from_millis(config.listen.message_timeout_ms),
                malformed_per_minute: config.limits.malformed_frames_per_minute,
                frames_per_second: config.limits.frames_per_second,
                subscriptions: config.presence.subscriptions_per_session,
                heartbeat: Duration::from_millis(config.presence.heartbeat_ms),
                heartbeat_timeout: Duration::from_millis(config.presence.heartbeat_timeout_ms),
                expiry_warning: Duration::from_millis(config.presence.expiry_warning_ms),
                stall: Duration::from_millis(config.presence.stall_ms),
            },
            sockets: TaskTracker::new(),
        }
    }
}

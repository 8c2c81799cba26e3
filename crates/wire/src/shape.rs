//! The shapes on the wire of model types that have no serde of their own, and the reading of words that a later
//! version may add to.

use model::{CleanText, ClockOutReason, CloseCode, EndReason, ErrorCode, NotResumed};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, IntoDeserializer, value},
};

pub(crate) fn yes() -> bool {
    true
}

pub(crate) fn is_yes(value: &bool) -> bool {
    *value
}

/// Reads a word; `None` where this version does not know it.
fn known_word<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let word = String::deserialize(deserializer)?;
    let known: Result<T, value::Error> = T::deserialize(word.into_deserializer());
    Ok(known.ok())
}

/// An unknown code still says that the request was not done.
pub(crate) fn error_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ErrorCode, D::Error> {
    Ok(known_word(deserializer)?.unwrap_or(ErrorCode::Internal))
}

/// An unknown code: the number in the close frame says what to do.
pub(crate) fn close_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CloseCode, D::Error> {
    Ok(known_word(deserializer)?.unwrap_or(CloseCode::InternalError))
}

/// Whatever the reason, the view is gone.
pub(crate) fn end_reason<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EndReason, D::Error> {
    Ok(known_word(deserializer)?.unwrap_or(EndReason::UnknownChannel))
}

/// Whatever the reason, the hold is over.
pub(crate) fn clock_out_reason<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<ClockOutReason>, D::Error> {
    known_word(deserializer)
}

/// The highest number up to which every client reads every one.
const MOST_EXACT: u64 = 1 << 53;

pub(crate) fn epoch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let epoch = u64::deserialize(deserializer)?;
    if epoch > MOST_EXACT {
        return Err(D::Error::custom("an epoch is at most 2^53"));
    }
    Ok(epoch)
}

/// Whatever the reason, it starts anew.
fn not_resumed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NotResumed>, D::Error> {
    Ok(Some(known_word(deserializer)?.unwrap_or(NotResumed::UnknownSession)))
}

/// `{visibility, ..., customStatus: string|null}`: all fields, always.
pub(crate) mod settings {
    use model::{Settings, Visibility};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Shape<'a> {
        visibility: Visibility,
        show_activity: bool,
        show_current_page: bool,
        appear_offline: bool,
        custom_status: Option<std::borrow::Cow<'a, str>>,
        custom_emoji: Option<std::borrow::Cow<'a, str>>,
    }

    pub(crate) fn serialize<S: Serializer>(settings: &Settings, serializer: S) -> Result<S::Ok, S::Error> {
        Shape {
            visibility: settings.visibility,
            show_activity: settings.show_activity,
            show_current_page: settings.show_current_page,
            appear_offline: settings.appear_offline,
            custom_status: settings.custom_status.as_ref().map(|text| text.as_str().into()),
            custom_emoji: settings.custom_emoji.as_ref().map(|text| text.as_str().into()),
        }
        .serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Settings, D::Error> {
        let shape = Shape::deserialize(deserializer)?;
        Ok(Settings {
            visibility: shape.visibility,
            show_activity: shape.show_activity,
            show_current_page: shape.show_current_page,
            appear_offline: shape.appear_offline,
            custom_status: super::clean(shape.custom_status.as_deref()),
            custom_emoji: super::clean(shape.custom_emoji.as_deref()),
        })
    }
}

/// A text from the hub is clean already: cleaning it again changes nothing, and its length is the hub's matter.
fn clean(text: Option<&str>) -> Option<CleanText> {
    CleanText::parse(text?, "text", usize::MAX).ok().flatten()
}

/// `[{channel, subscription} | {channel, error}]`.
pub(crate) mod outcomes {
    use model::{ChannelId, ErrorCode, SubscribedChannel, SubscriptionId};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    #[derive(Serialize, Deserialize)]
    struct Shape {
        channel: ChannelId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subscription: Option<SubscriptionId>,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "some_code")]
        error: Option<ErrorCode>,
    }

    fn some_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ErrorCode>, D::Error> {
        super::error_code(deserializer).map(Some)
    }

    pub(crate) fn serialize<S: Serializer>(
        channels: &[SubscribedChannel],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(channels.iter().map(|one| Shape {
            channel: one.channel,
            subscription: one.outcome.ok(),
            error: one.outcome.err(),
        }))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<SubscribedChannel>, D::Error> {
        let shapes: Vec<Shape> = Deserialize::deserialize(deserializer)?;
        shapes.into_iter().map(|shape| shape.read().ok_or_else(|| D::Error::custom(NEITHER))).collect()
    }

    const NEITHER: &str = "a channel has a subscription or an error";

    impl Shape {
        fn read(self) -> Option<SubscribedChannel> {
            let outcome = match (self.subscription, self.error) {
                (Some(subscription), None) => Ok(subscription),
                (None, Some(code)) => Err(code),
                _ => return None,
            };
            Some(SubscribedChannel { channel: self.channel, outcome })
        }
    }
}

/// `{resumed: true, subscriptions: [...]} | {resumed: false, reason}`.
pub(crate) mod resume {
    use model::{NotResumed, ResumeOutcome, SubscriptionId};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Shape {
        resumed: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subscriptions: Option<Vec<One>>,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::not_resumed")]
        reason: Option<NotResumed>,
    }

    #[derive(Serialize, Deserialize)]
    struct One {
        subscription: SubscriptionId,
        resumed: bool,
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::not_resumed")]
        reason: Option<NotResumed>,
    }

    pub(crate) fn serialize<S: Serializer>(
        outcome: &Option<ResumeOutcome>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        outcome.as_ref().map(Shape::of).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<ResumeOutcome>, D::Error> {
        let shape: Option<Shape> = Deserialize::deserialize(deserializer)?;
        Ok(shape.map(Shape::read))
    }

    impl Shape {
        fn of(outcome: &ResumeOutcome) -> Self {
            match outcome {
                ResumeOutcome::Resumed(all) => {
                    let subscriptions =
                        all.iter().map(|(subscription, outcome)| One::of(*subscription, *outcome));
                    Self { resumed: true, subscriptions: Some(subscriptions.collect()), reason: None }
                }
                ResumeOutcome::NotResumed(reason) => {
                    Self { resumed: false, subscriptions: None, reason: Some(*reason) }
                }
            }
        }

        fn read(self) -> ResumeOutcome {
            if self.resumed {
                let all = self.subscriptions.unwrap_or_default();
                ResumeOutcome::Resumed(all.into_iter().map(One::read).collect())
            } else {
                ResumeOutcome::NotResumed(self.reason.unwrap_or(NotResumed::UnknownSession))
            }
        }
    }

    impl One {
        fn of(subscription: SubscriptionId, outcome: Result<(), NotResumed>) -> Self {
            Self { subscription, resumed: outcome.is_ok(), reason: outcome.err() }
        }

        fn read(self) -> (SubscriptionId, Result<(), NotResumed>) {
            let reason = self.reason.unwrap_or(NotResumed::UnknownSession);
            (self.subscription, if self.resumed { Ok(()) } else { Err(reason) })
        }
    }
}

//! The first look at a frame: `t` and `id`, whatever else is wrong with it.

use std::fmt;

use model::{Encoding, RequestId};
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{DecodeError, read};
use crate::scan::scan;

/// What every frame has: its kind, and if it is a request its id.
pub(super) struct Head {
    pub(super) kind: String,
    pub(super) re: Option<RequestId>,
}

impl Head {
    pub(super) fn of(encoding: Encoding, bytes: &[u8], nesting: usize) -> Result<Self, DecodeError> {
        scan(encoding, bytes, nesting)?;
        if encoding == Encoding::Json {
            std::str::from_utf8(bytes).map_err(|error| DecodeError::malformed(None, error))?;
        }
        let loose: LooseHead = read(encoding, bytes).map_err(|text| DecodeError::malformed(None, text))?;
        let re = loose.id.number();
        match loose.t {
            Loose::Text(kind) => Ok(Self { kind, re }),
            _ => Err(DecodeError::malformed(re, "`t`, the kind of frame, is missing or not a text")),
        }
    }
}

/// `t` and `id`, of whatever type they are; other fields are passed over.
#[derive(Default)]
struct LooseHead {
    t: Loose,
    id: Loose,
}

/// A value of which only numbers and texts matter.
#[derive(Default)]
enum Loose {
    #[default]
    Other,
    Number(u64),
    Text(String),
}

impl Loose {
    fn number(&self) -> Option<RequestId> {
        match self {
            Self::Number(number) => u32::try_from(*number).ok().map(RequestId),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for LooseHead {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeadVisitor)
    }
}

struct HeadVisitor;

impl<'de> Visitor<'de> for HeadVisitor {
    type Value = LooseHead;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a frame: a map with `t`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LooseHead, A::Error> {
        let (mut t, mut id) = (None, None);
        while let Some(key) = map.next_key::<Loose>()? {
            let Loose::Text(key) = key else { return Err(A::Error::custom("a field's name is not a text")) };
            let field = match key.as_str() {
                "t" => &mut t,
                "id" => &mut id,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if field.replace(map.next_value()?).is_some() {
                return Err(A::Error::custom(format_args!("duplicate field `{key}`")));
            }
        }
        Ok(LooseHead { t: t.unwrap_or_default(), id: id.unwrap_or_default() })
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

macro_rules! visit_other {
    ($($method:ident($($value:ident: $kind:ty)?)),+) => {$(
        fn $method<E: Error>(self $(, $value: $kind)?) -> Result<Loose, E> {
            Ok(Loose::Other)
        }
    )+};
}

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    visit_other! { visit_bool(_b: bool), visit_f64(_f: f64), visit_bytes(_b: &[u8]), visit_unit() }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Loose, E> {
        Ok(Loose::Number(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Loose, E> {
        Ok(u64::try_from(number).map_or(Loose::Other, Loose::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Loose, E> {
        Ok(Loose::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Loose, A::Error> {
        IgnoredAny.visit_seq(list).map(|_| Loose::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Loose, A::Error> {
        IgnoredAny.visit_map(map).map(|_| Loose::Other)
    }
}

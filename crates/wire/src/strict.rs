//! One schema, strictly. Left to itself, a derived decoder also takes a list for a struct, a number for the name
//! of a field, a map for a word, and bytes for a text: each encoding would then have dialects of its own that
//! nobody specified. [`Strict`] stands between any serde format and any type, and lets only this through:
//! a struct is a map with text keys, a word is a text, a text is a text.

use std::fmt;

use serde::{
    Deserialize,
    de::{
        DeserializeSeed, Deserializer, Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
        Visitor,
    },
};

/// What the type asked for, where serde formats would let more through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Any,
    Struct,
    Text,
}

/// Anything of serde's, made strict: a deserializer, a visitor, a map, a list, a seed.
pub(crate) struct Strict<T> {
    inner: T,
    shape: Shape,
    /// The field to pass over: the tag of the outermost map, which the caller has read already.
    tag: Option<&'static str>,
}

impl<T> Strict<T> {
    fn new(inner: T) -> Self {
        Self { inner, shape: Shape::Any, tag: None }
    }

    /// The outermost map of a frame, without its field `tag`.
    pub(crate) fn frame(inner: T, tag: &'static str) -> Self {
        Self { inner, shape: Shape::Any, tag: Some(tag) }
    }

    fn wrap<U>(&self, inner: U, shape: Shape) -> Strict<U> {
        Strict { inner, shape, tag: self.tag }
    }
}

macro_rules! forward_deserialize {
    ($shape:ident: $($method:ident($($arg:ident: $kind:ty),*))+) => {$(
        fn $method<V: Visitor<'de>>(self, $($arg: $kind,)* visitor: V) -> Result<V::Value, D::Error> {
            let visitor = self.wrap(visitor, Shape::$shape);
            self.inner.$method($($arg,)* visitor)
        }
    )+};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;

    forward_deserialize! { Any:
        deserialize_any() deserialize_bool() deserialize_char() deserialize_option() deserialize_unit()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64()
        deserialize_f32() deserialize_f64() deserialize_bytes() deserialize_byte_buf()
        deserialize_seq() deserialize_ignored_any() deserialize_map()
        deserialize_unit_struct(name: &'static str) deserialize_newtype_struct(name: &'static str)
        deserialize_tuple(len: usize) deserialize_tuple_struct(name: &'static str, len: usize)
    }

    forward_deserialize! { Text: deserialize_str() deserialize_string() deserialize_identifier() }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.wrap(visitor, Shape::Struct);
        self.inner.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_str(Word(visitor))
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! forward_visit {
    ($($method:ident: $kind:ty),+ $(,)?) => {$(
        fn $method<E: Error>(self, value: $kind) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )+};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Strict<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    forward_visit! {
        visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_char: char,
        visit_str: &str, visit_borrowed_str: &'de str, visit_string: String,
    }

    fn visit_bytes<E: Error>(self, value: &[u8]) -> Result<V::Value, E> {
        match self.shape {
            Shape::Text => Err(E::invalid_type(Unexpected::Bytes(value), &self)),
            _ => self.inner.visit_bytes(value),
        }
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Strict::new(deserializer))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Strict::new(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<V::Value, A::Error> {
        match self.shape {
            Shape::Struct => Err(A::Error::invalid_type(Unexpected::Seq, &self)),
            _ => self.inner.visit_seq(Strict::new(list)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let map = self.wrap(map, Shape::Any);
        self.inner.visit_map(map)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_element_seed(Strict::new(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        loop {
            let key = Strict::new(std::marker::PhantomData::<String>);
            match self.inner.next_key_seed(key)? {
                None => return Ok(None),
                Some(key) if self.tag == Some(key.as_str()) => drop(self.inner.next_value::<IgnoredAny>()?),
                Some(key) => return seed.deserialize(key.into_deserializer()).map(Some),
            }
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(Strict::new(seed))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Strict::new(deserializer))
    }
}

/// A value that is read strictly, whatever the format: for what comes by another way than in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strictly<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Strictly<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(Strict::new(deserializer)).map(Self)
    }
}

/// Reads an enum of words, as all enums in requests are.
struct Word<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Word<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<V::Value, E> {
        self.0.visit_enum(word.into_deserializer())
    }
}

#[cfg(test)]
mod tests;

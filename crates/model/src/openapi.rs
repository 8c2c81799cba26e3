//! Schemas of words whose JSON is written by hand, with their limits.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr, Schema,
        schema::{
            AdditionalProperties, Array, ArrayBuilder, KnownFormat, Object, ObjectBuilder, OneOfBuilder,
            SchemaFormat, SchemaType, Type,
        },
    },
};

use crate::{ChannelId, MetadataKey, Minute, limits, why::OWN};

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// A text of at most so many characters, or none.
fn text_of(chars: usize) -> ObjectBuilder {
    let text_or_null = SchemaType::from_iter([Type::String, Type::Null]);
    ObjectBuilder::new().schema_type(text_or_null).max_length(Some(chars))
}

/// A page of the platform.
#[must_use]
pub fn page() -> Object {
    let words = "A path such as `/weddings/7/timeline`; query and fragment are cut.";
    text_of(limits::PAGE_CHARS).description(Some(words)).into()
}

/// A custom status.
#[must_use]
pub fn custom_status() -> Object {
    text_of(limits::CUSTOM_STATUS_CHARS).examples(["on site until seven"]).into()
}

/// A custom emoji.
#[must_use]
pub fn custom_emoji() -> Object {
    text_of(limits::CUSTOM_EMOJI_CHARS).examples(["\u{1F4F7}"]).into()
}

/// The channels in which a session exists.
#[must_use]
pub fn scope() -> Array {
    let words = "The channels in which the session exists; left out: all of the user's.";
    let channels = ArrayBuilder::new().items(Ref::from_schema_name(ChannelId::name()));
    let channels = channels.schema_type(SchemaType::from_iter([Type::Array, Type::Null]));
    channels.max_items(Some(limits::SCOPE_CHANNELS)).description(Some(words)).into()
}

/// A name in the directory.
#[must_use]
pub fn name() -> Object {
    text().max_length(Some(limits::NAME_CHARS)).into()
}

fn whole_number() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(u64::MAX as usize))
}

/// What is said of an activity: listed keys, each with a text or a number.
#[must_use]
pub fn metadata() -> Object {
    let object = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Object, Type::Null]));
    let described = MetadataKey::ALL.iter().fold(object, |object, key| match key.is_number() {
        true => object.property(key.name(), whole_number()),
        false => object.property(key.name(), text().max_length(Some(limits::METADATA_CHARS))),
    });
    described.additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false))).into()
}

impl PartialSchema for ChannelId {
    fn schema() -> RefOr<Schema> {
        let uuid = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
        text()
            .pattern(Some(format!("^(wedding|organization|account):{uuid}$")))
            .description(Some("A channel: `wedding:<uuid>`, `organization:<uuid>` or `account:<uuid>`."))
            .examples(["wedding:7c9e6679-7425-40de-944b-e07fc1f90ae7"])
            .into()
    }
}

impl ToSchema for ChannelId {}

impl PartialSchema for Minute {
    fn schema() -> RefOr<Schema> {
        text()
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("A time cut to the minute, RFC 3339 in UTC."))
            .examples(["2026-06-13T17:42:00Z"])
            .into()
    }
}

impl ToSchema for Minute {}

/// A choice that is told, or the words that it is not.
pub(crate) fn choice<T: PartialSchema>() -> Schema {
    let own = text().enum_values(Some([OWN])).description(Some("Theirs alone to know."));
    OneOfBuilder::new().item(T::schema()).item(own).build().into()
}

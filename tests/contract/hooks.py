"""Half of the ids and days in requests are made ones that mean something: else every answer would be that there is
nothing. Which half, a value decides itself: a request is the same each time it is made."""

import os
import re
import zlib

import schemathesis

import world

# What a back-end writes and removes is its own, so that the others stay.
IS_BACK_END = os.environ["CONTRACT_CALLER"] == "back-end"
# An extension has one hold, and little else to ask about.
IS_EXTENSION = os.environ["CONTRACT_CALLER"] == "extension"
BY_NAME = {
    "organizationId": [world.ORGANIZATION],
    "organization": [world.ORGANIZATION],
    "accountId": [world.ACCOUNT],
    "account": [world.ACCOUNT],
    "wedding": [world.WEDDING],
    "code": [os.environ["CONTRACT_CODE"]],
    "epoch": [int(os.environ["CONTRACT_EPOCH"])],
    "from": ["2026-06-01"],
    "to": ["2026-06-30"],
    "timeZone": ["Europe/Berlin"],
    "name": ["archive", "dead-sessions", "erasures", "expire", "partitions", "rollups", "stale-presence"],
}
ID = re.compile(r"(?:(wedding|organization|account):)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
DAY = re.compile(r"\d{4}-\d\d-\d\d")
# What the hub takes out of a text before it counts its characters, and where it cuts a page. A text that is too long for
# its schema would not be for the hub: long texts are without.
UNCOUNTED = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff?#]|^\\s+|\\s+$"
)
SHORT = 10


def known(name, value):
    """Something that there is, for half of the values that may be one."""
    if IS_BACK_END:
        choices = BY_NAME["name"] if name == "name" else world.SCRATCH
    else:
        choices = BY_NAME.get(name, world.USERS)
    choice = zlib.crc32(repr(value).encode("utf-8", "replace"))
    return choices[choice // 2 % len(choices)] if choice % 2 or IS_EXTENSION else value


def meant(name, value):
    if isinstance(value, dict):
        return {key: meant(key, of) for key, of in value.items()}
    if isinstance(value, list):
        return [meant(name, of) for of in value]
    if isinstance(value, float) and value.is_integer():
        # The hub takes a whole number only as one is written, as its document says in words: a schema cannot.
        value = int(value)
    if name == "epoch" and type(value) is int and value >= 0:
        return BY_NAME["epoch"][0]
    if not isinstance(value, str):
        return value
    if found := ID.fullmatch(value):
        kind = found[1]
        return f"{kind}:{known(kind.lower(), value[-36:])}" if kind else known(name, value)
    if DAY.fullmatch(value) or name == "timeZone":
        return known(name, value)
    return UNCOUNTED.sub("x", value) if len(value) > SHORT else value


@schemathesis.hook
def map_body(context, body):
    return meant(None, body)


@schemathesis.hook
def map_query(context, query):
    query = meant(None, query)
    caller = os.environ.get("CONTRACT_ACTING_USER")
    parameters = [parameter.name for parameter in context.operation.query]
    if isinstance(query, dict) and "actingUser" in parameters:
        query.pop("actingUser", None)
        if caller:
            query["actingUser"] = caller
    return query


@schemathesis.hook
def map_path_parameters(context, parts):
    parts = meant(None, parts)
    if isinstance(parts, dict) and isinstance(parts.get("name"), str):
        parts["name"] = known("name", parts["name"])
    return parts

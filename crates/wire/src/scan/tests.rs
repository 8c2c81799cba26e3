use super::{ScanError, json, msgpack};

#[test]
fn json_brackets_in_texts_do_not_count() {
    assert_eq!(json(br#"{"a":"[[[[","b":"\"[[[[\\"}"#, 1), Ok(()));
    assert_eq!(json(br#"{"a":"\\","b":[]}"#, 1), Err(ScanError::TooDeep(1)));
}

#[test]
fn json_brackets_side_by_side_are_not_deep() {
    assert_eq!(json(b"[[],[],[[]]]", 3), Ok(()));
    assert_eq!(json(b"[[],[],[[]]]", 2), Err(ScanError::TooDeep(2)));
    assert_eq!(json(b"]]]][", 1), Ok(()), "what does not match is serde's to say");
}

#[test]
fn msgpack_nesting_is_counted_as_in_json() {
    let deep = [0x91, 0x91, 0x81, 0xa0, 0x90];
    assert_eq!(msgpack(&deep, 4), Ok(()));
    assert_eq!(msgpack(&deep, 3), Err(ScanError::TooDeep(3)));
    assert_eq!(msgpack(&[0x93, 0x90, 0x90, 0x80], 2), Ok(()));
}

/// Every marker with a value of its own, and the same value cut by one byte.
#[test]
fn msgpack_lengths_are_true_to_the_byte() {
    let values: &[&[u8]] = &[
        &[0x00],
        &[0xe0],
        &[0xc0],
        &[0xc2],
        &[0xc3],
        &[0xcc, 1],
        &[0xcd, 1, 2],
        &[0xce, 1, 2, 3, 4],
        &[0xcf, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0xd0, 1],
        &[0xd1, 1, 2],
        &[0xd2, 1, 2, 3, 4],
        &[0xd3, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0xca, 1, 2, 3, 4],
        &[0xcb, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0xa2, b'a', b'b'],
        &[0xd9, 1, b'a'],
        &[0xda, 0, 1, b'a'],
        &[0xdb, 0, 0, 0, 1, b'a'],
        &[0xc4, 1, 9],
        &[0xc5, 0, 1, 9],
        &[0xc6, 0, 0, 0, 1, 9],
        &[0x91, 1],
        &[0xdc, 0, 1, 1],
        &[0xdd, 0, 0, 0, 1, 1],
        &[0x81, 1, 2],
        &[0xde, 0, 1, 1, 2],
        &[0xdf, 0, 0, 0, 1, 1, 2],
    ];
    for value in values {
        assert_eq!(msgpack(value, 1), Ok(()), "{value:x?}");
        assert_eq!(msgpack(&value[..value.len() - 1], 1), Err(ScanError::Truncated), "{value:x?} cut");
        assert_eq!(
            msgpack(&[value, &[0xc0][..]].concat(), 1),
            Err(ScanError::Trailing),
            "{value:x?} and more"
        );
    }
}

#[test]
fn msgpack_extensions_and_the_reserved_byte_are_refused() {
    for marker in [0xc7, 0xc8, 0xc9, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8] {
        assert_eq!(msgpack(&[marker; 32], 1), Err(ScanError::Extension));
    }
    assert_eq!(msgpack(&[0xc1], 1), Err(ScanError::Reserved));
}

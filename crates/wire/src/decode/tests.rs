use model::{Encoding, ErrorCode, RequestError, RequestId};

use super::{DecodeErrorKind, decode_client, decode_server, discreet};

const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI2ZjFjIn0.c2lnbmF0dXJl";

#[test]
fn an_error_never_repeats_a_token_wherever_it_was_put() {
    for frame in [
        format!(r#"{{"t":"{TOKEN}"}}"#),
        format!(r#"{{"t":"hello","{TOKEN}":1}}"#),
        format!(r#"{{"t":"hello","resume":"{TOKEN}"}}"#),
        format!(r#"{{"t":"hello","track":{{"status":"{TOKEN}"}}}}"#),
        format!(r#"{{"t":"hello","token":["{TOKEN}"]}}"#),
        format!(r#"{{"t":"refresh","id":"{TOKEN}","token":"{TOKEN}"}}"#),
        format!(r#"{{"t":"refresh","id":1,"token":"{TOKEN}","{TOKEN}":1}}"#),
        format!(r#"{{"t":"setSettings","id":1,"settings":{{}},"opId":"{TOKEN}"}}"#),
    ] {
        let error = decode_client(Encoding::Json, frame.as_bytes()).unwrap_err();
        assert!(!error.to_string().contains("eyJ"), "{error}");
    }
}

#[test]
fn an_error_never_repeats_an_access_code_wherever_it_was_put() {
    // 100 bits in base 32: the shortest text that a code has.
    let code = "x7k2m9q4w8e5r3t6y1u0";
    for frame in [
        format!(r#"{{"t":"{code}"}}"#),
        format!(r#"{{"t":"hello","clockIn":"{code}"}}"#),
        format!(r#"{{"t":"hello","clockIn":{{"{code}":1}}}}"#),
        format!(r#"{{"t":"hello","clockIn":{{"code":"{code}","accountId":"{code}"}}}}"#),
        format!(r#"{{"t":"clockOut","id":1,"accountId":"{code}","epoch":1}}"#),
        format!(r#"{{"t":"clockOut","id":1,"epoch":"{code}"}}"#),
        format!(r#"{{"t":"renew","id":1,"code":"{code}"}}"#),
    ] {
        let error = decode_client(Encoding::Json, frame.as_bytes()).unwrap_err();
        assert!(!error.to_string().contains(&code[..8]), "{error}");
    }
}

#[test]
fn our_own_words_are_never_left_out() {
    let text = "a channel is wedding:<uuid>, organization:<uuid> or account:<uuid>";
    assert_eq!(discreet(text), text);
    let error =
        decode_client(Encoding::Json, br#"{"t":"track","id":1,"track":{"satus":"busy"}}"#).unwrap_err();
    assert!(error.message.contains("unknown field `satus`, expected one of `status`"), "{error}");
    assert!(error.message.contains("`customStatus`") && !error.message.contains('…'), "{error}");
}

#[test]
fn characters_that_disturb_a_terminal_are_not_repeated() {
    let frame = r#"{"t":"ping","id":1,"\u001b[31m\u202e":1}"#;
    let error = decode_client(Encoding::Json, frame.as_bytes()).unwrap_err();
    assert!(error.message.starts_with("unknown field … expected `id`"), "{error}");
}

#[test]
fn a_long_text_is_cut() {
    assert_eq!(discreet(&"word ".repeat(100)).chars().count(), 240);
}

#[test]
fn an_error_becomes_the_answer_to_its_request() {
    let error = decode_client(Encoding::Json, br#"{"id":12,"t":"dance"}"#).unwrap_err();
    assert_eq!((error.kind, error.re), (DecodeErrorKind::UnknownKind, Some(RequestId(12))));
    let answer = RequestError::from(error);
    assert_eq!((answer.code, answer.retry_after_ms), (ErrorCode::Malformed, None));
    assert_eq!(answer.message, "no frame to the hub has the kind `dance`");
}

#[test]
fn an_id_is_read_whatever_else_the_frame_holds() {
    let frame = br#"{"x":[true,1.5,-1,null,"a",{"b":2}],"t":"ping","id":3}"#;
    assert_eq!(decode_client(Encoding::Json, frame).unwrap_err().re, Some(RequestId(3)));
    for id in ["true", "1.5", "-1", "null", "\"3\"", "[3]", "{\"id\":3}", "4294967296"] {
        let frame = format!(r#"{{"t":"ping","id":{id}}}"#);
        assert_eq!(decode_client(Encoding::Json, frame.as_bytes()).unwrap_err().re, None, "{id}");
    }
    // MessagePack has other numbers: a small one may come as a signed one.
    assert!(decode_client(Encoding::MessagePack, b"\x82\xa1t\xa4ping\xa2id\xd0\x03").is_ok());
    assert_eq!(
        decode_client(Encoding::MessagePack, b"\x82\xa1t\xa4pong\xa2id\xd0\x03").unwrap_err().re,
        Some(RequestId(3))
    );
}

#[test]
fn text_that_is_not_utf8_is_malformed() {
    let frame = b"{\"t\":\"ping\",\"id\":1,\"x\":\"\xff\"}";
    assert_eq!(decode_client(Encoding::Json, frame).unwrap_err().kind, DecodeErrorKind::Malformed);
}

#[test]
fn a_frame_of_the_hub_that_makes_no_sense_is_an_error() {
    for frame in [
        r#"{"t":"ack"}"#,
        r#"{"t":"diff","sub":1}"#,
        r#"{"t":"diff","sub":1,"seq":1,"join":[{}]}"#,
        r#"{"t":"subscribed","re":1,"channels":[{"channel":"wedding:2a4c6e80-1b3d-4f5a-8c7e-9d0b1c2d3e04"}]}"#,
    ] {
        let error = decode_server(Encoding::Json, frame.as_bytes()).unwrap_err();
        assert_eq!((error.kind, error.re), (DecodeErrorKind::Malformed, None), "{frame}");
    }
}

#[test]
fn a_reason_that_a_later_version_adds_starts_anew() {
    let frame = format!(
        r#"{{"t":"welcome","user":"{0}","session":"{0}","resume":{{"resumed":true,"subscriptions":[
            {{"subscription":1,"resumed":false,"reason":"tea_time"}}]}},"heartbeatMs":1,"heartbeatTimeoutMs":1,
            "resumeMs":1,"limits":{{"messageBytes":1,"subscriptions":1}},"settings":{{"visibility":"team",
            "showActivity":true,"showCurrentPage":true,"appearOffline":false}}}}"#,
        "9fa1c3e5-7193-4fb0-82d4-536b7c8d9e0a"
    );
    let frame = decode_server(Encoding::Json, frame.as_bytes()).unwrap();
    let crate::ServerFrame::Welcome(welcome) = frame else { panic!("not a welcome") };
    let expected = (model::SubscriptionId(1), Err(model::NotResumed::UnknownSession));
    assert_eq!(welcome.resume, Some(model::ResumeOutcome::Resumed(vec![expected])));
}

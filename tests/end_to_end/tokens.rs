//! Tokens: where they may stand, which hold, and how a connection outlives one.

use client::{Handshake, SocketError, TokenIn};
use http::{HeaderValue, header};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use model::{Encoding, UserId};
use serde_json::{Value, json};
use uuid::Uuid;
use wire::{ClientFrame, Hello, Refresh, ServerFrame, Token};

use crate::fixture::{SERVICE_TOKEN, World, claims, expiring_at, in_time, seconds_from_now, sign, token};

#[tokio::test]
async fn a_token_may_come_in_three_ways_and_in_one_at_a_time() {
    let world = World::new().await;
    let user = world.finn;
    let ways = [None, Some(TokenIn::Header(token(user))), Some(TokenIn::Subprotocol(token(user)))];
    for encoding in Encoding::ALL {
        for way in ways.clone() {
            let mut handshake = Handshake::new(world.hub.socket_url(), encoding);
            let in_hello = way.is_none().then(|| token(user));
            if let Some(way) = way.clone() {
                handshake = handshake.token(way);
            }
            let mut socket = handshake.clone().open().await.unwrap();
            let welcome = socket.hello(Hello { token: in_hello, ..Hello::default() }).await.unwrap();
            assert_eq!(welcome.user, user);
            // Neither two, nor none.
            let mut socket = handshake.open().await.unwrap();
            let other = way.is_some().then(|| token(user));
            let refused = socket.hello(Hello { token: other, ..Hello::default() }).await;
            assert!(matches!(refused, Err(SocketError::Closed(closed)) if closed.code == Some(4300)));
        }
    }
}

#[tokio::test]
async fn a_handshake_that_is_not_right_gets_a_problem_document() {
    let world = World::new().await;
    let (plain, good) = (world.hub.socket_url(), token(world.finn));
    let handshake = |url: String| Handshake::new(url, Encoding::Json);
    let origin = |value: &'static str| (header::ORIGIN, HeaderValue::from_static(value));
    let with = |(name, value)| handshake(plain.clone()).header(name, value);
    let twice = (header::AUTHORIZATION, HeaderValue::try_from(format!("Bearer {}", good.reveal())).unwrap());
    let rows = [
        ("token in the URL", handshake(format!("{plain}?token={}", good.reveal())), 400, "malformed"),
        ("in another name", handshake(format!("{plain}?a=b&Access_Token=x")), 400, "malformed"),
        ("foreign origin", with(origin("https://evil.example")), 403, "foreign_origin"),
        ("origin null", with(origin("null")), 403, "foreign_origin"),
        (
            "token in header and subprotocol",
            with(twice).token(TokenIn::Subprotocol(good.clone())),
            400,
            "malformed",
        ),
        (
            "no bearer",
            with((header::AUTHORIZATION, HeaderValue::from_static("Basic eDp5"))),
            400,
            "malformed",
        ),
    ];
    for (name, handshake, status, code) in rows {
        match handshake.open().await {
            Err(SocketError::Refused(refusal)) => {
                assert_eq!(refusal.status, status, "{name}");
                let problem: Value = serde_json::from_str(&refusal.body).expect(name);
                assert_eq!(problem["code"], code, "{name}");
                assert!(!refusal.body.contains(good.reveal()), "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    let allowed = with(origin("https://app.example")).open().await;
    assert!(allowed.is_ok(), "{allowed:?}");
}

/// Tokens that do not hold, each with the code that the connection is closed with.
fn bad_tokens(user: UserId) -> Vec<(&'static str, Token, u16)> {
    let with = |name: &str, value: Value| {
        let mut claims = claims(user);
        claims[name] = value;
        sign(&claims)
    };
    let without = |name: &str| {
        let mut claims = claims(user);
        claims.as_object_mut().expect("claims").remove(name);
        sign(&claims)
    };
    let signed = |header: Header, secret: &str| {
        let key = EncodingKey::from_secret(secret.as_bytes());
        Token::new(encode(&header, &claims(user), &key).expect("a token"))
    };
    let good = token(user);
    let (signed_part, _) = good.reveal().rsplit_once('.').expect("three parts");
    let (_, payload) = signed_part.split_once('.').expect("three parts");
    let expired = with("exp", json!(seconds_from_now(-60)));
    vec![
        ("expired", expired, 4200),
        ("unsigned", Token::new(format!("{signed_part}.")), 4201),
        ("alg none", Token::new(format!("eyJhbGciOiJub25lIn0.{payload}.")), 4201),
        (
            "another secret",
            signed(Header::new(Algorithm::HS256), "another secret of at least 32 bytes"),
            4201,
        ),
        ("another algorithm", signed(Header::new(Algorithm::HS512), crate::fixture::SECRET), 4201),
        ("for another audience", with("aud", json!("anon")), 4201),
        ("for no audience", without("aud"), 4201),
        ("of an access code", with("type", json!("access_code")), 4201),
        ("of the service role", with("role", json!("service_role")), 4201),
        ("without an end", without("exp"), 4201),
        ("of nobody", without("sub"), 4201),
        ("of a name that is no id", with("sub", json!("finn")), 4201),
        ("not valid yet", with("nbf", json!(seconds_from_now(600))), 4201),
        ("the service token", Token::new(SERVICE_TOKEN), 4201),
        ("garbage", Token::new("garbage"), 4201),
        ("empty", Token::new(""), 4201),
        ("too long", Token::new("x".repeat(9_000)), 4201),
        ("of who is not in the directory", token(UserId(Uuid::new_v4())), 4301),
    ]
}

#[tokio::test]
async fn a_token_that_does_not_hold_closes_with_its_code() {
    let world = World::new().await;
    for encoding in Encoding::ALL {
        for (name, bad, code) in bad_tokens(world.finn) {
            match world.try_enter(encoding, bad).await {
                Err(SocketError::Closed(closed)) => assert_eq!(closed.code, Some(code), "{name}"),
                other => panic!("{name}: {:?}", other.map(drop)),
            }
        }
    }
}

#[tokio::test]
async fn a_connection_lives_as_long_as_its_token_or_the_next_one() {
    let world = World::new().await;
    let exp = seconds_from_now(3);
    let brief = |user| expiring_at(user, exp);
    let mut left = world.try_enter(Encoding::Json, brief(world.finn)).await.unwrap();
    let mut renewed = world.try_enter(Encoding::MessagePack, brief(world.vera)).await.unwrap();
    let warned =
        |frame: &ServerFrame| matches!(frame, ServerFrame::Expiring(expiring) if expiring.in_ms <= 3_000);
    for tab in [&mut left, &mut renewed] {
        tab.until("a warning", |tab| tab.heard.iter().any(warned)).await;
    }
    let refresh = |token| move |id| ClientFrame::Refresh(Refresh { id, token });
    let refused = renewed.ask(refresh(Token::new("garbage"))).await.unwrap_err();
    assert_eq!(refused.code, model::ErrorCode::Unauthorized);
    renewed.ask(refresh(token(world.vera))).await.unwrap();
    assert_eq!(left.end().await.code, Some(4200));
    // The token of both would have ended at the same instant.
    renewed.ping().await;
}

#[tokio::test]
async fn a_token_of_another_person_ends_the_connection() {
    let world = World::new().await;
    let mut finn = world.enter(world.finn).await;
    let token = token(world.vera);
    finn.send(|id| ClientFrame::Refresh(Refresh { id, token })).await;
    assert_eq!(finn.end().await.code, Some(4202));
}

#[tokio::test]
async fn the_subprotocol_decides_and_an_unknown_one_is_refused() {
    let world = World::new().await;
    let answer = |protocols: &'static str| {
        let request = world.http.get(world.hub.url("/ws")).header("Sec-WebSocket-Protocol", protocols);
        let request = request.header("Connection", "Upgrade").header("Upgrade", "websocket");
        let request = request.header("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==");
        async move {
            let answer = request.header("Sec-WebSocket-Version", "13").send();
            let answer = in_time("an answer", answer).await.unwrap();
            let header =
                |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            (answer.status().as_u16(), header("sec-websocket-protocol"))
        }
    };
    assert_eq!(answer("presence.v9.json").await, (400, None));
    assert_eq!(answer("").await, (400, None));
    let first = Some("presence.v1.msgpack".to_owned());
    assert_eq!(answer("other, presence.v1.msgpack, presence.v1.json, bearer.x").await, (101, first));
    let plain = in_time("an answer", world.http.get(world.hub.url("/ws")).send()).await.unwrap();
    assert_eq!(plain.status().as_u16(), 426);
}

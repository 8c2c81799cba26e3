use super::*;

#[derive(Default)]
struct Seen {
    shown: Vec<(Person, Shown)>,
    left: Vec<Person>,
    occupied: Vec<(Account, bool)>,
    freed: Vec<Account>,
}

impl Entries for Seen {
    fn shown(&mut self, person: Person, shown: Shown) {
        self.shown.push((person, shown));
    }

    fn left(&mut self, person: Person) {
        self.left.push(person);
    }

    fn occupied(&mut self, account: Account, bare: bool) {
        self.occupied.push((account, bare));
    }

    fn freed(&mut self, account: Account) {
        self.freed.push(account);
    }
}

const ALL: &str = r#"{"userId":"00000010-0000-0000-0000-000000000002","status":"busy","currentPage":"/weddings/7","customStatus":"1f","customEmoji":"x","isTyping":true,"device":"mobile"}"#;
const SOME: &str = r#"{"userId":"00000010-0000-0000-0000-000012345678","status":"idle","customStatus":"a0"}"#;
const BARE: &str = r#"{"userId":"00000010-0000-0000-0000-000000000001","status":"online"}"#;
const LEFT: &str = r#"{"userId":"00000010-0000-0000-0000-000000000009"}"#;

fn lists() -> String {
    format!(r#""join":[{BARE}],"update":[{ALL},{SOME}],"leave":[{LEFT}]"#)
}

fn diff() -> String {
    format!(r#"{{"t":"diff","sub":3,"seq":41,{}}}"#, lists())
}

fn read(payload: &[u8]) -> Option<(Envelope, Seen, bool)> {
    let (envelope, rest) = envelope(payload)?;
    let mut seen = Seen::default();
    let more = entries(rest, &mut seen)?;
    Some((envelope, seen, more))
}

#[test]
fn what_the_hub_writes_is_read() {
    let (envelope, seen, more) = read(diff().as_bytes()).unwrap();
    assert_eq!(envelope, Envelope { snapshot: false, subscription: 3, sequence: 41 });
    let all = Shown { version: 0x1f, page: true, activity: true };
    let some = Shown { version: 0xa0, ..Shown::default() };
    assert_eq!(seen.shown, [(1, Shown::default()), (2, all), (0x1234_5678, some)]);
    assert_eq!((seen.left, more), (vec![9], false));
}

#[test]
fn it_reads_the_same_as_the_decoder_of_the_protocol() {
    let frame = wire::decode_server(model::Encoding::Json, diff().as_bytes()).unwrap();
    let wire::ServerFrame::View(frame) = frame else { panic!("a view frame") };
    let (envelope, seen, _) = read(diff().as_bytes()).unwrap();
    assert_eq!((envelope.subscription, envelope.sequence), (frame.subscription.0, frame.sequence));
    assert_eq!(seen.shown.len(), frame.join.len() + frame.update.len());
    assert_eq!(seen.left.len(), frame.leave.len());
}

#[test]
fn accounts_are_read_and_what_is_said_beside_them_is_noticed() {
    let id = |number| crate::world::agency::account(number);
    let since = r#""since":"2026-11-21T08:00:00Z""#;
    let joins = [
        format!(r#"{{"accountId":"{}","holder":"occupied"}}"#, id(7)),
        format!(r#"{{"accountId":"{}","holder":"occupied",{since}}}"#, id(8)),
        format!(r#"{{"accountId":"{}","holder":"own",{since}}}"#, id(9)),
        BARE.to_owned(),
    ]
    .join(",");
    let leave = format!(r#"{{"accountId":"{}"}},{LEFT}"#, id(0xABC));
    let text = format!(r#"{{"t":"diff","sub":3,"seq":41,"join":[{joins}],"leave":[{leave}]}}"#);
    let (_, seen, _) = read(text.as_bytes()).unwrap();
    assert_eq!(seen.occupied, [(7, true), (8, false), (9, false)]);
    assert_eq!((seen.freed, seen.left, seen.shown.len()), (vec![0xABC], vec![9], 1));
}

#[test]
fn ids_begin_as_the_world_makes_them() {
    let entry = serde_json::json!({ "accountId": crate::world::agency::account(0xABC) }).to_string();
    assert!(entry.as_bytes().starts_with(ACCOUNT) && entry.ends_with("00000abc\"}"));
    let entry = serde_json::json!({ "userId": crate::world::user(0xABC) }).to_string();
    assert!(entry.as_bytes().starts_with(PERSON) && entry.ends_with("00000abc\"}"));
    assert_eq!((hex(b"0000beef"), hex(b"0000bEef"), hex(b"000/0000")), (Some(0xBEEF), None, None));
}

#[test]
fn a_snapshot_says_whether_more_comes() {
    for more in [true, false] {
        let text = format!(r#"{{"t":"snapshot","sub":3,"seq":1,{},"more":{more}}}"#, lists());
        let (envelope, _, read) = read(text.as_bytes()).unwrap();
        assert!(envelope.snapshot);
        assert_eq!(read, more);
    }
    let empty = r#"{"t":"snapshot","sub":3,"seq":1,"join":[],"more":false}"#;
    assert!(read(empty.as_bytes()).unwrap().1.shown.is_empty());
}

#[test]
fn every_cut_and_every_strange_text_is_unreadable() {
    let whole = diff();
    assert!((0..whole.len()).all(|cut| read(&whole.as_bytes()[..cut]).is_none()));
    for strange in [
        r#"{"t":"diff","sub":1,"seq":1,"update":[{"userId":"6f1c0c1e-0a3b-4c55-9d0e-3f7f5f6b1a01"}]}"#,
        r#"{"t":"diff","sub":1,"seq":1,"update":[{"userId":"00000010-0000-0000-0000-000000000001","new":1}]}"#,
        r#"{"t":"diff","sub":1,"seq":1,"later":[]}"#,
        r#"{"t":"diff","sub":1,"seq":1} "#,
        r#"{"t":"ack","re":1}"#,
    ] {
        assert!(read(strange.as_bytes()).is_none(), "{strange}");
    }
}

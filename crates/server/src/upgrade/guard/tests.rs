use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    time::{Duration, Instant, advance},
};

use super::{Frames, Guarded};

/// A masked frame.
fn frame(first: u8, length: usize) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..=125 => bytes.push(0x80 | length as u8),
        126..=0xFFFF => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(vec![0xAA; 4 + length]);
    bytes
}

const TEXT: u8 = 0x81;
const TEXT_BEGUN: u8 = 0x01;
const MORE: u8 = 0x00;
const LAST: u8 = 0x80;
const PING: u8 = 0x89;

#[tokio::test]
async fn a_message_is_under_way_from_its_first_byte_to_its_last() {
    for length in [0, 1, 125, 126, 200, 0xFFFF, 0x1_0000] {
        for step in [1, 2, 3, 7, 4096, usize::MAX] {
            let bytes = [frame(TEXT, length), frame(TEXT, length)].concat();
            let half = bytes.len() / 2;
            let mut frames = Frames::default();
            let mut passed = 0;
            for chunk in bytes.chunks(step.min(half)) {
                frames.pass(chunk, Instant::now());
                passed += chunk.len();
                assert_eq!(frames.since.is_none(), passed % half == 0, "{length} {step} {passed}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn fragments_and_pings_do_not_set_the_clock_back() {
    let mut frames = Frames::default();
    let begun = Instant::now();
    frames.pass(&frame(TEXT_BEGUN, 3), begun);
    for between in [frame(MORE, 0), frame(PING, 5), frame(MORE, 300), frame(PING, 0)] {
        advance(Duration::from_secs(1)).await;
        frames.pass(&between, Instant::now());
        assert_eq!(frames.since, Some(begun));
    }
    frames.pass(&frame(LAST, 0), Instant::now());
    assert_eq!(frames.since, None);
    frames.pass(&frame(PING, 5)[..3], Instant::now());
    assert_eq!(frames.since, Some(Instant::now()), "a ping that does not end is under way too");
}

#[tokio::test]
async fn a_length_that_cannot_be_does_no_harm() {
    let mut frames = Frames::default();
    frames.pass(&[TEXT, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4, 5], Instant::now());
    assert!(frames.since.is_some());
}

#[tokio::test]
async fn bytes_pass_unchanged() {
    let (mut far, near) = duplex(1024);
    let sent = [frame(TEXT, 10), frame(TEXT, 10)].concat();
    let (early, late) = sent.split_at(5);
    let mut near = Guarded::new(near, early);
    assert!(near.unfinished_since().is_some(), "what was read before counts");
    far.write_all(late).await.unwrap();
    let mut read = vec![0; late.len()];
    near.read_exact(&mut read).await.unwrap();
    assert_eq!(read, late);
    assert_eq!(near.unfinished_since(), None);

    near.write_all(b"answer").await.unwrap();
    near.flush().await.unwrap();
    near.shutdown().await.unwrap();
    let mut answer = String::new();
    far.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "answer");
    drop(far);
    assert_eq!(near.read(&mut [0; 8]).await.unwrap(), 0);
    assert!(format!("{:?}", near.stream()).contains("Duplex"));
}

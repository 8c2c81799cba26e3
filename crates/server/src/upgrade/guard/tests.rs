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
async fn bytes_pass_unchanged_first_frame_by_frame_and_then_as_they_come() {
    for length in [0, 10, 125, 126, 300] {
        let (mut far, near) = duplex(4096);
        let one = frame(TEXT, length);
        far.write_all(&one.repeat(4)).await.unwrap();
        let mut near = Guarded::exact(near);
        for _ in 0..2 {
            let mut read = Vec::new();
            while read.len() < one.len() {
                near.read_buf(&mut read).await.unwrap();
                assert_eq!(near.unfinished_since().is_none(), read.len() == one.len());
            }
            assert_eq!(read, one, "and nothing of what follows");
        }
        near.read_on();
        let mut rest = Vec::with_capacity(4096);
        near.read_buf(&mut rest).await.unwrap();
        assert_eq!(rest, one.repeat(2));
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
}

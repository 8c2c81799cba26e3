use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use model::{CloseCode, Encoding, limits};
use presence::Taken;

use super::{Event, Outbox};
use crate::{Farewell, Socket};

/// A socket with room for so many bytes.
#[derive(Default)]
struct Pipe(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    room: usize,
    got: Vec<u8>,
    broken: bool,
    writer: Option<Waker>,
}

impl Socket for Pipe {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut inner = self.0.lock().unwrap();
        if inner.broken {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let taken = inner.room.min(bytes.len());
        if taken == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        inner.room -= taken;
        inner.got.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn poll_writable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.0.lock().unwrap();
        if inner.room > 0 || inner.broken {
            return Poll::Ready(Ok(()));
        }
        inner.writer = Some(context.waker().clone());
        Poll::Pending
    }
}

/// The task of a connection, which counts how often it is woken.
#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

struct Stage {
    outbox: Outbox<Pipe>,
    task: Arc<Task>,
}

impl Stage {
    fn with_room(room: usize) -> Self {
        let stage = Self { outbox: Outbox::new(Pipe::default(), Encoding::Json), task: Arc::default() };
        stage.make_room(room);
        assert_eq!(stage.event(), None);
        stage
    }

    /// The peer reads.
    fn make_room(&self, room: usize) {
        let mut inner = self.outbox.socket.0.lock().unwrap();
        inner.room += room;
        inner.writer.take().into_iter().for_each(Waker::wake);
    }

    fn break_off(&self) {
        self.outbox.socket.0.lock().unwrap().broken = true;
    }

    fn polled<T>(&self, poll: impl FnOnce(&Outbox<Pipe>, &mut Context<'_>) -> Poll<T>) -> Option<T> {
        let waker = Waker::from(Arc::clone(&self.task));
        match poll(&self.outbox, &mut Context::from_waker(&waker)) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }

    fn event(&self) -> Option<Event> {
        self.polled(Outbox::poll_event)
    }

    fn control(&self, frames: &[u8]) -> bool {
        self.polled(|outbox, context| outbox.poll_control(frames, context)).is_some_and(|kept| kept.is_ok())
    }

    fn may_read(&self) -> bool {
        self.polled(Outbox::poll_room).is_some()
    }

    fn wakes(&self) -> usize {
        self.task.0.swap(0, Ordering::Relaxed)
    }

    fn got(&self) -> Vec<u8> {
        std::mem::take(&mut self.outbox.socket.0.lock().unwrap().got)
    }
}

#[test]
fn a_turn_that_the_kernel_takes_wakes_nobody_and_keeps_nothing() {
    let stage = Stage::with_room(8);
    assert_eq!(stage.outbox.send(b"one", 0), Taken::Whole);
    assert_eq!(stage.outbox.send(b"three", 0), Taken::Whole);
    assert_eq!((stage.got(), stage.wakes(), stage.outbox.pending()), (b"onethree".to_vec(), 0, 0));
    assert_eq!(stage.event(), None);
}

#[test]
fn what_it_does_not_take_is_written_by_the_task_and_told_once() {
    let stage = Stage::with_room(2);
    assert_eq!(stage.outbox.send(b"hello", 0), Taken::Partly);
    assert_eq!((stage.wakes(), stage.outbox.pending(), stage.event()), (1, 3, None));
    stage.make_room(1);
    assert_eq!((stage.wakes(), stage.event(), stage.outbox.pending()), (1, None, 2));
    stage.make_room(9);
    assert_eq!((stage.wakes(), stage.event(), stage.event()), (1, Some(Event::Flushed), None));
    assert_eq!(stage.got(), b"hello");
    assert_eq!(stage.outbox.lock().pending.capacity(), 0, "the memory is given back");
    assert_eq!(stage.outbox.send(b"next", 0), Taken::Whole);
    assert_eq!(stage.event(), None);
}

#[test]
fn a_turn_drained_for_another_reason_is_told_too() {
    let stage = Stage::with_room(0);
    assert_eq!(stage.outbox.send(b"turn", 0), Taken::Partly);
    stage.make_room(100);
    assert!(stage.may_read() && stage.control(b"pong"));
    assert_eq!((stage.event(), stage.event()), (Some(Event::Flushed), None));
    assert_eq!(stage.got(), b"turnpong");
}

#[test]
fn control_frames_alone_flush_nothing() {
    let stage = Stage::with_room(1);
    assert!(stage.control(b"pong"));
    stage.make_room(3);
    assert_eq!((stage.event(), stage.outbox.pending()), (None, 0));
}

/// The bytes of both ways in the order in which they came, however little the peer takes at a time.
#[test]
fn turns_and_control_frames_never_interleave() {
    for step in 1..=7 {
        let stage = Stage::with_room(step);
        let (mut sent, mut got, mut waits) = (Vec::new(), Vec::new(), false);
        for n in 0_u8..200 {
            if n % 3 == 0 && !waits {
                let turn = vec![n; 5];
                waits = stage.outbox.send(&turn, 0) == Taken::Partly;
                sent.extend(turn);
            }
            if n % 4 == 0 {
                let pong = vec![n; 3];
                assert!(stage.control(&pong));
                sent.extend(pong);
            }
            stage.make_room(step);
            waits &= stage.event().is_none();
            got.extend(stage.got());
        }
        stage.make_room(10_000);
        stage.event();
        got.extend(stage.got());
        assert_eq!(got, sent, "{step} bytes at a time");
    }
}

#[test]
fn a_stalled_reader_holds_one_turn_and_the_control_frames() {
    let stage = Stage::with_room(0);
    assert_eq!(stage.outbox.send(&[1; limits::TURN_BYTES], 0), Taken::Partly);
    let pong = [2; 128];
    let fit = limits::OUTBOX_CONTROL_BYTES / pong.len();
    for n in 1..=fit {
        assert!(stage.control(&pong), "pong {n}");
        assert_eq!(stage.may_read(), n * pong.len() <= limits::OUTBOX_CONTROL_BYTES / 2, "after pong {n}");
    }
    assert_eq!(stage.outbox.pending(), limits::OUTBOX_BYTES);
    assert!(!stage.control(&pong), "one more has to wait");
    assert_eq!(stage.outbox.pending(), limits::OUTBOX_BYTES);
    assert!(stage.outbox.lock().pending.capacity() <= limits::OUTBOX_BYTES);
    stage.make_room(usize::MAX / 2);
    assert_eq!(stage.event(), Some(Event::Flushed));
    assert!(stage.control(&pong) && stage.may_read());
}

#[test]
fn who_has_too_many_requests_open_is_read_again_after_an_answer() {
    let stage = Stage::with_room(100);
    for n in 0..limits::REQUESTS_IN_FLIGHT {
        assert!(stage.may_read(), "{n} in flight");
        stage.outbox.requested();
    }
    assert!(!stage.may_read());
    assert_eq!(stage.outbox.send(b"diff", 0), Taken::Whole);
    assert!(!stage.may_read());
    stage.wakes();
    assert_eq!(stage.outbox.send(b"ack", 1), Taken::Whole);
    assert_eq!((stage.wakes(), stage.may_read()), (1, true));
}

#[test]
fn a_farewell_does_not_wait_for_a_reader_and_the_last_words_come_last() {
    let stage = Stage::with_room(0);
    assert_eq!(stage.outbox.send(b"turn", 0), Taken::Partly);
    assert_eq!((stage.wakes(), stage.event()), (1, None));
    let farewell = Farewell::new(CloseCode::TooSlow, None);
    stage.outbox.close(farewell);
    assert_eq!((stage.wakes(), stage.event()), (1, Some(Event::Farewell(farewell))));
    stage.outbox.end();
    assert_eq!(stage.outbox.send(b"late", 0), Taken::Partly, "dropped");
    assert!(stage.control(b"closing"));
    let drained = || stage.polled(Outbox::poll_drained);
    assert!(drained().is_none());
    stage.make_room(100);
    assert!(drained().is_some_and(|drained| drained.is_ok()));
    assert_eq!(stage.got(), b"turnclosing");
}

#[test]
fn a_broken_socket_is_told_and_takes_nothing_more() {
    let stage = Stage::with_room(3);
    stage.break_off();
    assert_eq!(stage.outbox.send(b"turn", 0), Taken::Partly);
    assert_eq!((stage.wakes(), stage.event()), (1, Some(Event::Broken)));
    let pong = stage.polled(|outbox, context| outbox.poll_control(b"pong", context));
    assert_eq!(pong.unwrap().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    assert!(stage.polled(Outbox::poll_drained).unwrap().is_err());
    assert_eq!(stage.outbox.send(b"more", 0), Taken::Partly);
    assert!(stage.outbox.pending() <= 4);
}

#[test]
fn a_broken_socket_is_noticed_while_something_waits() {
    let stage = Stage::with_room(0);
    assert_eq!(stage.outbox.send(b"turn", 0), Taken::Partly);
    stage.break_off();
    assert_eq!(stage.event(), Some(Event::Broken));
    assert!(format!("{:?}", stage.outbox).contains("Json"));
}

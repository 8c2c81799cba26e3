use super::*;

fn of_two<A, B, F>(_: impl Fn(A, B) -> F) -> usize {
    size_of::<F>()
}

/// Tens of thousands of them wait for something to happen: a field here is megabytes there. With what the runtime adds,
/// such a task fits into 768 B, and a task has its room in steps of 128 B.
#[test]
fn the_task_of_a_silent_connection_is_small() {
    let (task, outbox) = (of_two(serve), size_of::<hub::Outbox<crate::upgrade::WriteSide>>());
    assert!(task <= 656 && outbox <= 128, "task {task} B, outbox {outbox} B");
}

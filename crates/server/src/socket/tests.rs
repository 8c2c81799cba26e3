use super::*;

fn of_two<A, B, F>(_: impl Fn(A, B) -> F) -> usize {
    size_of::<F>()
}

#[test]
fn the_task_of_a_silent_connection_is_small() {
    println!("serve {}", of_two(serve));
    println!("stream {}", size_of::<Stream>());
    println!("guarded {}", size_of::<crate::upgrade::Guarded<crate::upgrade::Line>>());
    println!("line {}", size_of::<crate::upgrade::Line>());
    println!("outbox {}", size_of::<hub::Outbox<crate::upgrade::WriteSide>>());
    println!("tcp {}", size_of::<tokio::net::TcpStream>());
    println!("pace {}", size_of::<Pace>());
    println!("requests {}", size_of::<Requests>());
    println!("track {}", size_of::<model::Track>());
    println!("link {}", size_of::<Link>());
    println!("upgraded {}", size_of::<Upgraded>());
    println!("pending {}", size_of::<Pending>());
    println!("peer {}", size_of::<crate::listener::Peer>());
    println!("input {}", size_of::<presence::Input>());
    println!("inbound {}", size_of::<Inbound>());
}

//! Database files that cannot be used: a clear message, a failing exit, and the file as it was.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Output, sync::Arc};

use serde_json::{Value, json};

use crate::fixture::{Launch, World};

/// A database that was in use, with people in it.
async fn used() -> Launch {
    let launch = Launch::new();
    let hub = Arc::new(launch.start());
    let world = World::on(hub.clone()).await;
    hub.terminate();
    assert!(hub.ended().await.success());
    drop(world);
    launch
}

fn refused(output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains(words), "{said}");
    assert!(said.contains("hub.db"), "the file by its name: {said}");
    assert!(!said.contains("panicked"), "{said}");
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_left_as_it_was() {
    type Damage = fn(Vec<u8>) -> Vec<u8>;
    let rows: [(&str, Damage, &str); 5] = [
        ("something else", |_| b"a shopping list, and not a database at all\n".repeat(50), "not an SQLite"),
        ("nothing in it", |_| Vec::new(), "empty"),
        (
            "cut off",
            |mut bytes| {
                bytes.truncate(bytes.len() / 2);
                bytes
            },
            "damaged",
        ),
        (
            "cut off in the header",
            |mut bytes| {
                bytes.truncate(60);
                bytes
            },
            "hub.db",
        ),
        (
            "overwritten in the middle",
            |mut bytes| {
                let middle = bytes.len() / 2;
                bytes[4_096..middle].fill(0xA5);
                bytes
            },
            "damaged",
        ),
    ];
    let launch = used().await;
    let path = launch.home().database();
    let good = fs::read(&path).unwrap();
    for (name, damage, words) in rows {
        let damaged = damage(good.clone());
        fs::write(&path, &damaged).unwrap();
        let output = launch.fail();
        refused(&output, words);
        assert_eq!(fs::read(&path).unwrap(), damaged, "{name}");
    }
    fs::write(&path, &good).unwrap();
    drop(launch.start());
}

#[tokio::test]
async fn a_read_only_file_is_refused() {
    let launch = used().await;
    let path = launch.home().database();
    let before = fs::read(&path).unwrap();
    set_mode(&path, 0o400);
    refused(&launch.fail(), "read-only");
    assert_eq!(fs::read(&path).unwrap(), before);
    set_mode(&path, 0o600);
    drop(launch.start());
}

#[tokio::test]
async fn a_directory_in_the_place_of_the_file_is_refused() {
    let launch = Launch::new();
    fs::create_dir(launch.home().database()).unwrap();
    refused(&launch.fail(), "is not a file");
    assert!(launch.home().database().is_dir());
}

#[tokio::test]
async fn a_second_hub_on_the_file_is_refused_and_the_first_goes_on() {
    let launch = Launch::new();
    let world = World::on(Arc::new(launch.start())).await;
    refused(&launch.fail(), "in use by another presence-hub");
    let mut finn = world.enter(world.finn).await;
    let status = Some("still here".to_owned());
    finn.set(model::SettingsPatch { custom_status: status, ..model::SettingsPatch::default() }).await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let world = World::new().await;
    let output = Launch::new().set("listen.port", world.hub.port()).fail();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(&world.hub.address), "{said}");
}

/// `directory import` and `token`, on a file at rest and through the hub that owns it.
#[tokio::test]
async fn the_commands_load_people_and_make_their_tokens() {
    let launch = Launch::new();
    let (home, mut people) = (launch.home().clone(), Vec::new());
    let document = |user: &str| {
        json!({ "users": [{ "id": user, "displayName": "Ada" }], "weddings": [], "organizations": [
            { "id": uuid::Uuid::new_v4(), "name": "Agency", "members": [{ "user": user, "role": "owner" }] }] })
    };
    let mut import = |home: &crate::fixture::Home, more: &[&str]| {
        let user = uuid::Uuid::new_v4().to_string();
        fs::write(home.path("people.json"), document(&user).to_string()).unwrap();
        let file = home.path("people.json");
        let words = [&["directory", "import", file.to_str().unwrap()], more].concat();
        let output = home.run(&words);
        people.push(user);
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (done, said) = import(&home, &[]);
    assert!(done && said.contains("into the database"), "{said}");
    let world = World::on(Arc::new(launch.start())).await;
    let (done, said) = import(&home, &["--port", world.hub.port()]);
    assert!(done && said.contains("through the running hub"), "{said}");
    for user in people {
        let output = home.run(&["token", "--user", &user, "--ttl", "60"]);
        let token = String::from_utf8(output.stdout).unwrap();
        let url = world.hub.url("/api/presence/settings");
        let answer: Value =
            world.http.get(url).bearer_auth(token.trim()).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["settings"]["visibility"], "contacts");
    }
    let words = ["token", "--user", "nobody"];
    assert!(!home.run(&words).status.success());
}

use super::*;

#[test]
fn the_addresses_are_in_the_greeting() {
    let address = address_in("presence-hub listens on ws://127.0.0.1:4000/ws").unwrap();
    assert_eq!(address.to_string(), "127.0.0.1:4000");
    let address = address_in("operations on http://127.0.0.1:4001/metrics, /livez, /readyz").unwrap();
    assert_eq!(address.to_string(), "127.0.0.1:4001");
    let error = address_in("something else").unwrap_err();
    assert!(error.to_string().contains("something else"), "{error}");
}

#[test]
fn options_win_over_what_a_loaded_hub_has() {
    let settings =
        [("presence.stall_ms".to_owned(), "7".to_owned()), ("log.level".to_owned(), "info".to_owned())];
    let options = HubOptions { settings: settings.into(), ..HubOptions::default() };
    let command = serve(Path::new("hub"), &PathBuf::from("hub.toml"), &options);
    let flags: Vec<_> = command.get_args().map(|flag| flag.to_string_lossy().into_owned()).collect();
    assert!(
        flags.contains(&"presence.stall_ms=7".to_owned()) && flags.contains(&"log.level=info".to_owned())
    );
    assert!(!flags.contains(&"log.level=error".to_owned()));
}

#[test]
fn a_binary_that_is_not_there_is_named() {
    let error = Hub::start(Path::new("/nonexistent/hub"), &HubOptions::default()).err().unwrap();
    assert!(format!("{error:#}").contains("/nonexistent/hub"), "{error:#}");
}

//! Settings: arguments of `loadmodule`, `sh.*` in redis.conf, and CONFIG.

use testkit::*;

/// The value of a setting, as CONFIG GET answers it.
fn setting(client: &mut Client, name: &str) -> String {
    client.list(&["CONFIG", "GET", &format!("sh.{name}")]).remove(1)
}

/// Whether a new session lives at most a minute, as these tests have it.
fn ends_within_a_minute(client: &mut Client) -> bool {
    let token = client.new_session(&["alice"]);
    (1..=60_000).contains(&client.int(&["SH.TOUCH", &token]))
}

#[test]
fn a_setting_is_an_argument_of_loadmodule_with_or_without_its_prefix() {
    for argument in ["max-lifetime", "sh.max-lifetime"] {
        let server = Server::with(&[argument, "60"]);
        let mut client = server.client();
        assert_eq!(setting(&mut client, "max-lifetime"), "60");
        assert!(ends_within_a_minute(&mut client));
    }
}

#[test]
fn a_setting_in_the_configuration_file_overrides_an_argument() {
    let server = Server::configured("sh.max-lifetime 60");
    let mut client = server.client();
    assert_eq!(setting(&mut client, "max-lifetime"), "60");
    assert!(ends_within_a_minute(&mut client));
    let both = Server::with(&["max-lifetime", "70", "max-sessions", "7", "--sh.max-lifetime", "60"]);
    assert_eq!(setting(&mut both.client(), "max-lifetime"), "60");
    assert_eq!(setting(&mut both.client(), "max-sessions"), "7");
}

#[test]
fn every_setting_can_be_read_and_set_to_the_value_it_has() {
    let server = Server::start();
    let mut client = server.client();
    let all = client.list(&["CONFIG", "GET", "sh.*"]);
    assert_eq!(all.len(), 2 * 19, "{all:?}");
    for pair in all.chunks(2) {
        client.ok(&["CONFIG", "SET", &pair[0], &pair[1]]);
    }
    assert_eq!(client.list(&["CONFIG", "GET", "sh.*"]).len(), all.len());
    for pair in all.chunks(2) {
        assert_eq!(client.list(&["CONFIG", "GET", &pair[0]])[1], pair[1]);
    }
}

#[test]
fn a_setting_changes_at_once_and_after_config_rewrite_survives_a_restart() {
    let server = Server::configured("sh.issuer before");
    let mut client = server.client();
    assert_eq!(client.text(&["CONFIG", "SET", "sh.max-lifetime", "60", "sh.refresh-grace", "0"]), "OK");
    assert!(ends_within_a_minute(&mut client));
    client.ok(&["CONFIG", "SET", "sh.issuer", ""]);
    client.ok(&["CONFIG", "REWRITE"]);
    let server = server.crash_and_restart();
    let mut client = server.client();
    assert_eq!(setting(&mut client, "max-lifetime"), "60");
    assert_eq!(setting(&mut client, "refresh-grace"), "0");
    assert_eq!(setting(&mut client, "issuer"), "");
    assert_eq!(setting(&mut client, "access-validity"), "3600");
    assert!(ends_within_a_minute(&mut client));
}

#[test]
fn an_unknown_argument_is_refused_with_the_known_ones() {
    let log = Server::refused(&["max-lifetimes", "60"]);
    let reason = log.lines().find(|line| line.contains("max-lifetimes")).expect("a reason");
    for known in ["max-lifetime,", "secret-file", "max-sessions", "refresh-path", "cookie-same-site"] {
        assert!(reason.contains(known), "{known}: {reason}");
    }
}

#[test]
fn an_argument_without_a_value_or_given_twice_is_refused() {
    assert!(Server::refused(&["max-lifetime"]).contains("'max-lifetime' has no value"));
    assert!(Server::refused(&["max-lifetime", "1", "sh.max-lifetime", "1"]).contains("'max-lifetime' is given twice"));
}

#[test]
fn an_unknown_setting_in_the_configuration_is_refused() {
    let log = Server::refused(&["--sh.max-lifetimes", "60"]);
    assert!(log.contains("Module Configuration detected without loadmodule"), "in the server's own words: {log}");
}

/// Settings, each with a value that is refused and what is said of it.
const WRONG: [(&str, &str, &str); 8] = [
    ("max-lifetime", "-1", "must be a number of seconds from 0 to 4294967295"),
    ("max-lifetime", "1h", "must be a number of seconds"),
    ("max-sessions", "1001", "must be a number from 0 to 1000"),
    ("refresh-grace", "3601", "must be a number of seconds from 0 to 3600"),
    ("key-rotation", "3599", "must be a number of seconds from 3600"),
    ("anti-csrf", "maybe", "must be one of 'yes', 'no'"),
    ("secret-file", "/nonexistent/secret", "/nonexistent/secret cannot be read"),
    ("access-path", "session", "must begin with '/'"),
];

#[test]
fn a_value_out_of_range_is_refused_at_load_with_the_reason() {
    for (name, value, reason) in WRONG {
        for option in [name.to_owned(), format!("--sh.{name}")] {
            let log = Server::refused(&[&option, value]);
            assert!(log.contains(&format!("sh.{name} {reason}")), "{option} {value}: {log}");
        }
    }
}

#[test]
fn a_value_out_of_range_is_refused_by_config_set_with_the_reason_and_the_old_one_stays() {
    let server = Server::with(&["max-lifetime", "60"]);
    let mut client = server.client();
    for (name, value, reason) in WRONG {
        let before = setting(&mut client, name);
        let error = client.call(&["CONFIG", "SET", &format!("sh.{name}"), value]).expect_err("refused");
        assert!(error.contains(&format!("sh.{name} {reason}")), "{error}");
        assert_eq!(setting(&mut client, name), before);
    }
    assert!(ends_within_a_minute(&mut client), "and is in force");
}

#[test]
fn several_settings_in_one_command_change_together_or_not_at_all() {
    let server = Server::with(&["max-lifetime", "60"]);
    let mut client = server.client();
    client.call(&["CONFIG", "SET", "sh.max-lifetime", "600", "sh.refresh-grace", "3601"]).expect_err("refused");
    assert_eq!(setting(&mut client, "max-lifetime"), "60");
    assert!(ends_within_a_minute(&mut client));
    // Each alone would contradict what is in force.
    client.ok(&["CONFIG", "SET", "sh.access-validity", "700000", "sh.key-rotation", "800000"]);
    client.ok(&["CONFIG", "SET", "sh.key-rotation", "3600", "sh.access-validity", "60"]);
}

#[test]
fn settings_that_contradict_each_other_are_refused_with_the_reason_and_the_old_ones_stay() {
    let reason = "sh.key-rotation must be at least sh.access-validity";
    assert!(Server::refused(&["access-validity", "604801"]).contains(reason));
    assert!(Server::refused(&["--sh.access-validity", "604801"]).contains(reason));
    let server = Server::start();
    let mut client = server.client();
    let error = client.call(&["CONFIG", "SET", "sh.access-validity", "604801"]).expect_err("refused");
    assert!(error.contains(reason), "{error}");
    assert_eq!(setting(&mut client, "access-validity"), "3600");
    client.ok(&["CONFIG", "SET", "sh.max-lifetime", "60"]);
    assert!(ends_within_a_minute(&mut client), "what was refused is in nobody's way");
    let none = ["CONFIG", "SET", "sh.cookie-same-site", "none", "sh.cookie-secure", "no"];
    client.call(&none).expect_err("browsers reject it");
    assert_eq!(setting(&mut client, "cookie-same-site"), "lax");
}

#[test]
fn after_a_refused_load_the_module_can_be_loaded() {
    let server = Server::bare(&["--enable-module-command", "yes"]);
    let mut client = server.client();
    let path = module().to_str().expect("a UTF-8 path");
    client.call(&["MODULE", "LOAD", path, "max-lifetime", "60", "max-lifetimes", "60"]).expect_err("refused");
    assert!(server.log().contains("unknown argument 'max-lifetimes'"));
    assert_eq!(client.status(&["SH.NEW", "alice"]), "ERR");
    client.ok(&["MODULE", "LOAD", path]);
    assert_eq!(setting(&mut client, "max-lifetime"), "0");
    assert!(!ends_within_a_minute(&mut client));
}

/// One counter of INFO sh.
fn counter(client: &mut Client, name: &str) -> u64 {
    client.info("sh", &format!("sh_{name}")).parse().unwrap_or_else(|_| panic!("no counter {name}"))
}

#[test]
fn info_counts_new_ended_touched_spared_and_refused() {
    let server = Server::start();
    let mut client = server.client();
    let touched = client.new_session(&["alice", "IDLE", "600"]);
    let listed: Vec<String> = (0..3).map(|_| client.new_session(&["bob", "LISTED"])).collect();
    client.ok(&["SH.TOUCH", &touched]);
    client.ok(&["SH.SET", &touched, "a", "1"]);
    client.ok(&["PEXPIRE", &touched, "60000"]);
    client.ok(&["SH.TOUCH", &touched]);
    client.ok(&["SH.END", &listed[0], &listed[0]]);
    client.ok(&["SH.ENDALL", "bob"]);
    client.ok(&["SH.NEW", "carol", "LIMIT", "1"]);
    client.ok(&["SH.NEW", "carol", "LIMIT", "1"]);
    client.status(&["SH.GET", &listed[0]]);
    client.status(&["SH.GET", "nonsense"]);
    client.status(&["SH.OPEN", "nobody"]);
    for (name, expected) in [
        ("created", 6),
        ("ended", 4),
        ("touches_spared", 2),
        ("touches_written", 1),
        ("refused_sessionnotexist", 1),
        ("refused_sessiontokeninvalid", 1),
        ("refused_sessionopenfail", 1),
        ("refused_valuemissing", 0),
    ] {
        assert_eq!(counter(&mut client, name), expected, "{name}");
    }
}

//! Cookies.

use super::*;

#[test]
fn clearing_deletes_every_cookie_by_its_name_and_path() {
    let mut store = store();
    store.settings.policy.cookies.prefix = sessions_core::credentials::cookies::Prefix::Host;
    let cookie = |value: &Value| {
        let text = value.as_str().expect("a cookie");
        let name = text.split('=').next().expect("a name").to_owned();
        let path = text.split("; ").find(|part| part.starts_with("Path=")).expect("a path").to_owned();
        (name, path)
    };
    let mut set = Vec::new();
    for kind in ["TOKENS", "COOKIE"] {
        let reply = call(&mut store, &["SH.NEW", "alice", kind]).expect("a session");
        set.extend(reply["setCookie"].as_array().expect("cookies").iter().map(cookie));
    }
    let reply = call(&mut store, &["SH.CLEARCOOKIES"]).expect("cookies");
    let cleared = reply["setCookie"].as_array().expect("cookies");
    assert_eq!(cleared.iter().map(cookie).collect::<Vec<_>>(), set);
    for text in cleared.iter().filter_map(Value::as_str) {
        assert!(text.contains("=; Max-Age=0; "), "{text}");
    }
    assert_eq!(reply["headers"]["id-refresh-token"], "remove");
}

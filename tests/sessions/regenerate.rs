//! SH.REGENERATE.

use testkit::jar::*;
use testkit::*;

#[test]
fn regenerating_changes_the_payload_and_prolongs_nothing() {
    let server = Server::start();
    let mut client = server.client();
    let jar = Jar::tokens(&mut client);
    for mut client in [server.client(), server.client3()] {
        let reply = client.ok(&["SH.REGENERATE", &jar.tkn, &jar.access, r#"{"role":"admin"}"#]);
        let mut names = members(&reply);
        names.sort();
        assert_eq!(names, ["accessToken", "antiCsrfToken", "headers", "session", "setCookie"]);
        let access = text(&member(&member(&reply, "accessToken"), "token"));
        let (old, new) = (claims(&jar.access), claims(&access));
        assert_eq!(new["role"], "admin");
        for same in ["sub", "sid", "gen", "exp", "csrf"] {
            assert_eq!(new[same], old[same], "{same}");
        }
        assert_eq!(list(&member(&reply, "setCookie")).len(), 1);
        assert_eq!(Jar { access, ..jar.clone() }.check(&mut client), Ok(()));
    }
    assert_eq!(client.text(&["SH.PAYLOAD", &jar.tkn]), r#"{"role":"admin"}"#, "it is stored");
}

#[test]
fn each_failure_has_its_status_and_writes_nothing() {
    let server = Server::start();
    let mut client = server.client();
    let (jar, other) = (Jar::tokens(&mut client), Jar::tokens(&mut client));
    for (tkn, access) in [("garbage", jar.access.as_str()), (&jar.tkn, ""), (&jar.tkn, &other.access)] {
        assert_eq!(client.status(&["SH.REGENERATE", tkn, access, r#"{"a":1}"#]), "TRYREFRESHTOKEN");
    }
    client.ok(&["CONFIG", "SET", "sh.refresh-grace", "0"]);
    let next = jar.refresh(&mut client).refresh(&mut client);
    assert_eq!(client.status(&["SH.REGENERATE", &jar.tkn, &jar.access, r#"{"a":1}"#]), "TRYREFRESHTOKEN");
    assert_eq!(client.text(&["SH.PAYLOAD", &jar.tkn]), "{}");
    client.int(&["SH.END", &jar.tkn]);
    assert_eq!(client.status(&["SH.REGENERATE", &next.tkn, &next.access]), "UNAUTHORISED");
}

#[test]
fn when_memory_is_full_no_payload_is_stored() {
    let server = Server::start();
    let mut client = server.client();
    let jar = Jar::tokens(&mut client);
    client.ok(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_eq!(client.status(&["SH.REGENERATE", &jar.tkn, &jar.access, r#"{"a":1}"#]), "OOM");
    client.ok(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(client.text(&["SH.PAYLOAD", &jar.tkn]), "{}");
}

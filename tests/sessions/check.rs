//! SH.CHECK.

use testkit::jar::*;
use testkit::*;

#[test]
fn an_ended_session_is_over_at_once() {
    let server = Server::start();
    let mut client = server.client();
    let jar = Jar::tokens(&mut client);
    assert_eq!(jar.check(&mut client), Ok(()));
    client.int(&["SH.END", &jar.tkn]);
    assert_eq!(jar.check(&mut client), Err("UNAUTHORISED".to_owned()));
    assert_eq!(jar.verify(&mut client), Ok(()), "which SH.VERIFY does not look at");
}

#[test]
fn each_failure_has_its_status() {
    let server = Server::start();
    let mut client = server.client();
    let (jar, other) = (Jar::tokens(&mut client), Jar::tokens(&mut client));
    for (arguments, status) in [
        (&["garbage", "garbage"][..], "TRYREFRESHTOKEN"),
        (&[&jar.tkn, "garbage"], "TRYREFRESHTOKEN"),
        (&[&jar.tkn, &other.access], "TRYREFRESHTOKEN"),
        (&[&jar.tkn, &jar.sealed], "TRYREFRESHTOKEN"),
        (&[&jar.tkn, &jar.access, "CSRF", ""], "TRYREFRESHTOKEN"),
        (&[&jar.tkn, &jar.access, "CSRF", &other.csrf], "TRYREFRESHTOKEN"),
        (&[&jar.tkn, &jar.access, "CSRF"], "VALUEMISSING"),
        (&[&jar.tkn, &jar.access, "NOGRACE"], "COMMANDSYNTAX"),
        (&[&jar.tkn], "VALUEMISSING"),
    ] {
        assert_eq!(client.status(&[&["SH.CHECK"], arguments].concat()), status, "{arguments:?}");
    }
    client.ok(&["CONFIG", "SET", "sh.refresh-grace", "0"]);
    let next = jar.refresh(&mut client).refresh(&mut client);
    assert_eq!(jar.check(&mut client), Err("TRYREFRESHTOKEN".to_owned()), "rotated out");
    assert_eq!(next.check(&mut client), Ok(()));
}

#[test]
fn a_replica_that_lags_logs_nobody_out() {
    let primary = Server::start();
    let mut client = primary.client();
    let old = Jar::tokens(&mut client);
    let replica = primary.replica(&[]);
    let mut lagging = replica.client();
    // The replica goes on asking a primary that is not there.
    lagging.ok(&["REPLICAOF", "127.0.0.1", "1"]);
    let new = Jar::tokens(&mut client);
    assert_eq!(new.check(&mut lagging), Err("TRYREFRESHTOKEN".to_owned()), "not UNAUTHORISED");
    assert_eq!(old.refresh(&mut client).refresh(&mut client).check(&mut lagging), Ok(()));
}

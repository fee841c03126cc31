//! Sessions bound to a device or a key.

use super::*;

#[test]
fn a_bound_session_needs_what_it_is_bound_to_and_never_reports_theft_for_the_lack_of_it() {
    for kind in ["TOKENS", "COOKIE"] {
        let mut store = store();
        let first = sign_in(&mut store, &[kind, "BIND", "device"]);
        let second = refresh(&mut store, &first, &["BIND", "device"]).expect("refreshed");
        let before = trace(&store);
        for wrong in [&[][..], &["BIND", ""], &["BIND", "other"]] {
            // A rotated-out token too: whoever stole it has not got the device.
            store.now = START + 3_600 * SECOND;
            for jar in [&first, &second] {
                assert_eq!(refresh(&mut store, jar, wrong), Err(Unauthorised), "{wrong:?}");
                assert_eq!(resume(&mut store, jar, wrong), Err(Unauthorised), "{wrong:?}");
            }
        }
        assert_eq!(trace(&store), before);
        assert!(refresh(&mut store, &second, &["BIND", "device"]).is_ok());
    }
    let mut store = store();
    let unbound = sign_in(&mut store, &["TOKENS"]);
    assert_eq!(refresh(&mut store, &unbound, &["BIND", "device"]), Err(Unauthorised), "bound to nothing");
}

#[test]
fn access_tokens_of_a_session_bound_to_a_key_say_so() {
    let mut store = store();
    let thumbprint = "C3NI-gOJcMSOwHzXO2JX857IEPYPFu5zti48biYQq8Y";
    let jar = sign_in(&mut store, &["TOKENS", "BIND", thumbprint]);
    assert_eq!(claims(&jar.access)["cnf"], json!({ "jkt": thumbprint }));
    let next = refresh(&mut store, &jar, &["BIND", thumbprint]).expect("refreshed");
    assert_eq!(claims(&next.access)["cnf"], json!({ "jkt": thumbprint }));
    let again = call(&mut store, &["SH.REGENERATE", &next.tkn, &next.access]).map(|reply| Jar::of(&reply));
    assert_eq!(claims(&again.expect("regenerated").access)["cnf"], json!({ "jkt": thumbprint }));
    let other = sign_in(&mut store, &["TOKENS", "BIND", "device"]);
    assert!(claims(&other.access).get("cnf").is_none(), "only of what is a thumbprint");
}

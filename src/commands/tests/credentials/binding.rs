//! Sessions bound to a device or a key.

use super::*;

#[test]
fn without_its_device_a_bound_session_is_refused_and_never_reported_as_theft() {
    for kind in ["TOKENS", "COOKIE"] {
        let mut store = store();
        let first = sign_in(&mut store, &[kind, "BIND", "device"]);
        let second = refresh(&mut store, &first, &["BIND", "device"]).expect("refreshed");
        let before = trace(&store);
        for wrong in [&[][..], &["BIND", ""], &["BIND", "other"]] {
            // A replaced token too: its thief does not have the device.
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
fn access_tokens_of_a_session_bound_to_a_key_hold_its_thumbprint() {
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

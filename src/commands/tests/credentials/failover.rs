//! Failovers: a rotation that is lost signs nobody out.

use super::*;

#[test]
fn after_a_failover_that_lost_the_rotation_the_client_goes_on() {
    for kind in ["TOKENS", "COOKIE"] {
        let mut store = store();
        let first = sign_in(&mut store, &[kind]);
        let older = store.entries.clone();
        let second = refresh(&mut store, &first, &[]).expect("refreshed");
        let third = refresh(&mut store, &second, &[]).expect("refreshed");
        store.entries = older;
        if kind == "TOKENS" {
            assert_eq!(check(&mut store, &third, &["CSRF", &third.csrf]), Ok(()));
        } else {
            assert_eq!(status(resume(&mut store, &third, &["CSRF", &third.csrf])), Ok(()));
        }
        let fourth = refresh(&mut store, &third, &["CSRF", &third.csrf]).expect("refreshed");
        assert_eq!(field(&store, &first, ".gen").as_deref(), Some("3"));
        assert_ne!(fourth.sealed, third.sealed);
        assert!(store.events.contains(&Event::Forward) && !store.events.contains(&Event::Theft));
        assert_eq!(refresh(&mut store, &third, &[]), Ok(fourth.clone()), "the second tab");
        assert_eq!(refresh(&mut store, &first, &[]), Err(TokenTheft), "and thieves are still found");
    }
}

/// What may happen to an honest client.
#[derive(Debug, Clone)]
enum Happening {
    Wait(u64),
    Refresh {
        answer_arrives: bool,
    },
    /// A request that began before the last refresh, and refreshes with what it began with.
    LateTab,
    /// The replica has all writes so far; a failover goes back to them.
    Replicated,
    Failover,
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    prop_oneof![
        (0..20 * SECOND).prop_map(Wait),
        any::<bool>().prop_map(|answer_arrives| Refresh { answer_arrives }),
        Just(LateTab),
        Just(Replicated),
        Just(Failover),
    ]
}

proptest! {
    #[test]
    fn no_honest_client_is_logged_out_or_reported_as_a_thief(
        cookie: bool, happenings in prop::collection::vec(happening(), 1..60),
    ) {
        let mut store = store();
        let mut held = sign_in(&mut store, &[if cookie { "COOKIE" } else { "TOKENS" }, "IDLE", "0"]);
        let mut replicated = store.entries.clone();
        // The credentials that a late tab holds, and when they were replaced.
        let mut before = None;
        for happening in happenings {
            match happening {
                Happening::Wait(millis) => store.now += millis,
                Happening::Refresh { answer_arrives } => {
                    let answered = refresh(&mut store, &held, &["CSRF", &held.csrf]);
                    prop_assert!(answered.is_ok(), "{:?}", answered);
                    if !answer_arrives {
                        let again = refresh(&mut store, &held, &["CSRF", &held.csrf]);
                        prop_assert_eq!(&again, &answered, "asked again, answered the same");
                    }
                    before = Some((held, store.now));
                    held = answered.expect("refreshed");
                }
                Happening::LateTab => {
                    if let Some((jar, at)) = &before && store.now - at <= 30 * SECOND {
                        let answered = refresh(&mut store, jar, &["CSRF", &jar.csrf]).map(|jar| jar.sealed);
                        prop_assert_eq!(answered.as_deref(), Ok(held.sealed.as_str()));
                    }
                }
                Happening::Replicated => replicated = store.entries.clone(),
                Happening::Failover => store.fail_over(replicated.clone()),
            }
            let good = if cookie { status(resume(&mut store, &held, &[])) } else { checked_if_fresh(&mut store, &held) };
            prop_assert_eq!(good, Ok(()));
        }
        prop_assert!(!store.events.contains(&Event::Theft));
    }
}

/// Whether an access token is good, as far as it has not expired.
fn checked_if_fresh(store: &mut Memory, jar: &Jar) -> Result<(), Status> {
    let expired = claims(&jar.access)["exp"].as_u64().expect("a time") * SECOND <= store.now;
    if expired { Ok(()) } else { check(store, jar, &[]) }
}

#[test]
fn resuming_after_a_failover_stores_the_lost_rotation() {
    let mut store = store();
    let first = sign_in(&mut store, &["COOKIE"]);
    let older = store.entries.clone();
    let second = refresh(&mut store, &first, &[]).expect("refreshed");
    store.fail_over(older);
    store.now += SECOND;
    assert!(resume(&mut store, &second, &[]).is_ok());
    assert_eq!(field(&store, &first, ".gen").as_deref(), Some("1"));
    assert_eq!(status(resume(&mut store, &first, &[])), Ok(()), "the other tab is within its grace");
    store.now += 29 * SECOND + 1;
    assert_eq!(resume(&mut store, &first, &[]), Err(TryRefreshToken), "the grace began with the failover");
}

#[test]
fn resuming_long_after_a_failover_begins_no_grace_period() {
    let mut store = store();
    let first = sign_in(&mut store, &["COOKIE"]);
    let older = store.entries.clone();
    let second = refresh(&mut store, &first, &[]).expect("refreshed");
    store.fail_over(older);
    store.now += 3_600 * SECOND;
    assert!(resume(&mut store, &second, &[]).is_ok());
    assert_eq!(resume(&mut store, &first, &[]), Err(TryRefreshToken));
    assert_eq!(refresh(&mut store, &first, &[]), Err(TokenTheft), "no honest client still holds it");
}

#[test]
fn nograce_after_a_failover_leaves_no_grace_period_to_a_lost_successor() {
    let mut store = store();
    let first = sign_in(&mut store, &["TOKENS"]);
    let older = store.entries.clone();
    let second = refresh(&mut store, &first, &[]).expect("refreshed");
    let third = refresh(&mut store, &second, &[]).expect("refreshed");
    store.fail_over(older);
    let stepped_up = refresh(&mut store, &second, &["NOGRACE"]).expect("newer than the server knows");
    assert_eq!(field(&store, &first, ".gen").as_deref(), Some("3"));
    assert_eq!(field(&store, &first, ".rotated"), None);
    assert_eq!(check(&mut store, &stepped_up, &[]), Ok(()));
    assert_eq!(refresh(&mut store, &third, &[]), Err(TokenTheft), "handed out before the failover");
}

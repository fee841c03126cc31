//! The list of a name's sessions, on the store in memory: rules first, then random days against a plain model.

use super::call;
use crate::protocol::Status;
use crate::redis::KeyName;
use crate::store::keys;
use crate::store::memory::{Entry, Memory, Value};
use proptest::prelude::*;
use serde_json::json;
use sessions_core::session::Millis;

fn ok(store: &mut Memory, line: &[&str]) -> serde_json::Value {
    call(store, line).unwrap_or_else(|status| panic!("{line:?}: {status:?}"))
}

fn new(store: &mut Memory, options: &[&str]) -> String {
    ok(store, &[&["SH.NEW"], options].concat())["tkn"].as_str().expect("a token").to_owned()
}

fn list(store: &mut Memory, name: &str) -> Vec<String> {
    serde_json::from_value(ok(store, &["SH.LIST", name])).expect("tokens")
}

fn index(name: &str) -> KeyName {
    keys::index(name.as_bytes())
}

/// The members of a name's index and their scores.
fn scores(store: &Memory, name: &str) -> Vec<(String, f64)> {
    match store.entries.get(index(name).as_ref()) {
        Some(Entry { value: Value::Zset(members), .. }) => {
            members.iter().map(|(token, score)| (String::from_utf8_lossy(token).into_owned(), *score)).collect()
        }
        Some(Entry { value: Value::String(token), expires }) => {
            let score = expires.map_or(f64::INFINITY, |Millis(at)| at as f64);
            vec![(String::from_utf8_lossy(token).into_owned(), score)]
        }
        None => Vec::new(),
        other => panic!("no index: {other:?}"),
    }
}

fn index_expires(store: &Memory, name: &str) -> Option<u64> {
    store.entries[index(name).as_ref()].expires.map(|Millis(at)| at)
}

#[test]
fn sessions_are_listed_oldest_first_and_only_those_that_asked_for_it() {
    let mut store = Memory::default();
    let mut listed = Vec::new();
    for now in [1, 2, 3] {
        store.now = now;
        listed.push(new(&mut store, &["alice", "LISTED"]));
        new(&mut store, &["alice"]);
        new(&mut store, &["bob", "LISTED"]);
    }
    assert_eq!(list(&mut store, "alice"), listed);
    assert!(list(&mut store, "carol").is_empty());
}

#[test]
fn a_session_is_off_the_list_the_moment_it_is_gone_however_it_went() {
    let mut store = Memory::default();
    let ended = new(&mut store, &["alice", "LISTED"]);
    let deleted = new(&mut store, &["alice", "LISTED"]);
    let expired = new(&mut store, &["alice", "LISTED", "EXPIRY", "60", "DELETE"]);
    let replaced = new(&mut store, &["alice", "LISTED"]);
    let kept = new(&mut store, &["alice", "LISTED"]);
    ok(&mut store, &["SH.END", &ended]);
    store.entries.remove(deleted.as_bytes());
    let string = Entry { value: Value::String(b"x".to_vec()), expires: None };
    store.entries.insert(replaced.into_bytes(), string);
    store.now = 59_999;
    assert_eq!(list(&mut store, "alice"), [expired.as_str(), &kept].map(str::to_owned).as_slice().sorted());
    store.now = 60_000;
    assert_eq!(list(&mut store, "alice"), [kept]);
}

/// Sessions of one moment are listed by their tokens.
trait Sorted {
    fn sorted(&self) -> Vec<String>;
}

impl Sorted for [String] {
    fn sorted(&self) -> Vec<String> {
        let mut sorted = self.to_vec();
        sorted.sort();
        sorted
    }
}

#[test]
fn listing_changes_nothing_whatever_is_stale() {
    let mut store = Memory::default();
    let deleted = new(&mut store, &["alice", "LISTED", "IDLE", "60"]);
    new(&mut store, &["alice", "LISTED"]);
    store.entries.remove(deleted.as_bytes());
    store.now = 61_000;
    let before = (store.entries.clone(), store.effects.clone());
    list(&mut store, "alice");
    ok(&mut store, &["SH.LIST", "alice", "INFO"]);
    assert_eq!((store.entries, store.effects), before);
}

#[test]
fn the_list_lives_as_long_as_the_last_of_its_sessions() {
    let mut store = Memory::default();
    new(&mut store, &["alice", "LISTED", "EXPIRY", "60", "DELETE"]);
    assert_eq!(index_expires(&store, "alice"), Some(60_000));
    let longest = new(&mut store, &["alice", "LISTED", "EXPIRY", "600", "DELETE"]);
    new(&mut store, &["alice", "LISTED", "EXPIRY", "30", "DELETE"]);
    assert_eq!(index_expires(&store, "alice"), Some(600_000));
    ok(&mut store, &["SH.END", &longest]);
    assert_eq!(index_expires(&store, "alice"), Some(60_000));
    let forever = new(&mut store, &["alice", "LISTED"]);
    assert_eq!(index_expires(&store, "alice"), None);
    ok(&mut store, &["SH.END", &forever]);
    assert_eq!(index_expires(&store, "alice"), Some(60_000));
    ok(&mut store, &["SH.ENDALL", "alice"]);
    assert!(store.entries.is_empty());
}

#[test]
fn what_renews_a_session_renews_its_place_on_the_list() {
    for renew in [&["SH.TOUCH"][..], &["SH.SET", "a", "1"], &["SH.RMV", "a"]] {
        let mut store = Memory::default();
        let token = new(&mut store, &["alice", "LISTED", "IDLE", "60"]);
        store.now = 50_000;
        ok(&mut store, &[&[renew[0], &token], &renew[1..]].concat());
        assert_eq!(scores(&store, "alice"), [(token, 110_000.0)], "{renew:?}");
        assert_eq!(index_expires(&store, "alice"), Some(110_000), "{renew:?}");
    }
}

#[test]
fn resuming_and_refreshing_renew_the_place_on_the_list_too() {
    let mut store = Memory::default();
    let made = ok(&mut store, &["SH.NEW", "alice", "COOKIE", "IDLE", "60"]);
    let (token, cookie) = (made["tkn"].as_str().expect("a token"), made["cookieToken"]["token"].as_str());
    store.now = 50_000;
    ok(&mut store, &["SH.RESUME", token, cookie.expect("a cookie token")]);
    assert_eq!(scores(&store, "alice"), [(token.to_owned(), 110_000.0)]);
    store.now = 100_000;
    ok(&mut store, &["SH.REFRESH", token, cookie.expect("a cookie token")]);
    assert_eq!(scores(&store, "alice"), [(token.to_owned(), 160_000.0)]);
    store.now = 159_999;
    assert_eq!(list(&mut store, "alice"), [token]);
}

#[test]
fn a_touch_that_is_spared_leaves_the_list_alone() {
    let mut store = Memory::default();
    let token = new(&mut store, &["alice", "LISTED", "IDLE", "1600"]);
    store.effects.clear();
    store.now = 59_999;
    ok(&mut store, &["SH.TOUCH", &token]);
    assert!(store.effects.is_empty());
}

#[test]
fn a_lost_list_is_made_again_by_touching_its_sessions() {
    for lifetime in [&[][..], &["IDLE", "60"], &["EXPIRY", "60", "DELETE"]] {
        let mut store = Memory::default();
        let token = new(&mut store, &[&["alice", "LISTED"], lifetime].concat());
        let before = store.entries.clone();
        store.entries.remove(index("alice").as_ref());
        assert!(list(&mut store, "alice").is_empty());
        ok(&mut store, &["SH.TOUCH", &token]);
        assert_eq!(store.entries, before, "{lifetime:?}");
    }
}

#[test]
fn a_session_that_was_prolonged_by_hand_keeps_its_place_once_it_is_touched() {
    let mut store = Memory::default();
    let token = new(&mut store, &["alice", "LISTED", "EXPIRY", "60", "DELETE"]);
    store.entries.get_mut(token.as_bytes()).expect("the session").expires = Some(Millis(600_000));
    ok(&mut store, &["SH.TOUCH", &token]);
    store.now = 599_999;
    assert_eq!(list(&mut store, "alice"), [token]);
    store.now = 600_000;
    assert!(list(&mut store, "alice").is_empty());
}

#[test]
fn whoever_writes_to_the_list_drops_what_has_expired_a_few_at_a_time() {
    let mut store = Memory::default();
    for _ in 0..40 {
        new(&mut store, &["alice", "LISTED", "EXPIRY", "1", "DELETE"]);
    }
    store.now = 1;
    let lasting = new(&mut store, &["alice", "LISTED"]);
    store.now = 2_000;
    let mut sizes = Vec::new();
    for _ in 0..3 {
        let token = new(&mut store, &["alice", "LISTED"]);
        ok(&mut store, &["SH.END", &token]);
        sizes.push(scores(&store, "alice").len());
    }
    assert_eq!(sizes, [25, 9, 1], "16 each time, none of those that live");
    assert_eq!(list(&mut store, "alice"), [lasting]);
}

#[test]
fn ending_all_leaves_no_trace_even_of_sessions_that_were_deleted_by_hand() {
    let mut store = Memory::default();
    let deleted = new(&mut store, &["alice", "LISTED"]);
    let ended = new(&mut store, &["alice", "LISTED"]);
    store.entries.remove(deleted.as_bytes());
    assert_eq!(ok(&mut store, &["SH.ENDALL", "alice"]), json!([ended]));
    assert!(store.entries.is_empty());
    let deleted = new(&mut store, &["alice", "LISTED"]);
    store.entries.remove(deleted.as_bytes());
    assert_eq!(ok(&mut store, &["SH.ENDALL", "alice"]), json!([]));
    assert!(store.entries.is_empty());
}

#[test]
fn all_but_one_are_ended_or_only_those_given() {
    let mut store = Memory::default();
    let mut tokens = Vec::new();
    for now in 0..4 {
        store.now = now;
        tokens.push(new(&mut store, &["alice", "LISTED", "EXPIRY", "60", "CLEAR", "DATA", r#"{"a":1}"#]));
    }
    let bobs = new(&mut store, &["bob", "LISTED"]);
    let [one, two, three, four] = &tokens[..] else { unreachable!() };
    let only = ["SH.ENDALL", "alice", "ONLY", two, &bobs, two, "sh:nonsense-nonsense-nonsens"];
    assert_eq!(ok(&mut store, &only), json!([two]), "not another's, not twice");
    assert_eq!(ok(&mut store, &["SH.ENDALL", "alice", "EXCEPT", three]), json!([one, four]));
    assert_eq!(list(&mut store, "alice"), [three.as_str()]);
    assert_eq!(list(&mut store, "bob"), [bobs.as_str()]);
    assert_eq!(ok(&mut store, &["SH.ENDALL", "alice"]), json!([three]));
    ok(&mut store, &["SH.END", &bobs]);
    assert!(store.entries.is_empty(), "no data is left either");
}

#[test]
fn an_except_token_that_is_not_this_names_ends_nothing() {
    let mut store = Memory::default();
    new(&mut store, &["alice", "LISTED"]);
    let bobs = new(&mut store, &["bob", "LISTED"]);
    // Of another name in the same slot.
    let neighbours = new(&mut store, &["{alice}", "LISTED"]);
    let ended = new(&mut store, &["alice", "LISTED"]);
    ok(&mut store, &["SH.END", &ended]);
    let before = store.entries.clone();
    for (kept, status) in [
        (bobs.as_str(), Status::SessionTokenInvalid),
        (&neighbours, Status::SessionTokenInvalid),
        ("alice", Status::SessionTokenInvalid),
        (&ended, Status::SessionNotExist),
    ] {
        assert_eq!(call(&mut store, &["SH.ENDALL", "alice", "EXCEPT", kept]), Err(status), "{kept}");
    }
    assert_eq!(store.entries, before);
}

#[test]
fn a_limit_ends_the_oldest_and_tells_which() {
    let mut store = Memory::default();
    let mut tokens = Vec::new();
    for now in 0..5 {
        store.now = now;
        tokens.push(new(&mut store, &["alice", "LISTED"]));
    }
    store.now = 5;
    let made = ok(&mut store, &["SH.NEW", "alice", "LIMIT", "3"]);
    assert_eq!(made["ended"], json!(tokens[..3]));
    assert_eq!(
        list(&mut store, "alice"),
        [&tokens[3..], &[made["tkn"].as_str().expect("a token").to_owned()]].concat()
    );
    assert_eq!(ok(&mut store, &["SH.NEW", "alice", "LIMIT", "4"]).get("ended"), None, "there was room");
    assert_eq!(ok(&mut store, &["SH.NEW", "alice", "LIMIT", "1"])["ended"].as_array().map(Vec::len), Some(4));
}

#[test]
fn what_is_gone_takes_no_room_under_a_limit_and_is_dropped() {
    let mut store = Memory::default();
    let deleted = new(&mut store, &["alice", "LISTED"]);
    let kept = new(&mut store, &["alice", "LISTED"]);
    store.entries.remove(deleted.as_bytes());
    let made = ok(&mut store, &["SH.NEW", "alice", "LIMIT", "2"]);
    assert_eq!(made.get("ended"), None);
    let mut held: Vec<_> = scores(&store, "alice").into_iter().map(|(token, _)| token).collect();
    held.retain(|token| *token != kept);
    assert_eq!(json!(held), json!([made["tkn"]]));
}

#[test]
fn the_limit_of_the_settings_counts_where_none_is_given() {
    let mut store = Memory::default();
    store.settings.max_sessions = Some(1);
    let first = new(&mut store, &["alice", "LISTED"]);
    assert_eq!(ok(&mut store, &["SH.NEW", "alice", "LISTED"])["ended"], json!([first]));
    assert_eq!(ok(&mut store, &["SH.NEW", "alice", "LIMIT", "2"]).get("ended"), None);
    new(&mut store, &["alice"]);
    assert_eq!(list(&mut store, "alice").len(), 2, "what is not listed neither counts nor ends others");
}

#[test]
fn each_mistake_has_its_status_and_changes_nothing() {
    use Status::*;
    let mut store = Memory::default();
    new(&mut store, &["alice", "LISTED"]);
    let before = store.entries.clone();
    for (line, status) in [
        (&["SH.NEW", "alice", "LIMIT", "0"][..], ValueTypeInvalid),
        (&["SH.NEW", "alice", "LIMIT", "-1"], ValueTypeInvalid),
        (&["SH.NEW", "alice", "LIMIT"], ValueMissing),
        (&["SH.NEW", "alice", r#"{"limit":0}"#], ValueTypeInvalid),
        (&["SH.NEW", "alice", r#"{"limit":"1"}"#], ValueTypeInvalid),
        (&["SH.NEW", "alice", "LISTED", "SHARED"], CommandSyntax),
        (&["SH.NEW", "alice", "LIMIT", "1", "SHARED"], CommandSyntax),
        (&["SH.LIST", ""], ValueSize),
        (&["SH.LIST", "alice", "ALL"], CommandSyntax),
        (&["SH.LIST", "alice", "INFO", "INFO"], CommandSyntax),
        (&["SH.LIST", "alice", r#"{"info":true}"#], CommandSyntax),
        (&["SH.ENDALL", ""], ValueSize),
        (&["SH.ENDALL", "alice", "ALL"], CommandSyntax),
        (&["SH.ENDALL", "alice", "EXCEPT"], ValueMissing),
        (&["SH.ENDALL", "alice", "ONLY"], ValueMissing),
    ] {
        assert_eq!(call(&mut store, line), Err(status), "{line:?}");
    }
    assert_eq!(store.entries, before);
}

#[test]
fn an_index_key_of_the_wrong_type_is_told_and_nothing_is_lost() {
    let mut store = Memory::default();
    let token = new(&mut store, &["alice", "LISTED", "IDLE", "16"]);
    let string = Entry { value: Value::String(b"x".to_vec()), expires: None };
    store.entries.insert(index("alice").as_ref().to_vec(), string);
    let before = store.entries.clone();
    for line in [
        &["SH.NEW", "alice", "LISTED"][..],
        &["SH.NEW", "alice", "LIMIT", "1"],
        &["SH.LIST", "alice"],
        &["SH.ENDALL", "alice"],
        &["SH.ENDALL", "alice", "EXCEPT", &token],
        &["SH.ENDALL", "alice", "ONLY", &token],
    ] {
        assert_eq!(call(&mut store, line), Err(Status::WrongType), "{line:?}");
    }
    assert_eq!(store.entries, before);
    store.now = 15_000;
    assert_eq!(ok(&mut store, &["SH.TOUCH", &token]), json!(16_000), "the session itself goes on");
    assert_eq!(ok(&mut store, &["SH.END", &token]), json!(1));
    assert_eq!(store.entries.len(), 1, "what somebody wrote there stays");
}

#[test]
fn a_user_who_may_not_touch_a_key_of_the_list_changes_nothing() {
    let mut store = Memory::default();
    let token = new(&mut store, &["alice", "LISTED", "IDLE", "16"]);
    let other = new(&mut store, &["alice", "LISTED", "IDLE", "16"]);
    store.now = 15_000;
    let (entries, effects) = (store.entries.clone(), store.effects.clone());
    let by_name: [&[&str]; 6] = [
        &["SH.NEW", "alice", "LISTED"],
        &["SH.NEW", "alice", "LIMIT", "1"],
        &["SH.LIST", "alice"],
        &["SH.ENDALL", "alice"],
        &["SH.ENDALL", "alice", "EXCEPT", &token],
        &["SH.ENDALL", "alice", "ONLY", &token],
    ];
    let by_token: [&[&str]; 3] = [&["SH.TOUCH", &token], &["SH.SET", &token, "a", "1"], &["SH.END", &token]];
    store.forbidden = [index("alice").as_ref().to_vec()].into();
    for line in by_name.iter().chain(&by_token) {
        assert_eq!(call(&mut store, line), Err(Status::NoPerm), "{line:?}");
    }
    store.forbidden = [token.clone().into_bytes(), other.into_bytes()].into();
    for line in &by_name[1..] {
        assert_eq!(call(&mut store, line), Err(Status::NoPerm), "{line:?}");
    }
    assert_eq!((store.entries, store.effects), (entries, effects));
}

#[test]
fn while_a_slot_moves_a_list_is_told_whole_or_not_at_all() {
    let mut store = Memory { cluster: true, ..Memory::default() };
    let (here, elsewhere) = (new(&mut store, &["alice", "LISTED"]), new(&mut store, &["alice", "LISTED"]));
    store.entries.remove(elsewhere.as_bytes());
    store.moving = true;
    let before = store.entries.clone();
    for line in [
        &["SH.LIST", "alice"][..],
        &["SH.LIST", "bob"],
        &["SH.NEW", "bob", "LISTED"],
        &["SH.NEW", "alice", "LIMIT", "1"],
        &["SH.ENDALL", "alice"],
        &["SH.ENDALL", "bob"],
        &["SH.ENDALL", "alice", "EXCEPT", &here],
        &["SH.ENDALL", "alice", "EXCEPT", &elsewhere],
        &["SH.ENDALL", "alice", "ONLY", &here, &elsewhere],
    ] {
        assert_eq!(call(&mut store, line), Err(Status::TryAgain), "{line:?}");
    }
    assert_eq!(store.entries, before);
    assert_eq!(ok(&mut store, &["SH.ENDALL", "alice", "ONLY", &here]), json!([here]));
}

#[test]
fn while_a_slot_moves_a_limit_ends_nothing_that_it_cannot_replace() {
    let mut store = Memory { cluster: true, ..Memory::default() };
    let old = new(&mut store, &["alice", "LISTED"]);
    store.moving = true;
    let made = ok(&mut store, &["SH.NEW", "alice", "LIMIT", "1"]);
    assert_eq!(made["ended"], json!([old]));
    assert_eq!(json!(list(&mut store, "alice")), json!([made["tkn"]]));
}

#[test]
fn while_a_slot_moves_a_session_is_touched_and_ended_without_its_list() {
    let mut store = Memory { cluster: true, ..Memory::default() };
    let token = new(&mut store, &["alice", "LISTED", "IDLE", "16"]);
    store.entries.retain(|key, _| key == token.as_bytes());
    store.moving = true;
    store.now = 15_000;
    assert_eq!(ok(&mut store, &["SH.TOUCH", &token]), json!(16_000));
    assert_eq!(store.entries.len(), 1, "a new index would block the migration");
    assert_eq!(ok(&mut store, &["SH.END", &token]), json!(1));
}

/// What may happen in the days of two users.
#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    New { name: usize, delete_after: Option<u64>, idle: Option<u64>, limit: Option<usize> },
    End(usize),
    EndAll { name: usize, except: Option<usize> },
    EndOnly { name: usize, one: usize, other: usize },
    Touch(usize),
    NativeDel(usize),
    NativeExpireIn(usize, u64),
}

const NAMES: [&str; 2] = ["alice", "{alice}bob"];

fn step() -> impl Strategy<Value = Step> {
    let seconds = || prop::option::weighted(0.6, 1..100_u64);
    prop_oneof![
        6 => (0..30_000_u64).prop_map(Step::Wait),
        8 => (0..2_usize, seconds(), seconds(), prop::option::weighted(0.2, 1..5_usize))
            .prop_map(|(name, delete_after, idle, limit)| Step::New { name, delete_after, idle, limit }),
        3 => any::<usize>().prop_map(Step::End),
        1 => (0..2_usize, prop::option::of(any::<usize>())).prop_map(|(name, except)| Step::EndAll { name, except }),
        1 => (0..2_usize, any::<usize>(), any::<usize>())
            .prop_map(|(name, one, other)| Step::EndOnly { name, one, other }),
        4 => any::<usize>().prop_map(Step::Touch),
        2 => any::<usize>().prop_map(Step::NativeDel),
        2 => (any::<usize>(), 0..60_000_u64).prop_map(|(session, millis)| Step::NativeExpireIn(session, millis)),
    ]
}

/// A session as whoever made it remembers it.
struct Made {
    token: String,
    name: usize,
    created: u64,
    idle: Option<u64>,
    limit: Option<u64>,
    ends: Option<u64>,
}

#[derive(Default)]
struct Days {
    store: Memory,
    made: Vec<Made>,
    /// Whether a session that would have lived for ever was deleted by hand. Its place on the list has no time of its
    /// own: it goes with the next SH.ENDALL or LIMIT.
    endless_deleted: bool,
}

impl Days {
    /// The tokens of a name's sessions that live, oldest first.
    fn alive(&self, name: usize) -> Vec<String> {
        let mut alive: Vec<_> =
            self.made.iter().filter(|session| session.name == name && self.lives(session)).collect();
        alive.sort_by_key(|session| (session.created, session.token.clone()));
        alive.into_iter().map(|session| session.token.clone()).collect()
    }

    fn lives(&self, session: &Made) -> bool {
        session.ends.is_none_or(|ends| self.store.now < ends)
    }

    /// One of the sessions ever made.
    fn pick(&self, number: usize) -> Option<usize> {
        (!self.made.is_empty()).then(|| number % self.made.len())
    }

    fn end(&mut self, tokens: &[String]) {
        for session in self.made.iter_mut().filter(|session| tokens.contains(&session.token)) {
            session.ends = Some(0);
        }
    }

    fn step(&mut self, step: &Step) {
        let now = self.store.now;
        match *step {
            Step::Wait(millis) => self.store.now += millis,
            Step::New { name, delete_after, idle, limit } => {
                let mut line = vec!["SH.NEW".to_owned(), NAMES[name].to_owned(), "LISTED".to_owned()];
                line.extend(delete_after.into_iter().flat_map(|n| ["EXPIRY".into(), n.to_string(), "DELETE".into()]));
                line.extend(idle.into_iter().flat_map(|n| ["IDLE".into(), n.to_string()]));
                line.extend(limit.into_iter().flat_map(|n| ["LIMIT".into(), n.to_string()]));
                let line: Vec<_> = line.iter().map(String::as_str).collect();
                let before = self.alive(name);
                let reply = ok(&mut self.store, &line);
                let over = limit.map_or(0, |limit| (before.len() + 1).saturating_sub(limit));
                let ended = before[..over].to_vec();
                assert_eq!(reply.get("ended").cloned(), (over > 0).then(|| json!(ended)));
                self.end(&ended);
                let token = reply["tkn"].as_str().expect("a token").to_owned();
                let limit = delete_after.map(|seconds| now + seconds * 1_000);
                let ends = idle.map(|seconds| now + seconds * 1_000).into_iter().chain(limit).min();
                self.made.push(Made { token, name, created: now, idle, limit, ends });
            }
            Step::End(number) => {
                let Some(session) = self.pick(number) else { return };
                let lives = self.lives(&self.made[session]);
                let token = self.made[session].token.clone();
                assert_eq!(ok(&mut self.store, &["SH.END", &token]), json!(u8::from(lives)));
                self.end(&[token]);
            }
            Step::EndAll { name, except } => {
                let alive = self.alive(name);
                let kept = except.filter(|_| !alive.is_empty()).map(|number| alive[number % alive.len()].clone());
                let mut expected: Vec<_> = alive.into_iter().filter(|token| Some(token) != kept.as_ref()).collect();
                let mut line = vec!["SH.ENDALL", NAMES[name]];
                line.extend(kept.iter().flat_map(|kept| ["EXCEPT", kept]));
                // In no particular order.
                let mut ended: Vec<String> = serde_json::from_value(ok(&mut self.store, &line)).expect("tokens");
                expected.sort();
                ended.sort();
                assert_eq!(ended, expected);
                self.end(&expected);
            }
            Step::EndOnly { name, one, other } => {
                let (Some(one), Some(other)) = (self.pick(one), self.pick(other)) else { return };
                let given = [one, other].map(|session| self.made[session].token.clone());
                let alive = self.alive(name);
                let mut expected: Vec<_> = given.iter().filter(|token| alive.contains(token)).cloned().collect();
                expected.dedup();
                let line = ["SH.ENDALL", NAMES[name], "ONLY", &given[0], &given[1]];
                assert_eq!(ok(&mut self.store, &line), json!(expected));
                self.end(&expected);
            }
            Step::Touch(number) => {
                let Some(session) = self.pick(number) else { return };
                let lives = self.lives(&self.made[session]);
                let answer = call(&mut self.store, &["SH.TOUCH", &self.made[session].token]);
                assert_eq!(answer.is_ok(), lives);
                let made = &mut self.made[session];
                if let Some(idle) = made.idle.filter(|_| lives) {
                    let target = (now + idle * 1_000).min(made.limit.unwrap_or(u64::MAX));
                    let spared = (idle * 1_000 / 16).min(60_000);
                    if made.ends.is_none_or(|ends| target > ends && target - ends >= spared) {
                        made.ends = Some(target);
                    }
                }
            }
            Step::NativeDel(number) => {
                let Some(session) = self.pick(number) else { return };
                let token = self.made[session].token.clone();
                self.endless_deleted |= self.made[session].ends.is_none();
                self.store.entries.remove(token.as_bytes());
                self.end(&[token]);
            }
            Step::NativeExpireIn(number, millis) => {
                let Some(session) = self.pick(number) else { return };
                // Only sooner: who puts it off by hand has to touch the session before its list has gone.
                let at = now + millis;
                let made = &mut self.made[session];
                if made.ends.is_none_or(|ends| at < ends) {
                    self.endless_deleted |= made.ends.is_none();
                    made.ends = Some(at);
                    self.store.entries.get_mut(made.token.as_bytes()).expect("it lives").expires = Some(Millis(at));
                }
            }
        }
    }

    /// Lets the server find what has expired, as it does by itself.
    fn sweep(&mut self) {
        let now = Millis(self.store.now);
        self.store.entries.retain(|_, entry| entry.expires.is_none_or(|expires| expires > now));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn every_list_is_the_truth_at_every_step_and_nothing_is_left_at_the_end(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut days = Days::default();
        for step in &steps {
            days.step(step);
            days.sweep();
            for (number, name) in NAMES.into_iter().enumerate() {
                prop_assert_eq!(list(&mut days.store, name), days.alive(number), "after {:?}", step);
            }
        }
        // Those that would live for ever are ended; all others have their time, and nobody comes back.
        for session in days.made.iter().filter(|session| session.ends.is_none()) {
            ok(&mut days.store, &["SH.END", &session.token]);
        }
        days.store.now += 1_000_000;
        days.sweep();
        prop_assert!(days.store.entries.is_empty() || days.endless_deleted);
        for name in NAMES {
            ok(&mut days.store, &["SH.ENDALL", name]);
        }
        prop_assert!(days.store.entries.is_empty());
    }
}

//! Random and mutated commands: whatever is sent, the server lives, answers with a reply or a defined status, and holds
//! no key that it should not. And whatever others do to the keys, through whichever module they call, the server lives.
//!
//! `SH_FUZZ=1000000` sets the number of commands of each test, `SH_FUZZ_SEED` repeats a run (but for the server's own
//! randomness).

mod generator;
mod interference;

use generator::Fuzz;
use interference::{RULES, USERS};
use rand::RngExt;
use redis::Value;
use testkit::compiled::proxy;
use testkit::*;

type Arg = Vec<u8>;

/// Beside Redis's own WRONGTYPE and "wrong number of arguments".
const STATUSES: &[&str] = &[
    "COMMANDSYNTAX",
    "VALUEMISSING",
    "VALUETYPEINVALID",
    "VALUESIZE",
    "SESSIONNOTEXIST",
    "SESSIONTOKENINVALID",
    "SESSIONOPENFAIL",
    "SESSIONNEWFAIL",
    "UNAUTHORISED",
    "TRYREFRESHTOKEN",
    "TOKENTHEFT",
    "WRONGTYPE",
];
/// What else the server and the module in between say where others interfere.
const OF_OTHERS: &[&str] = &[
    "GENERALERROR the session's .gen is not one that SH.REFRESH would have stored",
    "GENERALERROR the session's .payload is not one that SH.PAYLOAD would have stored",
    "ERR Error unloading module",
    "ERR source and destination objects are the same",
    "ERR The user executing the script",
    "ERR ACL failure in script",
    "ERR acl verification failed",
    "ERR refused",
];

fn is_defined(error: &str, hostile: bool) -> bool {
    let word = error.split(' ').next().unwrap_or_default();
    let of_others = hostile && (word == "NOPERM" || OF_OTHERS.iter().any(|known| error.starts_with(known)));
    let arity = word == "ERR" && error.to_ascii_lowercase().contains("wrong number of arg");
    error.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && (arity || of_others || STATUSES.contains(&word))
}

/// What is wrong with a key of the module, if anything.
fn fault(key: &[u8], contents: &(Vec<String>, i64)) -> Option<&'static str> {
    let (held, expiry) = contents;
    let field = |name: &str| held.iter().find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let own = key.strip_prefix(b"sh:")?;
    let token_slot = |own: &[u8]| slot(&[b"sh:", own].concat());
    if own.len() == 25 && own.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)) {
        return (field(".name").is_none() || field(".created").is_none()).then_some("a session without its metadata");
    }
    let (kind, rest) = own.split_at_checked(2)?;
    let (of, steering) = rest.split_at_checked(rest.len().checked_sub(4)?)?;
    match kind {
        _ if steering[0] != b':' => Some("a key that is not steered"),
        b"d:" if *expiry < 0 => Some("data that never goes"),
        b"d:" if held.iter().any(|pair| pair.starts_with('.')) => Some("data with metadata"),
        b"d:" => (token_slot(of) != slot(key)).then_some("data in another slot than its session"),
        b"s:" if held.len() != 1 || held[0].len() != 28 => Some("a pointer to no token"),
        b"s:" => {
            (slot(of) != slot(key) || slot(held[0].as_bytes()) != slot(key)).then_some("a pointer in another slot")
        }
        b"n:" => (slot(of) != slot(key)).then_some("an index in another slot"),
        _ => Some("no key of the module"),
    }
}

/// Keys that are no business of the module's.
const DECOYS: [&[&str]; 5] = [
    &["SET", "sh:decoydecoydecoydecoydecoy", "x"],
    &["RPUSH", "sh:decoydecoydecoydecoydecoz", "x"],
    &["HSET", "sh:decoydecoydecoydecoydecox", "name", "alice"],
    &["ZADD", "sh:decoydecoydecoydecoydecow", "1", "x"],
    &["SADD", "sh:decoydecoydecoydecoydecov", "x"],
];

/// Sends so many commands, checks each answer, and that a replica without the module has come to hold the same.
fn run(server: &Server, hostile: bool, commands: usize) -> Contents {
    const BATCH: usize = 250;
    let seed =
        std::env::var("SH_FUZZ_SEED").map_or_else(|_| rand::rng().random(), |seed| seed.parse().expect("a number"));
    println!("SH_FUZZ_SEED={seed}");

    let replica = server.replica_without_module(&[]);
    let mut clients = vec![server.client(), server.client3()];
    DECOYS.iter().for_each(|decoy| drop(clients[0].ok(decoy)));
    let planted = clients[0].contents();
    let all = clients[0].list(&["COMMAND", "LIST", "FILTERBY", "MODULE", "sh"]);
    let all = all.into_iter().map(String::into_bytes).collect();
    let mut fuzz = Fuzz::new(seed, hostile, all, DECOYS.iter().map(|decoy| decoy[1].into()).collect());
    let mut in_transaction = server.client();
    if hostile {
        for (user, rules) in USERS.iter().zip(RULES) {
            clients[0].ok(&[&["ACL", "SETUSER", user, "on", ">pw"], rules].concat());
            clients.push(server.client_as(user, "pw"));
        }
    }

    let mut succeeded = 0;
    let mut judge = |fuzz: &mut Fuzz, sent: &[Vec<Arg>], replies: &[Result<Value, String>]| {
        for (command, reply) in sent.iter().zip(replies) {
            match reply {
                Ok(reply) => fuzz.learn(command, reply),
                Err(error) => {
                    assert!(is_defined(error, hostile), "{:?} answered {error:?}\n{}", shown(command), server.log());
                }
            }
        }
        succeeded += replies.iter().filter(|reply| reply.is_ok()).count();
    };
    for batch in 0..commands.div_ceil(BATCH) {
        // Well-formed, so that they are queued; whatever the others do, they can still be executed.
        let queued: Vec<_> = (0..if hostile { 2 } else { 0 }).map(|_| fuzz.new_session()).collect();
        let begin = [vec![vec![b"MULTI".to_vec()]], queued.clone()].concat();
        if hostile {
            assert!(in_transaction.pipeline(&begin).iter().all(Result::is_ok));
        }
        let mut sent: Vec<_> = (0..BATCH).map(|_| fuzz.command()).collect();
        sent.push(vec![b"RANDOMKEY".to_vec()]);
        // Two batches in three come from users with all permissions.
        let client = if batch % 3 == 2 { batch / 3 % clients.len() } else { batch % 2 };
        let replies = clients[client].pipeline(&sent);
        judge(&mut fuzz, &sent, &replies);
        if hostile && let Err(error) = in_transaction.call(&["EXEC"]) {
            // The client library answers with the first error of a transaction.
            assert!(is_defined(&error, hostile), "{queued:?} answered {error:?}");
        }
    }
    assert!(succeeded > commands / 4, "most of it should make sense: {succeeded} of {commands}");
    assert!(!server.log().contains("please report this"), "{}", server.log());

    // A key that is about to expire may be gone before both were read.
    let stays = clients[0].now() + 60_000;
    let lasting = |client: &mut Client| {
        let mut contents = client.contents();
        contents.retain(|_, (_, expiry)| *expiry == -1 || *expiry > stays);
        contents
    };
    let contents = lasting(&mut clients[0]);
    replica.is_in_sync(server);
    assert_eq!(lasting(&mut replica.client()), contents, "a replica that has no module holds the same");
    assert!(planted.iter().all(|(key, held)| contents.get(key) == Some(held)), "what others made is as it was");
    contents
}

/// How many commands each test sends.
fn commands() -> usize {
    std::env::var("SH_FUZZ").map_or(50_000, |number| number.parse().expect("a number"))
}

#[test]
fn no_command_brings_the_server_down_or_leaves_what_should_not_be_there() {
    let server = Server::start();
    let contents = run(&server, false, commands());
    let keys: Vec<_> = items(&server.client().ok(&["KEYS", "*"])).iter().map(bytes).collect();
    for key in keys.iter().filter(|key| !key.starts_with(b"sh:decoy") && *key != b"redis-sessions:secret") {
        let shown = key.escape_ascii().to_string();
        let Some(held) = contents.get(&shown) else { continue };
        assert!(key.starts_with(b"sh:"), "{shown}");
        assert_eq!(fault(key, held), None, "{shown}: {held:?}");
    }
}

#[test]
fn no_spoiled_key_other_module_or_user_with_selectors_brings_the_server_down() {
    let proxy = proxy().to_str().expect("a UTF-8 path");
    let server = Server::with(&["--loadmodule", proxy, "--enable-module-command", "yes"]);
    run(&server, true, commands());
}

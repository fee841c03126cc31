//! Users whose rights are in several parts: the root permissions and the selectors of ACL SETUSER, `(~sh:* +sh.get)`.
//!
//! The server runs a command if one part allows the command and all its keys. Of the keys that a command makes up the
//! server knows nothing, and if it is asked about one, it is content with any part that allows the key: two parts then
//! add up to what neither allows. So each part becomes a user of the module's own, and those are asked.

use super::api::api;
use super::bytes::Handle;
use super::context::Context;
use super::user::{Access, User};
use redis_module::raw;
use smallvec::SmallVec;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::CString;
use std::ptr::NonNull;
use std::rc::Rc;

/// One part of a user's rights, in the words of ACL SETUSER.
#[derive(Debug, PartialEq, Eq)]
struct Rules<'a> {
    rules: Vec<&'a [u8]>,
    databases: Databases,
}

/// Where a part counts. Only Valkey from 9.1 on tells databases apart, and its question about a command does not.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Databases {
    All,
    Only(Vec<u32>),
}

impl Databases {
    fn hold(&self, database: u32) -> bool {
        match self {
            Self::All => true,
            Self::Only(databases) => databases.contains(&database),
        }
    }
}

/// Takes apart what the server tells of a user: flags, passwords and rules, and behind them the selectors. `None` if
/// that cannot be read.
fn parts(acl: &[u8]) -> Option<Vec<Rules<'_>>> {
    let mut parts = vec![Rules { rules: Vec::new(), databases: Databases::All }];
    let mut open = false;
    for word in acl.split(|&byte| byte == b' ').filter(|word| !word.is_empty()) {
        // No rule begins with a parenthesis or a number sign, and none holds a blank.
        let begun = word.strip_prefix(b"(");
        if begun.is_some() {
            parts.push(Rules { rules: Vec::new(), databases: Databases::All });
        }
        let word = begun.unwrap_or(word);
        open = (open || begun.is_some()) && !word.ends_with(b")");
        parts.last_mut()?.rules.push(word);
    }
    if open {
        return None;
    }
    for (number, part) in parts.iter_mut().enumerate() {
        if number > 0 {
            let last = part.rules.last_mut()?;
            *last = last.strip_suffix(b")")?;
        }
        for rule in std::mem::take(&mut part.rules) {
            match rule {
                b"alldbs" => part.databases = Databases::All,
                b"resetdbs" => part.databases = Databases::Only(Vec::new()),
                _ if rule.starts_with(b"db=") => part.databases = Databases::Only(numbers(&rule[3..])?),
                // A password gives no right.
                _ if rule.is_empty() || rule.starts_with(b"#") => {}
                _ => part.rules.push(rule),
            }
        }
    }
    Some(parts)
}

fn numbers(list: &[u8]) -> Option<Vec<u32>> {
    std::str::from_utf8(list).ok()?.split(',').map(|number| number.parse().ok()).collect()
}

/// A part of a user's rights as a user of the module's own.
struct Part {
    user: User,
    databases: Databases,
}

impl Part {
    /// `None` if the server does not understand the rules that it told itself.
    fn new(rules: &Rules<'_>) -> Option<Self> {
        // SAFETY: the name ends in NUL.
        let user = unsafe { api!(RedisModule_CreateModuleUser)(c"sh-selector".as_ptr()) };
        // SAFETY: the user was just made, and is ours to free.
        let user = unsafe { User::from_raw(NonNull::new(user)?) };
        for rule in &rules.rules {
            let rule = CString::new(*rule).ok()?;
            // SAFETY: the user is live, and the rule ends in NUL.
            let set = unsafe { api!(RedisModule_SetModuleUserACL)(user.as_ptr(), rule.as_ptr()) };
            if set as isize != raw::REDISMODULE_OK {
                return None;
            }
        }
        Some(Self { user, databases: rules.databases.clone() })
    }
}

type Parts = Rc<[Part]>;

/// How many users' parts are kept at most.
const KEPT: usize = 1_000;

thread_local! {
    /// The parts of users, by their signature. The map is leaked, so that no destructor calls the server when a thread ends.
    static KNOWN: &'static RefCell<HashMap<Vec<u8>, Parts>> = Box::leak(Box::default());
}

/// The key of the cache: the user's rules without the passwords, whose hashes must not be kept.
fn signature(acl: &[u8]) -> Vec<u8> {
    let words = acl.split_inclusive(|&byte| byte == b' ').filter(|word| !word.starts_with(b"#"));
    words.flatten().copied().collect()
}

fn parts_of(acl: &[u8]) -> Option<Parts> {
    let signature = signature(acl);
    let known = KNOWN.with(|known| known.borrow().get(&signature).cloned());
    if known.is_some() {
        return known;
    }
    let made: Parts = parts(acl)?.iter().map(Part::new).collect::<Option<_>>()?;
    KNOWN.with(|known| {
        let mut known = known.borrow_mut();
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(signature, made.clone());
    });
    Some(made)
}

/// Whether what the server tells of a user ends in a selector.
pub fn has_selectors(acl: &[u8]) -> bool {
    acl.ends_with(b")")
}

/// The parts of a user's rights that allow a command and all keys that were asked about.
pub struct Allowing {
    parts: Parts,
    left: SmallVec<[usize; 8]>,
}

impl Allowing {
    /// The parts that allow the running command, by what the server tells of the user. `None` if that cannot be read.
    pub fn of(context: &Context, acl: Handle<'_>) -> Option<Self> {
        let parts = parts_of(acl.as_bytes())?;
        let database = context.database();
        let allows = |part: &Part| part.databases.hold(database) && part.user.may_run(context.arguments()).is_ok();
        let left = parts.iter().enumerate().filter(|(_, part)| allows(part)).map(|(number, _)| number).collect();
        Some(Self { parts, left })
    }

    /// Whether one of the parts that allowed all so far allows this as well.
    pub fn allow(&mut self, key: Handle<'_>, access: Access) -> bool {
        self.left.retain(|number| self.parts[*number].user.may(key, access));
        !self.left.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(acl: &str) -> Option<Vec<(String, Databases)>> {
        let text = |part: &Rules<'_>| String::from_utf8_lossy(&part.rules.join(&b' ')).into_owned();
        Some(parts(acl.as_bytes())?.iter().map(|part| (text(part), part.databases.clone())).collect())
    }

    #[test]
    fn root_and_selectors_are_told_apart() {
        let all = |rules: &str| (rules.to_owned(), Databases::All);
        let acl = "on #30c9 ~app:* resetchannels +@all (~sh:* resetchannels -@all +sh.get) (%R~x &* +@all)";
        let expected = ["on ~app:* resetchannels +@all", "~sh:* resetchannels -@all +sh.get", "%R~x &* +@all"];
        assert_eq!(read(acl), Some(expected.map(all).to_vec()));
        assert_eq!(read("on nopass ~* &* +@all"), Some(vec![all("on nopass ~* &* +@all")]));
        assert_eq!(read("off -@all (-@all)"), Some(vec![all("off -@all"), all("-@all")]));
    }

    #[test]
    fn parentheses_in_patterns_end_no_selector() {
        let all = |rules: &str| (rules.to_owned(), Databases::All);
        assert_eq!(read("on ~a) +@all (~b) ~(c +get)"), Some(vec![all("on ~a) +@all"), all("~b) ~(c +get")]));
        assert_eq!(read("on ~a(b) -@all"), Some(vec![all("on ~a(b) -@all")]));
    }

    #[test]
    fn databases_of_valkey_are_kept_apart_from_the_rules() {
        let acl = "on ~a db=0,12 +@all (~b resetdbs -@all) (~c alldbs +get)";
        let expected = [
            ("on ~a +@all", Databases::Only(vec![0, 12])),
            ("~b -@all", Databases::Only(vec![])),
            ("~c +get", Databases::All),
        ];
        assert_eq!(read(acl), Some(expected.map(|(rules, databases)| (rules.to_owned(), databases)).to_vec()));
        assert!(Databases::Only(vec![0, 12]).hold(12) && !Databases::Only(vec![0, 12]).hold(1));
    }

    #[test]
    fn what_is_not_understood_is_nothing() {
        for acl in ["on (~a +get", "on (~a (~b)", "on ~a db=x (+get)", "on ("] {
            assert_eq!(read(acl), None, "{acl}");
        }
    }

    #[test]
    fn whether_there_are_selectors_is_seen_at_the_end() {
        assert!(has_selectors(b"on ~a +@all (~b +get)"));
        assert!(!has_selectors(b"on ~a(b) +@all"));
    }

    #[test]
    fn a_signature_is_of_the_rules_and_not_of_passwords() {
        assert_eq!(signature(b"on #30c9 #aabb ~a +@all (~b +get)"), b"on ~a +@all (~b +get)");
    }
}

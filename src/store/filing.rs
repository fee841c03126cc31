//! The name that a session is filed under: on that name's list, and as its shared session.
//!
//! The name is text in the session's hash, and anyone with access to the key could have written it. In a cluster a key made
//! of a name of another slot would be put into the slot of the running command, where nobody finds it: the server then
//! counts it twice, cannot load its own dump, and its replicas crash. So no key is ever made of a stored name but through
//! this file.

use super::{Key, Store};
use sessions_core::session::Meta;
use sessions_core::slot;

/// Whether keys made of a name belong beside a session. A single server has one place for all; in a cluster both have to
/// be of one slot, as they are unless somebody wrote the name by hand or loaded the session from elsewhere.
pub fn together(is_cluster: bool, token: &[u8], name: &[u8]) -> bool {
    !is_cluster || slot::of(token) == slot::of(name)
}

/// The same, for the database that a command runs on.
pub fn are_together<S: Store>(store: &S, token: &[u8], name: &[u8]) -> bool {
    together(store.is_cluster(), token, name)
}

/// The name that an open session is filed under. A session with a name of another slot is neither listed nor shared,
/// whatever its hash says.
pub fn name_of<K: Key>(key: &K) -> Option<K::Value> {
    key.field(Meta::Name).filter(|name| key.is_beside(name.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_cluster_compares_slots() {
        let (token, near, far) = (b"sh:{alice}", b"alice", b"bob");
        assert!(together(true, token, near) && !together(true, token, far));
        assert!(together(false, token, near) && together(false, token, far));
    }
}

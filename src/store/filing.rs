//! The name that a session is filed under: on that name's list, and as its shared session.
//!
//! The name is text in the session's hash, and anyone with access to the key could have written it. In a cluster, a key made
//! of a name of another slot would be stored in the slot of the running command. The server would then count it twice, could
//! not load its own dump, and its replicas would crash. So only [`name_of`] makes a stored name fit for a key.

use super::{Key, Store};
use sessions_core::session::Meta;
use sessions_core::slot;

/// Whether keys made of this name may be stored beside this session: always on a single server, and in a cluster if both
/// are of one slot. They are, unless somebody wrote the name by hand or loaded the session from another server.
pub fn together(is_cluster: bool, token: &[u8], name: &[u8]) -> bool {
    !is_cluster || slot::of(token) == slot::of(name)
}

/// [`together`], for the server of this store.
pub fn are_together<S: Store>(store: &S, token: &[u8], name: &[u8]) -> bool {
    together(store.is_cluster(), token, name)
}

/// The name that an open session is filed under. `None` if the name is of another slot: such a session is neither listed
/// nor shared, whatever its flags say.
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

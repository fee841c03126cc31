//! What a key holds in each database, as far as it is known for certain.

use std::collections::BTreeMap;

/// What is known of the key in one database.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Copy {
    /// It holds this.
    Known(Vec<u8>),
    /// The server evicted it. It held this, and nothing has taken its place.
    Evicted(Vec<u8>),
    /// It was written to, and has to be looked at.
    Unsure,
}

/// What the key holds in each database; of one that is not there, nothing is known or nothing is there.
#[derive(Debug, Default)]
pub struct Copies(BTreeMap<u32, Copy>);

impl Copies {
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// It was written to, deleted, or both.
    pub fn changed(&mut self, database: u32) {
        self.0.insert(database, Copy::Unsure);
    }

    pub fn evicted(&mut self, database: u32) {
        // Of what was written just before and not looked at yet there is no copy. An older one must not take its place.
        if let Some(Copy::Known(value)) = self.0.remove(&database) {
            self.0.insert(database, Copy::Evicted(value));
        }
    }

    /// What was found in it, if that is to be kept.
    pub fn found(&mut self, database: u32, value: Option<Vec<u8>>) {
        match value {
            Some(value) => self.0.insert(database, Copy::Known(value)),
            None => self.0.remove(&database),
        };
    }

    /// What the key held that was evicted from this database.
    pub fn lost(&self, database: u32) -> Option<Vec<u8>> {
        match self.0.get(&database) {
            Some(Copy::Evicted(value)) => Some(value.clone()),
            _ => None,
        }
    }

    /// The databases where it has to be looked at, or written again.
    pub fn unsettled(&self) -> Vec<u32> {
        let unsettled = self.0.iter().filter(|(_, copy)| !matches!(copy, Copy::Known(_)));
        unsettled.map(|(database, _)| *database).collect()
    }

    pub fn flushed(&mut self, database: u32) {
        self.0.remove(&database);
    }

    pub fn all_flushed(&mut self) {
        self.0.clear();
    }

    pub fn swapped(&mut self, one: u32, other: u32) {
        let copies = (self.0.remove(&one), self.0.remove(&other));
        self.0.extend(copies.0.map(|copy| (other, copy)));
        self.0.extend(copies.1.map(|copy| (one, copy)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(value: &str) -> Copies {
        let mut copies = Copies::new();
        copies.found(0, Some(value.into()));
        copies
    }

    #[test]
    fn what_was_evicted_is_known_until_something_is_there_again() {
        let mut copies = holding("a");
        assert_eq!((copies.lost(0), copies.unsettled()), (None, vec![]));
        copies.evicted(0);
        assert_eq!((copies.lost(0), copies.unsettled()), (Some(b"a".to_vec()), vec![0]));
        copies.evicted(0);
        assert_eq!(copies.lost(0), None, "nothing is evicted twice");
        let mut copies = holding("a");
        copies.evicted(0);
        copies.changed(0);
        assert_eq!((copies.lost(0), copies.unsettled()), (None, vec![0]));
        copies.found(0, Some(b"b".to_vec()));
        assert_eq!((copies.lost(0), copies.unsettled()), (None, vec![]));
    }

    #[test]
    fn what_was_replaced_or_deleted_never_comes_back() {
        let gone: [fn(&mut Copies); 4] = [
            |copies| copies.changed(0),
            |copies| copies.flushed(0),
            Copies::all_flushed,
            |copies| copies.found(0, None),
        ];
        for go in gone {
            let mut before = holding("a");
            go(&mut before);
            before.evicted(0);
            assert_eq!(before.lost(0), None, "then evicted");
            let mut after = holding("a");
            after.evicted(0);
            go(&mut after);
            assert_eq!(after.lost(0), None, "evicted before");
        }
    }

    #[test]
    fn each_database_has_its_own() {
        let mut copies = holding("a");
        copies.found(1, Some(b"b".to_vec()));
        copies.evicted(1);
        assert_eq!((copies.lost(0), copies.lost(1)), (None, Some(b"b".to_vec())));
        copies.swapped(1, 2);
        assert_eq!((copies.lost(1), copies.lost(2)), (None, Some(b"b".to_vec())));
        copies.swapped(0, 2);
        copies.evicted(2);
        assert_eq!((copies.lost(0), copies.lost(2)), (Some(b"b".to_vec()), Some(b"a".to_vec())));
        copies.flushed(0);
        assert_eq!((copies.lost(0), copies.lost(2)), (None, Some(b"a".to_vec())));
    }
}

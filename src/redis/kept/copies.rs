//! The copies of the kept key, one for each database.

use std::collections::BTreeMap;

/// What the module knows about the key in one database.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Copy {
    /// The key has this value.
    Known(Vec<u8>),
    /// The server evicted the key, which had this value, and no command has written the key since.
    Evicted(Vec<u8>),
    /// A command wrote or deleted the key, and the module has not read it since.
    Unread,
}

/// The copies by database. A database without a copy has no key, or none that the module keeps.
#[derive(Debug, Default)]
pub struct Copies(BTreeMap<u32, Copy>);

impl Copies {
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// A command wrote or deleted the key.
    pub fn changed(&mut self, database: u32) {
        self.0.insert(database, Copy::Unread);
    }

    /// The server evicted the key.
    pub fn evicted(&mut self, database: u32) {
        // A value that was written and not read yet has no copy. An older copy must not take its place.
        if let Some(Copy::Known(value)) = self.0.remove(&database) {
            self.0.insert(database, Copy::Evicted(value));
        }
    }

    /// The module read the key: the value, or `None` if it keeps none.
    pub fn found(&mut self, database: u32, value: Option<Vec<u8>>) {
        match value {
            Some(value) => self.0.insert(database, Copy::Known(value)),
            None => self.0.remove(&database),
        };
    }

    /// The evicted value of this database.
    pub fn lost(&self, database: u32) -> Option<Vec<u8>> {
        match self.0.get(&database) {
            Some(Copy::Evicted(value)) => Some(value.clone()),
            _ => None,
        }
    }

    /// The databases where the module has to read the key, or write it again.
    pub fn to_read(&self) -> Vec<u32> {
        let to_read = self.0.iter().filter(|(_, copy)| !matches!(copy, Copy::Known(_)));
        to_read.map(|(database, _)| *database).collect()
    }

    /// The database was emptied.
    pub fn flushed(&mut self, database: u32) {
        self.0.remove(&database);
    }

    /// All databases were emptied.
    pub fn all_flushed(&mut self) {
        self.0.clear();
    }

    /// Two databases changed places.
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
    fn an_evicted_value_is_known_until_the_key_is_there_again() {
        let mut copies = holding("a");
        assert_eq!((copies.lost(0), copies.to_read()), (None, vec![]));
        copies.evicted(0);
        assert_eq!((copies.lost(0), copies.to_read()), (Some(b"a".to_vec()), vec![0]));
        copies.evicted(0);
        assert_eq!(copies.lost(0), None, "nothing is evicted twice");
        let mut copies = holding("a");
        copies.evicted(0);
        copies.changed(0);
        assert_eq!((copies.lost(0), copies.to_read()), (None, vec![0]));
        copies.found(0, Some(b"b".to_vec()));
        assert_eq!((copies.lost(0), copies.to_read()), (None, vec![]));
    }

    #[test]
    fn a_replaced_or_deleted_value_never_comes_back() {
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
    fn each_database_has_its_own_copy() {
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

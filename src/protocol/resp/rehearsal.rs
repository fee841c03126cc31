//! A sink that only counts, to find out whether a reply can be written.

use super::sink::{Sink, Unsupported};

/// Counts values and writes nothing: each map and array must have as many elements as announced.
pub struct Rehearsal {
    owed: usize,
}

impl Default for Rehearsal {
    /// One reply is to come.
    fn default() -> Self {
        Self { owed: 1 }
    }
}

impl Rehearsal {
    /// Fails unless exactly one reply has come.
    pub fn end(self) -> Result<(), Unsupported> {
        if self.owed == 0 { Ok(()) } else { Err(Unsupported) }
    }

    fn value(&mut self, owes: usize) {
        self.owed = self.owed.wrapping_add(owes).wrapping_sub(1);
    }
}

impl Sink for Rehearsal {
    fn map(&mut self, entries: usize) {
        self.value(entries.wrapping_mul(2));
    }

    fn array(&mut self, elements: usize) {
        self.value(elements);
    }

    fn bytes(&mut self, _: &[u8]) {
        self.value(0);
    }

    fn integer(&mut self, _: i64) {
        self.value(0);
    }

    fn boolean(&mut self, _: bool) {
        self.value(0);
    }

    fn null(&mut self) {
        self.value(0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::write;
    use super::*;
    use serde::Serialize;
    use serde::ser::{SerializeSeq, Serializer};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// Whether anything was written.
    #[derive(Default)]
    struct Touched(bool);

    impl Sink for Touched {
        fn map(&mut self, _: usize) {
            self.0 = true;
        }
        fn array(&mut self, _: usize) {
            self.0 = true;
        }
        fn bytes(&mut self, _: &[u8]) {
            self.0 = true;
        }
        fn integer(&mut self, _: i64) {
            self.0 = true;
        }
        fn boolean(&mut self, _: bool) {
            self.0 = true;
        }
        fn null(&mut self) {
            self.0 = true;
        }
    }

    /// An array that announces two elements and has others, or none that can be written.
    enum Reply {
        Numbers(&'static [u8]),
        Unsupported,
        Panics,
    }

    impl Serialize for Reply {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut array = serializer.serialize_seq(Some(2))?;
            match self {
                Self::Numbers(numbers) => numbers.iter().try_for_each(|number| array.serialize_element(number))?,
                Self::Unsupported => array.serialize_element(&0.5)?,
                Self::Panics => panic!("in the middle of a reply"),
            }
            array.end()
        }
    }

    #[test]
    fn of_a_reply_that_fails_nothing_is_written() {
        let written = |reply: Reply| {
            let mut sink = Touched::default();
            let done = catch_unwind(AssertUnwindSafe(|| write(&mut sink, &reply).is_ok()));
            (done.unwrap_or(false), sink.0)
        };
        assert_eq!(written(Reply::Numbers(&[1, 2])), (true, true));
        for failing in [Reply::Unsupported, Reply::Panics, Reply::Numbers(&[1]), Reply::Numbers(&[1, 2, 3])] {
            assert_eq!(written(failing), (false, false));
        }
    }
}

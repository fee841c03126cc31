//! The module on real servers, over RESP. One file a command, and one for each thing that concerns them all.

mod support;

mod open;

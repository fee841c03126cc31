//! Panics of the module: none reaches the server, which would abort.

use super::log::{Level, log};
use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};

thread_local! {
    /// Where the last panic began, for the log.
    static PANICKED_AT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps panics of this module from writing to the server's standard error: their messages could hold anything.
pub fn silence_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        PANICKED_AT.with_borrow_mut(|at| *at = place);
    }));
}

/// Runs `work`. If it panics, that is logged, by its place in the source alone.
pub fn guard<R>(what: &str, work: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    caught(what, work).inspect_err(|_| {
        let place = PANICKED_AT.take();
        log(Level::Warning, &format!("{what} failed at {place}; please report this"));
    })
}

/// Runs `work`. If it panics, the panic is the caller's: to be resumed where no function of the server is in between.
pub fn caught<R>(what: &str, work: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    panic::catch_unwind(AssertUnwindSafe(|| {
        #[cfg(debug_assertions)]
        fail_if_a_test_says_so(what);
        #[cfg(not(debug_assertions))]
        let _ = what;
        work()
    }))
}

/// Panics where a test wants to see that panics are caught: the variable names a file, which holds the name of what fails.
/// It is in no release.
#[cfg(debug_assertions)]
fn fail_if_a_test_says_so(what: &str) {
    use std::{env, ffi::OsString, fs, sync::LazyLock};
    static FILE: LazyLock<Option<OsString>> = LazyLock::new(|| env::var_os("SH_TEST_PANIC_FILE"));
    let fails = FILE.as_ref().and_then(|file| fs::read_to_string(file).ok());
    assert!(fails.is_none_or(|fails| fails != what), "a test says so");
}

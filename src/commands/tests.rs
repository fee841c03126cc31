//! The commands' rules, on the store in memory: no server, and a clock that the test sets.

mod credentials;
mod lifetime_table;
mod lifetimes;
mod lists;
mod lives;
mod model;
mod rules;

use super::*;
use crate::store::memory::Memory;
use serde_json::Value;

/// Runs one command, as typed, and answers in JSON, or with the status.
pub fn call(store: &mut Memory, line: &[&str]) -> Result<Value, Status> {
    answer(store, line).map_err(|error| error.status)
}

/// Runs one command, as typed, and answers in JSON, or with the whole error.
pub fn answer(store: &mut Memory, line: &[&str]) -> Result<Value, Error> {
    fn run<C: Command>(store: &mut Memory, args: Args<'_>) -> Result<Value, Error> {
        let (request, _) = C::parse(args)?;
        let reply = C::run(store, request)?;
        Ok(serde_json::to_value(reply).expect("JSON"))
    }
    let args: Vec<_> = line[1..].iter().map(|arg| Bytes::from(arg.as_bytes())).collect();
    let args = Args::new(&args);
    match line[0] {
        "SH.NEW" => run::<new::New>(store, args),
        "SH.OPEN" => run::<open::Open>(store, args),
        "SH.INFO" => run::<info::Info>(store, args),
        "SH.EXISTS" => run::<exists::Exists>(store, args),
        "SH.END" => run::<end::End>(store, args),
        "SH.TOUCH" => run::<touch::Touch>(store, args),
        "SH.SET" => run::<set::Set>(store, args),
        "SH.GET" => run::<get::Get>(store, args),
        "SH.LIST" => run::<list::List>(store, args),
        "SH.ENDALL" => run::<endall::EndAll>(store, args),
        "SH.VERIFY" => run::<verify::Verify>(store, args),
        "SH.CHECK" => run::<check::Check>(store, args),
        "SH.RESUME" => run::<resume::Resume>(store, args),
        "SH.REFRESH" => run::<refresh::Refresh>(store, args),
        "SH.PAYLOAD" => run::<payload::Payload>(store, args),
        "SH.REGENERATE" => run::<regenerate::Regenerate>(store, args),
        "SH.JWKS" => run::<jwks::Jwks>(store, args),
        "SH.CLEARCOOKIES" => run::<clearcookies::ClearCookies>(store, args),
        "SH.ADD" => run::<add::Add>(store, args),
        "SH.RMV" => run::<rmv::Rmv>(store, args),
        "SH.COUNT" => run::<count::Count>(store, args),
        "SH.KEYS" => run::<keys::Keys>(store, args),
        "SH.CONTAINS" => run::<contains::Contains>(store, args),
        "SH.CLEAR" => run::<clear::Clear>(store, args),
        "SH.CLEARSET" => run::<clearset::ClearSet>(store, args),
        other => panic!("no command {other}"),
    }
}

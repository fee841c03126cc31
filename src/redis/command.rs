//! What the server is told of a command: its flags, its keys and its documentation.

use super::api::{api, optional};
use super::context::Context;
use redis_module::raw;
use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;

/// All that COMMAND INFO, DOCS and GETKEYS tell of a command.
pub struct Spec {
    /// As typed, in capitals: `SH.NEW`.
    pub name: &'static str,
    pub summary: &'static str,
    pub complexity: &'static str,
    pub since: &'static str,
    /// The number of arguments, the command's name included, below which the server itself refuses. The module reports what
    /// is missing beyond that as VALUEMISSING.
    pub min_args: i32,
    /// The flags of RedisModule_CreateCommand.
    pub flags: &'static str,
    /// Which arguments are kept out of SLOWLOG and MONITOR.
    pub secrets: Secrets,
    pub routing: Routing,
    pub args: &'static [Arg],
}

impl Spec {
    /// The categories of access control that the command belongs to.
    fn categories(&self) -> String {
        let has = |flag| self.flags.split(' ').any(|own| own == flag);
        let access = if has("write") { "write" } else { "read" };
        let speed = if has("fast") { "fast" } else { "slow" };
        let own = if optional!(RedisModule_AddACLCategory).is_some() { " session" } else { "" };
        format!("{access} {speed}{own}")
    }
}

/// Which arguments of a command are, or may be, credentials, beside what is no token in the place of one.
pub enum Secrets {
    None,
    /// All from this position on; 0 is the command's own name.
    From(usize),
    /// From this position on tokens are due: what is none.
    UnlessTokens(usize),
    /// What follows the keyword BIND; and options in JSON, which may hold it however it is spelled.
    Bind,
}

/// What the first argument is; it alone decides which node of a cluster gets the command.
pub enum Routing {
    /// A session's token.
    Token(KeyUse),
    /// Tokens up to the last argument.
    Tokens(KeyUse),
    /// A name. It routes like a key, and is none: access control lists are checked against the keys made of it.
    Name(KeyUse),
    /// No key at all: any node of a cluster will do.
    Anywhere,
}

/// What a command does with the keys that its first argument stands for.
#[derive(Clone, Copy)]
pub enum KeyUse {
    Read,
    Update,
    /// Changes the key and returns what it holds: who may only write is refused.
    UpdateAndRead,
    Insert,
    Delete,
}

impl KeyUse {
    fn flags(self) -> u32 {
        match self {
            Self::Read => raw::REDISMODULE_CMD_KEY_RO | raw::REDISMODULE_CMD_KEY_ACCESS,
            Self::Update => raw::REDISMODULE_CMD_KEY_RW | raw::REDISMODULE_CMD_KEY_UPDATE,
            Self::UpdateAndRead => {
                raw::REDISMODULE_CMD_KEY_RW | raw::REDISMODULE_CMD_KEY_ACCESS | raw::REDISMODULE_CMD_KEY_UPDATE
            }
            Self::Insert => raw::REDISMODULE_CMD_KEY_OW | raw::REDISMODULE_CMD_KEY_INSERT,
            Self::Delete => raw::REDISMODULE_CMD_KEY_RM | raw::REDISMODULE_CMD_KEY_DELETE,
        }
    }
}

/// One argument in COMMAND DOCS.
pub struct Arg {
    name: &'static str,
    kind: ArgKind,
    token: Option<&'static str>,
    optional: bool,
    multiple: bool,
}

enum ArgKind {
    Key,
    String,
    Integer,
    /// The token alone, as in `SHARED`.
    Flag,
    OneOf(&'static [Arg]),
    Block(&'static [Arg]),
}

impl Arg {
    const fn new(name: &'static str, kind: ArgKind) -> Self {
        Self { name, kind, token: None, optional: false, multiple: false }
    }

    /// The key that the first argument is.
    pub const fn key(name: &'static str) -> Self {
        Self::new(name, ArgKind::Key)
    }

    pub const fn string(name: &'static str) -> Self {
        Self::new(name, ArgKind::String)
    }

    pub const fn integer(name: &'static str) -> Self {
        Self::new(name, ArgKind::Integer)
    }

    pub const fn flag(name: &'static str, token: &'static str) -> Self {
        Self::new(name, ArgKind::Flag).token(token)
    }

    pub const fn one_of(name: &'static str, args: &'static [Self]) -> Self {
        Self::new(name, ArgKind::OneOf(args))
    }

    pub const fn block(name: &'static str, args: &'static [Self]) -> Self {
        Self::new(name, ArgKind::Block(args))
    }

    /// The word that comes before the argument.
    pub const fn token(mut self, token: &'static str) -> Self {
        self.token = Some(token);
        self
    }

    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    pub const fn multiple(mut self) -> Self {
        self.multiple = true;
        self
    }
}

pub type Handler = unsafe extern "C" fn(*mut raw::RedisModuleCtx, *mut *mut raw::RedisModuleString, c_int) -> c_int;

/// A C string that is never freed. What the server is told of a command are nested arrays of such strings, a few
/// kilobytes once per load: leaking them is simpler than keeping them all alive until the server has copied them.
fn leaked(text: &str) -> *const c_char {
    let text = CString::new(text).unwrap_or_default();
    let text: &'static CStr = Box::leak(text.into_boxed_c_str());
    text.as_ptr()
}

/// The arguments as the server wants them: an array that ends in an entry of zeros.
fn raw_args(args: &'static [Arg]) -> *mut raw::RedisModuleCommandArg {
    let convert = |arg: &'static Arg| {
        let (kind, subargs) = match &arg.kind {
            ArgKind::Key => (raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_KEY, None),
            ArgKind::String => (raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_STRING, None),
            ArgKind::Integer => (raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_INTEGER, None),
            ArgKind::Flag => (raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_PURE_TOKEN, None),
            ArgKind::OneOf(args) => (raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_ONEOF, Some(*args)),
            ArgKind::Block(args) => (raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_BLOCK, Some(*args)),
        };
        let optional = if arg.optional { raw::REDISMODULE_CMD_ARG_OPTIONAL } else { 0 };
        let multiple = if arg.multiple { raw::REDISMODULE_CMD_ARG_MULTIPLE } else { 0 };
        raw::RedisModuleCommandArg {
            name: leaked(arg.name),
            type_: kind,
            key_spec_index: if matches!(arg.kind, ArgKind::Key) { 0 } else { -1 },
            token: arg.token.map_or(ptr::null(), leaked),
            summary: ptr::null(),
            since: ptr::null(),
            flags: (optional | multiple) as c_int,
            deprecated_since: ptr::null(),
            subargs: subargs.map_or(ptr::null_mut(), raw_args),
            display_text: ptr::null(),
        }
    };
    // SAFETY: the type consists of integers and pointers, for all of which zero is a value.
    let end: raw::RedisModuleCommandArg = unsafe { std::mem::zeroed() };
    let args: Vec<_> = args.iter().map(convert).chain([end]).collect();
    Box::leak(args.into_boxed_slice()).as_mut_ptr()
}

/// The one key specification of a command, ending in an entry of zeros.
fn raw_key_specs(routing: &Routing) -> *mut raw::RedisModuleCommandKeySpec {
    // SAFETY: the type consists of integers, pointers and unions of them, for all of which zero is a value.
    let end: raw::RedisModuleCommandKeySpec = unsafe { std::mem::zeroed() };
    let (flags, last) = match routing {
        Routing::Anywhere => return Box::leak(Box::new([end])).as_mut_ptr(),
        Routing::Token(key_use) => (key_use.flags(), 0),
        Routing::Tokens(key_use) => (key_use.flags(), -1),
        Routing::Name(key_use) => (key_use.flags() | raw::REDISMODULE_CMD_KEY_NOT_KEY, 0),
    };
    let mut spec = end;
    spec.flags = u64::from(flags);
    spec.begin_search_type = raw::RedisModuleKeySpecBeginSearchType_REDISMODULE_KSPEC_BS_INDEX;
    spec.bs.index.pos = 1;
    spec.find_keys_type = raw::RedisModuleKeySpecFindKeysType_REDISMODULE_KSPEC_FK_RANGE;
    spec.fk.range.lastkey = last;
    spec.fk.range.keystep = 1;
    Box::leak(Box::new([spec, end])).as_mut_ptr()
}

/// Makes a command known to the server. The error says what the server refused.
pub fn register(context: &Context, spec: &'static Spec, handler: Handler) -> Result<(), String> {
    let ok = |status: c_int| status as isize == raw::REDISMODULE_OK;
    let name = leaked(spec.name);
    let (first_key, last_key, step) = match spec.routing {
        Routing::Token(_) | Routing::Name(_) => (1, 1, 1),
        Routing::Tokens(_) => (1, -1, 1),
        Routing::Anywhere => (0, 0, 0),
    };
    // SAFETY: the context is that of the loading module, and all strings live for ever.
    let created = unsafe {
        api!(RedisModule_CreateCommand)(
            context.as_ptr(),
            name,
            Some(handler),
            leaked(spec.flags),
            first_key,
            last_key,
            step,
        )
    };
    if !ok(created) {
        return Err(format!("the server refused to create {}", spec.name));
    }
    // SAFETY: the context and the name are valid.
    let command = unsafe { api!(RedisModule_GetCommand)(context.as_ptr(), name) };
    let version = Box::leak(Box::new(raw::RedisModuleCommandInfoVersion {
        version: 1,
        sizeof_historyentry: size_of::<raw::RedisModuleCommandHistoryEntry>(),
        sizeof_keyspec: size_of::<raw::RedisModuleCommandKeySpec>(),
        sizeof_arg: size_of::<raw::RedisModuleCommandArg>(),
    }));
    let info = raw::RedisModuleCommandInfo {
        version,
        summary: leaked(spec.summary),
        complexity: leaked(spec.complexity),
        since: leaked(spec.since),
        history: ptr::null_mut(),
        tips: ptr::null(),
        arity: -spec.min_args,
        key_specs: raw_key_specs(&spec.routing),
        args: if spec.args.is_empty() { ptr::null_mut() } else { raw_args(spec.args) },
    };
    // SAFETY: the command was just created, and the info and all that it points to live long enough.
    let documented = unsafe { api!(RedisModule_SetCommandInfo)(command, &info) };
    if !ok(documented) {
        return Err(format!("the server refused the description of {}", spec.name));
    }
    if let Some(set_categories) = optional!(RedisModule_SetCommandACLCategories) {
        let categories = leaked(&spec.categories());
        // SAFETY: the command was just created, and the string lives for ever.
        let set = unsafe { set_categories(command, categories) };
        if !ok(set) {
            return Err(format!("the server refused the access control categories of {}", spec.name));
        }
    }
    Ok(())
}

/// Makes a category of access control of our own, `@session`, where the server knows such: from Redis 7.4 on.
pub fn add_category(context: &Context) {
    if let Some(add) = optional!(RedisModule_AddACLCategory) {
        // SAFETY: the context is that of the loading module; the server copies the name, which ends in NUL.
        unsafe { add(context.as_ptr(), c"session".as_ptr()) };
    }
}

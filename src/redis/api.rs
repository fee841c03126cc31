//! The functions of the server that this module calls.
//!
//! The crate keeps each as an `Option` that the server fills in at load. [`first_missing`] checks once, at load, that all of
//! [`required`] are there; from then on `api!` takes them as given.

macro_rules! required {
    ($($function:ident)*) => {
        /// One constant for each required function: `api!` does not compile for a function that is not on the list.
        #[allow(non_upper_case_globals, reason = "they bear the names of the functions")]
        pub mod required {
            $(pub const $function: () = ();)*
        }

        /// The first required function that this server lacks.
        pub fn first_missing() -> Option<&'static str> {
            $(
                // SAFETY: `Export_RedisModule_Init` has filled the statics, in `on_load`; nothing writes them afterwards.
                if unsafe { redis_module::raw::$function }.is_none() {
                    return Some(stringify!($function));
                }
            )*
            None
        }
    };
}

required! {
    RedisModule_ACLCheckCommandPermissions
    RedisModule_ACLCheckKeyPermissions
    RedisModule_Call
    RedisModule_CallReplyArrayElement
    RedisModule_CallReplyStringPtr
    RedisModule_CloseKey
    RedisModule_CreateCommand
    RedisModule_CreateModuleUser
    RedisModule_CreateString
    RedisModule_CreateTimer
    RedisModule_FreeCallReply
    RedisModule_FreeModuleUser
    RedisModule_FreeServerInfo
    RedisModule_FreeString
    RedisModule_GetAbsExpire
    RedisModule_GetClientId
    RedisModule_GetClientUserNameById
    RedisModule_GetCommand
    RedisModule_GetContextFlags
    RedisModule_GetCurrentUserName
    RedisModule_GetModuleUserACLString
    RedisModule_GetModuleUserFromUserName
    RedisModule_GetSelectedDb
    RedisModule_GetServerInfo
    RedisModule_HashGet
    RedisModule_HashSet
    RedisModule_InfoAddFieldCString
    RedisModule_InfoAddFieldULongLong
    RedisModule_InfoAddSection
    RedisModule_KeyType
    RedisModule_LoadConfigs
    RedisModule_Log
    RedisModule_Milliseconds
    RedisModule_NotifyKeyspaceEvent
    RedisModule_OpenKey
    RedisModule_RedactClientCommandArgument
    RedisModule_RegisterInfoFunc
    RedisModule_RegisterStringConfig
    RedisModule_Replicate
    RedisModule_ReplyWithArray
    RedisModule_ReplyWithBool
    RedisModule_ReplyWithError
    RedisModule_ReplyWithLongLong
    RedisModule_ReplyWithMap
    RedisModule_ReplyWithNull
    RedisModule_ReplyWithStringBuffer
    RedisModule_ScanCursorCreate
    RedisModule_ScanCursorDestroy
    RedisModule_ScanKey
    RedisModule_SelectDb
    RedisModule_ServerInfoGetFieldC
    RedisModule_SetAbsExpire
    RedisModule_SetCommandInfo
    RedisModule_SetModuleOptions
    RedisModule_SetModuleUserACL
    RedisModule_SignalModifiedKey
    RedisModule_StringDMA
    RedisModule_StringPtrLen
    RedisModule_StringSet
    RedisModule_SubscribeToKeyspaceEvents
    RedisModule_SubscribeToServerEvent
    RedisModule_UnlinkKey
    RedisModule_ValueLength
    RedisModule_ZsetAdd
    RedisModule_ZsetFirstInScoreRange
    RedisModule_ZsetLastInScoreRange
    RedisModule_ZsetRangeCurrentElement
    RedisModule_ZsetRangeNext
    RedisModule_ZsetRangeStop
    RedisModule_ZsetRem
    RedisModule_ZsetScore
}

/// The value of a function pointer that is known to be there.
///
/// # Safety
/// `function` points to a static of the module API, and the server has the function: [`first_missing`] found none missing,
/// or the caller has looked.
#[inline(always)]
pub unsafe fn loaded<F: Copy>(function: *const Option<F>) -> F {
    // SAFETY: `Export_RedisModule_Init` has filled the statics, in `on_load`; nothing writes them afterwards.
    let function = unsafe { *function };
    // SAFETY: the caller's contract; a module that lacks one of its functions refuses to load.
    unsafe { function.unwrap_unchecked() }
}

/// A required function of the server, to be called: `api!(RedisModule_KeyType)(key)`. For use in an `unsafe` block.
macro_rules! api {
    ($function:ident) => {{
        let () = $crate::redis::api::required::$function;
        #[allow(unused_unsafe, reason = "the call around it is unsafe for a reason of its own")]
        // SAFETY: the function is on the list of those that were found at load.
        let function = unsafe { $crate::redis::api::loaded(&raw const redis_module::raw::$function) };
        function
    }};
}
pub(super) use api;

/// A function that not every server has.
macro_rules! optional {
    ($function:ident) => {
        // SAFETY: `Export_RedisModule_Init` has filled the statics, in `on_load`; nothing writes them afterwards.
        unsafe { redis_module::raw::$function }
    };
}
pub(super) use optional;

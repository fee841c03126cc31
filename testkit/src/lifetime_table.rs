//! Every combination of lifetimes, and when which part of the session goes. In seconds since its creation.

/// A session is made with data, and something is done with it once, after half a minute.
pub struct Case {
    /// The options of SH.NEW.
    pub options: &'static str,
    /// `sh.max-lifetime`; 0 for none.
    pub max: u64,
    /// When the session ends if it is left alone, or only read.
    pub ends: Option<u64>,
    /// When it ends if it is touched, or written to.
    pub touched_ends: Option<u64>,
    /// When its data goes before the session does.
    pub data_goes: Option<u64>,
}

/// When something is done with the session.
pub const DONE_AFTER: u64 = 30;

const fn case(
    options: &'static str,
    max: u64,
    ends: Option<u64>,
    touched_ends: Option<u64>,
    data_goes: Option<u64>,
) -> Case {
    Case { options, max, ends, touched_ends, data_goes }
}

#[rustfmt::skip]
pub const CASES: [Case; 18] = [
    //   options                       max  left alone  touched     data
    case("",                             0, None,       None,       None),
    case("EXPIRY 100 DELETE",            0, Some(100),  Some(100),  None),
    case("EXPIRY 100 CLEAR",             0, None,       None,       Some(100)),
    case("IDLE 80",                      0, Some(80),   Some(110),  None),
    case("EXPIRY 100 DELETE IDLE 80",    0, Some(80),   Some(100),  None),
    case("EXPIRY 60 CLEAR IDLE 80",      0, Some(80),   Some(110),  Some(60)),
    // A limit that ends everything first.
    case("",                            50, Some(50),   Some(50),   None),
    case("EXPIRY 100 DELETE",           50, Some(50),   Some(50),   None),
    case("EXPIRY 40 CLEAR",             50, Some(50),   Some(50),   Some(40)),
    case("IDLE 80",                     50, Some(50),   Some(50),   None),
    case("EXPIRY 100 DELETE IDLE 80",   50, Some(50),   Some(50),   None),
    case("EXPIRY 40 CLEAR IDLE 45",     50, Some(45),   Some(50),   Some(40)),
    // A limit that is farther away than the rest.
    case("",                           105, Some(105),  Some(105),  None),
    case("EXPIRY 100 DELETE",          105, Some(100),  Some(100),  None),
    case("EXPIRY 100 CLEAR",           105, Some(105),  Some(105),  Some(100)),
    case("IDLE 80",                    105, Some(80),   Some(105),  None),
    case("EXPIRY 100 DELETE IDLE 80",  105, Some(80),   Some(100),  None),
    case("EXPIRY 60 CLEAR IDLE 80",    105, Some(80),   Some(105),  Some(60)),
];

/// What is done: the command, and whether it touches the session.
pub const ACTS: [(&str, bool); 12] = [
    ("SH.EXISTS *", false),
    ("SH.INFO *", false),
    ("SH.GET * a", false),
    ("SH.COUNT *", false),
    ("SH.KEYS *", false),
    ("SH.CONTAINS * a", false),
    ("SH.TOUCH *", true),
    ("SH.SET * a 2", true),
    ("SH.ADD * b 2", true),
    ("SH.RMV * b", true),
    ("SH.ADD * a 2", true),
    ("SH.SET * b 2 c 3", true),
];

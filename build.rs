//! How the module is linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // What the module defines itself it also calls itself. Else the server's `sdallocx`, which belongs to the server's
    // allocator, would come before the module's own (src/redis/sdallocx.rs). Only linkers for ELF know the option; zig's,
    // which builds for older C libraries, knows no -Bsymbolic-functions.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-Bsymbolic");
    }
}

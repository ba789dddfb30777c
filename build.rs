//! Things cargo does not know by itself.

fn main() {
    // The macro that embeds them notices changed files, not new or removed ones.
    println!("cargo:rerun-if-changed=manifests");
    println!("cargo:rerun-if-changed=assets/dist");
    println!("cargo:rerun-if-changed=build.rs");
    // nng-sys forgets this library, and naming it earlier would put it too early on the link line.
    match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("windows") if std::env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("msvc") => println!("cargo:rustc-link-arg=advapi32.lib"),
        Ok("windows") => println!("cargo:rustc-link-arg=-ladvapi32"),
        _ => {}
    }
}

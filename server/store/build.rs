//! Builds anew when a migration is added: they are embedded, and the compiler only watches those it has seen.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}

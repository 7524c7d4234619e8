//! A release build carries the site in the binary: the folder must be there, and a new site means a new build.

fn main() -> std::io::Result<()> {
    std::fs::create_dir_all("../target/site")?;
    println!("cargo::rerun-if-changed=../target/site");
    Ok(())
}

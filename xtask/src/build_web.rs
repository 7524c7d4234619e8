//! Builds the browser half into `target/site`: WebAssembly and its glue, one style sheet, fonts and whatever else lies
//! in `public/`.
//!
//! Names are those that leptos' `HydrationScripts` asks for when `LEPTOS_OUTPUT_NAME` is `console` at compile time
//! (`.cargo/config.toml`): `/pkg/console.js` and `/pkg/console.wasm`.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::rust::Wasm;
use crate::site::Site;
use crate::style;

const NAME: &str = "console";

pub fn run(root: &Path, dev: bool) -> Result<()> {
    let started = Instant::now();
    let wasm = Wasm::find(root)?.build(dev)?;
    let wasm = fs::read(&wasm).with_context(|| format!("cannot read {}", wasm.display()))?;

    let mut site = Site::default();
    site.add_tree(&root.join("public"), "")?;
    site.add(&format!("pkg/{NAME}.css"), style::join(&root.join("style"))?);

    // The site always lies in the checkout, also when CARGO_TARGET_DIR does not: the server's build looks for it there.
    let target = root.join("target");
    let stamp = stamp(&site, &wasm)?;
    let stamp_file = target.join("site.stamp");
    let directory = target.join("site");
    if directory.is_dir() && fs::read_to_string(&stamp_file).ok().as_ref() == Some(&stamp) {
        eprintln!("target/site is up to date ({} ms)", started.elapsed().as_millis());
        return Ok(());
    }

    bind(&mut site, wasm, dev, &target.join("site.bindgen"))?;
    fs::create_dir_all(&directory)?;
    site.write(&directory, if dev { 5 } else { 11 })?;
    fs::write(&stamp_file, stamp)?;
    report(&directory)?;
    eprintln!("target/site is built ({:.1} s)", started.elapsed().as_secs_f64());
    Ok(())
}

/// What the site is made from: its inputs and this very program.
fn stamp(inputs: &Site, wasm: &[u8]) -> Result<String> {
    let tool = fs::read(std::env::current_exe()?)?;
    Ok(format!("{} {} {}", inputs.digest(), hex::encode(Sha256::digest(wasm)), hex::encode(Sha256::digest(tool))))
}

/// Adds the WebAssembly as the browser loads it, with its JavaScript glue.
fn bind(site: &mut Site, wasm: Vec<u8>, dev: bool, scratch: &Path) -> Result<()> {
    if scratch.exists() {
        fs::remove_dir_all(scratch)?;
    }
    Bindgen::new()
        .input_bytes(NAME, wasm)
        .web(true)?
        .debug(dev)
        .keep_debug(dev)
        .remove_name_section(!dev)
        .remove_producers_section(true)
        .typescript(false)
        .generate(scratch)
        .context("wasm-bindgen failed")?;
    fs::rename(scratch.join(format!("{NAME}_bg.wasm")), scratch.join(format!("{NAME}.wasm")))?;
    site.add_tree(scratch, "pkg/")?;
    fs::remove_dir_all(scratch)?;
    Ok(())
}

fn report(directory: &Path) -> Result<()> {
    eprintln!("{:>22} {:>10} {:>10} {:>10}", "bytes", "plain", "gzip", "brotli");
    for extension in ["wasm", "js", "css"] {
        let path = directory.join("pkg").join(NAME);
        let size = |suffix: &str| -> Result<u64> {
            Ok(fs::metadata(path.with_extension(format!("{extension}{suffix}")))?.len())
        };
        eprintln!(
            "{:>22} {:>10} {:>10} {:>10}",
            format!("pkg/{NAME}.{extension}"),
            size("")?,
            size(".gz")?,
            size(".br")?
        );
    }
    Ok(())
}

//! Finds a Rust that can build for WebAssembly, and calls it. It does not know what becomes of the result.
//!
//! Ordinarily that is the running toolchain with the target that `rustup target add` brought. Where rustup's server cannot
//! be reached, `scripts/setup wasm` prepares Debian's own Rust for it (`docs/install.md`); a browser half built by that one
//! fits a server built by the other.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

pub const TARGET: &str = "wasm32-unknown-unknown";
/// Where Debian's Rust keeps the standard library for the target once `scripts/setup wasm` has built it.
const DEBIAN_STD: &str = "/usr/lib/rustlib/wasm32-unknown-unknown/lib";

/// A toolchain that has the WebAssembly target.
#[derive(Debug)]
pub struct Wasm {
    root: PathBuf,
    debian: bool,
}

impl Wasm {
    /// Looks for the running toolchain's target first, then for Debian's.
    pub fn find(root: &Path) -> Result<Self> {
        let root = root.to_path_buf();
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let asked = Command::new(rustc)
            .args(["--print", "target-libdir", "--target", TARGET])
            .current_dir(&root)
            .output()
            .context("rustc does not start")?;
        if has_std(Path::new(String::from_utf8_lossy(&asked.stdout).trim())) {
            Ok(Self { root, debian: false })
        } else if has_std(Path::new(DEBIAN_STD)) {
            Ok(Self { root, debian: true })
        } else {
            bail!("no Rust here can build for {TARGET}: run `scripts/setup wasm`")
        }
    }

    /// Builds `app` for the browser and says where its WebAssembly lies.
    pub fn build(&self, dev: bool) -> Result<PathBuf> {
        let (profile, directory) = if dev { ("dev", "debug") } else { ("wasm-release", "wasm-release") };
        self.cargo("build", &["--profile", profile, "--lib"])?;
        Ok(self.target_dir().join(TARGET).join(directory).join("app.wasm"))
    }

    /// clippy with warnings as errors.
    pub fn lint(&self) -> Result<()> {
        self.cargo("clippy", &["--lib", "--", "-D", "warnings"])
    }

    fn cargo(&self, verb: &str, options: &[&str]) -> Result<()> {
        let mut command = if !self.debian {
            Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        } else if verb == "clippy" {
            // Started as `cargo clippy` it would be rustup's, which may stand first in the path.
            Command::new("/usr/bin/cargo-clippy")
        } else {
            Command::new("/usr/bin/cargo")
        };
        command.arg(verb).args(["--package", "app", "--target", TARGET, "--features", "hydrate"]).args(options);
        command.current_dir(&self.root);
        // What `cargo run` tells this program about itself would be news to its child's build scripts: ring would be
        // built anew each time.
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_MANIFEST") || text.starts_with("CARGO_PKG_") {
                command.env_remove(name);
            }
        }
        if self.debian {
            command.env("CARGO", "/usr/bin/cargo").env("RUSTC", "/usr/bin/rustc");
            command.env_remove("LD_LIBRARY_PATH").env_remove("RUSTUP_TOOLCHAIN");
        }
        let status = command.status().with_context(|| format!("cargo {verb} does not start"))?;
        if !status.success() {
            bail!("cargo {verb} for {TARGET} failed: {status}");
        }
        Ok(())
    }

    fn target_dir(&self) -> PathBuf {
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.root.join("target"), |dir| self.root.join(dir))
    }
}

fn has_std(libdir: &Path) -> bool {
    libdir
        .read_dir()
        .is_ok_and(|files| files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libstd-")))
}

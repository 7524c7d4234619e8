//! The targets on the stable compiler: the inputs that are kept (`corpus/NAME`: what once broke something, and what leads deep), and then
//! others made of them. `FUZZ_SECONDS` says for how long (2), `FUZZ_SEED` makes other inputs. What fails is written to `artifacts/NAME`; when it
//! is mended, it is moved to `corpus/NAME`.

use fuzz::{TARGETS, mutate};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable)
        .ok()
        .map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

fn place(folder: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(name)
}

fn fuzz(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    let mut files: Vec<PathBuf> = fs::read_dir(place("corpus", name))
        .map(|all| all.map(|file| file.unwrap().path()).collect())
        .unwrap_or_default();
    files.sort();
    let kept: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let (seed, seconds) = (number("FUZZ_SEED", 20_261_128), number("FUZZ_SECONDS", 2));
    let failed = |input: &[u8]| {
        let artifacts = place("artifacts", name);
        let file = artifacts.join(format!("seed-{seed}-{}-bytes", input.len()));
        fs::create_dir_all(&artifacts).unwrap();
        fs::write(&file, input).unwrap();
        println!("{name}: this input broke a promise: {} (FUZZ_SEED={seed})", file.display());
    };
    let outcome = mutate::run(target, &kept, seed, Duration::from_secs(seconds), failed);
    println!("{name}: {} inputs of {} kinds in {seconds} s, FUZZ_SEED={seed}", outcome.tried, outcome.kinds);
    assert!(outcome.taken, "nothing was taken: keep an input of today's form in corpus/{name}");
    assert!(outcome.kinds > 1, "all inputs are alike to it");
}

macro_rules! targets {
    ($($name:ident),+) => {
        $(#[test]
        fn $name() {
            fuzz(stringify!($name));
        })+

        #[test]
        fn each_target_is_tried_here_and_has_its_file() {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),+]);
            for name in names {
                assert!(place("fuzz_targets", &format!("{name}.rs")).is_file(), "{name}");
            }
        }
    };
}

targets!(registration, intake, steps, json, ticket, text, log);

//! Planted bugs that must never grow here.

/// Every source file of the crate without its comments.
fn sources() -> Vec<(String, String)> {
    fn walk(dir: &std::path::Path, out: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
                out.push((path.display().to_string(), code.join("\n")));
            }
        }
    }
    let mut out = Vec::new();
    walk(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut out);
    out
}

/// The part of a file before its tests.
fn without_tests(code: &str) -> &str {
    code.split("#[cfg(test)]").next().unwrap_or(code)
}

#[test]
fn no_name_is_ever_generated() {
    for (path, code) in sources() {
        let code = without_tests(&code);
        assert!(!code.contains("generateName") && !code.contains("generate_name"), "{path}");
    }
}

#[test]
fn nothing_is_ever_deleted_by_the_controller_but_the_pod_that_lists_a_volume() {
    for (path, code) in sources() {
        let code = without_tests(&code);
        let count = |what: &str| code.matches(what).count();
        assert_eq!(count("Method::DELETE"), usize::from(path.ends_with("calls.rs")), "{path}");
        assert_eq!(count(".delete_pod("), usize::from(path.ends_with("src/listing.rs")), "{path}");
        assert_eq!(count(".delete("), 0, "{path}");
    }
}

#[test]
fn only_one_place_creates_what_runs_and_it_looks_up_what_is_unknown() {
    for (path, code) in sources() {
        let creates = without_tests(&code).matches("calls.create(").count();
        // The others create the Lease that decides which console acts, and the pod that lists a volume.
        let places = ["ensure.rs", "leader.rs", "src/listing.rs"];
        let allowed = usize::from(places.iter().any(|place| path.ends_with(place)));
        assert_eq!(creates, allowed, "{path}");
    }
}

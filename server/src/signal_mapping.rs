//! What labels of alerts mean, kept in a file: read at the start. A file that is no mapping keeps the console from starting.

use crate::{services::read_document, terminal::Fault};
use domain::signal::mapping::Mapping;
use std::path::Path;

/// What the file says beside what is usual; the usual where there is none.
pub fn read(file: Option<&Path>) -> Result<Mapping, Fault> {
    let Some(path) = file else { return Ok(Mapping::default()) };
    let at = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Fault::wrong_setting(format!("the mapping of signals {at} can't be read: {error}")))?;
    let read = read_document(&text).map_err(|fault| vec![fault]);
    let read = read.and_then(|document| Mapping::read(&document).map_err(domain::fault::Faults::into_vec));
    read.map_err(|faults| {
        let told = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  ");
        Fault::wrong_setting(format!("the mapping of signals {at} can't be used; mend it and start again:\n  {told}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_adds_to_what_is_usual_and_a_faulty_one_says_where() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mapping.yaml");
        std::fs::write(&file, "signal_types:\n  CheckoutSlow: HighLatency\n").unwrap();
        assert_ne!(read(Some(&file)).unwrap(), Mapping::default());
        assert_eq!(read(None).unwrap(), Mapping::default());
        std::fs::write(&file, "signal_type:\n  a: b\n").unwrap();
        let told = format!("{:?}", read(Some(&file)).unwrap_err());
        assert!(told.contains("signal_types"), "{told}");
    }
}

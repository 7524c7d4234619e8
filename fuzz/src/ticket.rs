//! Stored tickets: a text is a ticket only under the digest of its content, and two tickets with other digests differ somewhere that is told.

use crate::{Came, kind};
use domain::{
    ids::Digest,
    json::canonical,
    pipeline_run::build,
    ticket::{Ticket, TicketContent, TicketError},
};
use serde_json::Value;

pub fn run(input: &[u8]) -> Came {
    // Two texts with a NUL between.
    let mut texts = input.splitn(2, |byte| *byte == 0).map(String::from_utf8_lossy);
    let (one, other) = (texts.next().unwrap_or_default(), texts.next());
    let nobodys = Digest::from_bytes([0; 32]);
    match Ticket::verify(&one, &nobodys) {
        Ok(_) => panic!("a ticket that hashes to nothing"),
        Err(TicketError::Unreadable(_)) => return Came::Refused(kind(one.len().min(3))),
        Err(TicketError::Tampered { .. }) => {}
    }
    let ticket = Ticket::new(serde_json::from_str(&one).expect("it was read"));
    let again = Ticket::verify(ticket.canonical(), ticket.digest()).expect("its own text under its own digest");
    assert_eq!(again, ticket);
    assert!(ticket.differences(&again).is_empty());
    let dns = |name: &str| name.len() <= 63 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    assert!(ticket.content().adopts.is_some() || dns(&ticket.name()), "{}", ticket.name());
    // The same content in other words is another text, and no ticket.
    let spaced = format!("{} ", ticket.canonical());
    assert!(Ticket::verify(&spaced, ticket.digest()).is_err());
    let built = build(&ticket, None).pipeline_run;
    assert_eq!(built["metadata"]["name"], ticket.name());
    assert!(built["metadata"].get("generateName").is_none());
    let other = other.and_then(|other| serde_json::from_str::<TicketContent>(&other).ok()).map(Ticket::new);
    if let Some(other) = &other {
        let differ = ticket.digest() != other.digest();
        assert_eq!(ticket.differences(other).is_empty(), !differ, "{} and {}", ticket.digest(), other.digest());
        if differ {
            assert!(Ticket::verify(ticket.canonical(), other.digest()).is_err());
        }
    }
    let content: Value = serde_json::from_str(ticket.canonical()).expect("canonical text is JSON");
    assert_eq!(canonical::to_string(&content), ticket.canonical());
    Came::Taken(kind((other.is_some(), content["plan"]["kind"].as_str().map(str::to_owned))))
}

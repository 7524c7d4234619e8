//! Search or jump to: everything by a few words, of each kind only what one may read.

use crate::support::{Console, recommendation, seed};

#[tokio::test]
async fn a_few_words_find_everything_that_has_them() {
    let console = Console::start();
    let admin = console.browser().await;
    let (author, model) = (console.token("author", "author"), console.token("model", "propose"));
    author.post("/api/v1/playbooks", &seed("hidden-oomkill-scale-down.json")).await.expect(201);
    let taken = model.post("/api/v1/recommendations", &recommendation("inc-7741")).await.expect(201);
    let id = taken["id"].as_str().unwrap();
    let page = format!("href=\"/recommendations/{id}\"");
    for q in ["inc-7741", "my-app", "INC-7741", id] {
        let found = admin.get(&format!("/search?q={q}")).await;
        assert_eq!(found.status, 200);
        assert!(found.text.contains(&page), "{q} finds the recommendation: {}", found.text);
    }
    let found = admin.get("/search?q=oomkill").await.text;
    assert!(found.contains("href=\"/catalog/oomkill-scale-down\"") && found.contains(&page), "{found}");
    let none = admin.get("/search?q=%3Cscript%3E%22").await.text;
    assert!(none.contains("data-count=\"0\"") && none.contains("Nothing is found") && !none.contains("<script>\""));
    let open = admin.get("/search").await.text;
    assert!(open.contains(&page) && open.contains("href=\"/audit\""), "without words: what waits, and all pages");
    assert_eq!(admin.get(&format!("/search?q={}", "x".repeat(300))).await.status, 422);
}

#[tokio::test]
async fn only_what_one_may_see_is_found() {
    let console = Console::start();
    assert!(console.command(&["user", "create", "--name", "vera", "--role", "viewer"]).status.success());
    let made = console.command(&["user", "set-password", "vera"]);
    let vera = console.browser_of("vera", String::from_utf8_lossy(&made.stdout).trim()).await.unwrap();
    let found = vera.get("/search?q=a").await.text;
    assert!(found.contains("href=\"/approvals\""));
    for hidden in ["href=\"/settings/accounts", "href=\"/catalog/new\"", "audit?format"] {
        assert!(!found.contains(hidden), "{hidden}");
    }
    assert_eq!(console.nobody().send(vera.client.get(format!("{}/search", console.url))).await.status, 303);
}

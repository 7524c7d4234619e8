//! What is named by letters that nobody reads but everybody copies: ids, digests, images.

use crate::islands::CopyText;
use domain::{ids::Digest, playbook::ImageRef};
use leptos::prelude::*;

/// An id: short where it has a short form, whole in its tooltip and in what is copied. `what` it is: "Copy request id".
#[component]
pub fn Id(of: String, #[prop(optional)] short: String, what: &'static str) -> impl IntoView {
    let cut = !short.is_empty();
    let shown = if cut { short } else { of.clone() };
    let whole = cut.then(|| of.clone());
    // The button is never alone on a line.
    view! { <code title=whole>{shown}</code>"\u{a0}"<CopyText text=of what /> }.into_any()
}

/// The ends of an id that is drawn from time and chance (RFC 9562): enough to tell the few of a page apart. Others as they are.
pub fn short_id(id: &str) -> String {
    let groups: Vec<&str> = id.split('-').collect();
    let drawn = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if drawn { format!("{}…{}", groups[0], &groups[4][8..]) } else { id.to_owned() }
}

/// A digest.
#[component]
pub fn DigestId(of: Digest, #[prop(default = "ticket digest")] what: &'static str) -> impl IntoView {
    let short = of.short();
    view! { <Id of=of.to_string() short what /> }
}

/// An image: readable name and the digest that pins it.
#[component]
pub fn Image(image: ImageRef) -> impl IntoView {
    let whole = image.to_string();
    view! { <ImageName image />" "<CopyText text=whole what="image" /> }.into_any()
}

/// The same where there is no room for a button.
#[component]
pub fn ImageName(image: ImageRef) -> impl IntoView {
    let digest = image.digest().map_or_else(|| "not pinned".to_owned(), Digest::short);
    view! { <code class="image" title=image.to_string()>{image.repository().to_owned()}<wbr />"@"{digest}</code> }
        .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_without_a_meaning_are_cut() {
        assert_eq!(short_id("01a21eb7-77a3-761e-b494-5abb0fe35882"), "01a21eb7…5882");
        for whole in ["oomkill-scale-down@1.0.0", "user:ada", "a-b-c-d-e", "", "zzzzzzzz-77a3-761e-b494-5abb0fe35882"] {
            assert_eq!(short_id(whole), whole);
        }
    }
}

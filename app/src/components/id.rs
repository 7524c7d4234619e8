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

/// A digest.
#[component]
pub fn DigestId(of: Digest, #[prop(default = "ticket digest")] what: &'static str) -> impl IntoView {
    let short = of.short();
    view! { <Id of=of.to_string() short what /> }
}

/// An image: readable name and the digest that pins it.
#[component]
pub fn Image(image: ImageRef) -> impl IntoView {
    let digest = image.digest().map_or_else(|| "not pinned".to_owned(), Digest::short);
    let whole = image.to_string();
    view! {
        <code class="image" title=whole.clone()>{image.repository().to_owned()}<wbr />"@"{digest}</code>
        " "<CopyText text=whole what="image" />
    }
    .into_any()
}

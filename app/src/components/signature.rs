//! Who signed what would run.

use super::{ImageName, State};
use crate::error::sentence;
use domain::signature::{ImageSignature, SignedImage};
use leptos::prelude::*;

/// How an image is signed: by whom, or why that does not count.
#[component]
pub fn Signed(signature: ImageSignature) -> impl IntoView {
    let ImageSignature { state, signer, detail, .. } = signature;
    let by = signer.filter(|_| state.is_verified()).map(|signer| format!("by {signer}"));
    view! {
        <State of=state />
        {by.map(|by| view! { " "<span class="sub">{by}</span> })}
        {detail.map(|detail| view! { <p class="sub">{sentence(&detail)}</p> })}
    }
    .into_any()
}

/// The same for all images of a ticket: each by its name where there are several.
#[component]
pub fn Signatures(images: Vec<SignedImage>) -> impl IntoView {
    let several = images.len() > 1;
    let each = images.into_iter().map(|SignedImage { image, signature }| {
        if several {
            view! { <li><ImageName image />" "<Signed signature /></li> }.into_any()
        } else {
            view! { <Signed signature /> }.into_any()
        }
    });
    let each = each.collect_view();
    if several { view! { <ul class="plain">{each}</ul> }.into_any() } else { each.into_any() }
}

//! The outlines that pages share: heading, section, list controls, tables that scroll by themselves.

use crate::{
    icon::{Glyph, Icon},
    query::Query,
};
use leptos::prelude::*;

/// The heading of a page, a line under it, and what can be done, at its right.
#[component]
pub fn PageHead(
    #[prop(into)] title: String,
    #[prop(optional, into)] sub: ViewFn,
    /// Buttons and links.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="head">
            <div class="line"><h1>{title}</h1>{children.map(|c| view! { <div class="do">{c()}</div> })}</div>
            <div class="sub">{sub.run()}</div>
        </div>
    }
    .into_any()
}

/// A part of a page under its own heading.
#[component]
pub fn Section(
    #[prop(into)] title: String,
    /// A few words at the right of the heading.
    #[prop(optional, into)]
    aside: ViewFn,
    /// Where links lead to it.
    #[prop(optional)]
    id: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    view! {
        <section class="section" id=id>
            <header><h2>{title}</h2><div class="sub">{aside.run()}</div></header>
            {children()}
        </section>
    }
    .into_any()
}

/// Links to the next page of a list and back to its first.
#[component]
pub fn Pager(
    /// The path of the list.
    path: &'static str,
    /// The query of this page.
    query: Query,
    /// Where the next page begins; none at the end.
    next: Option<String>,
) -> impl IntoView {
    let later = query.get("cursor").is_some();
    if !later && next.is_none() {
        return ().into_any();
    }
    let first = format!("{path}{}", query.with("cursor", None));
    let next = next.map(|cursor| format!("{path}{}", query.with("cursor", Some(&cursor))));
    view! {
        <nav class="pager" aria-label="Pages">
            {later.then(|| view! { <a class="btn small" href=first>"First page"</a> })}
            {next.map(|href| view! { <a class="btn small" href=href rel="next">"Next page"<Glyph of=Icon::Next /></a> })}
        </nav>
    }
    .into_any()
}

/// A search and its filters: a plain GET form, so that what was asked stands in the address.
#[component]
pub fn Filters(
    /// Where it leads.
    path: &'static str,
    /// What is searched, for the label of the search field.
    #[prop(into)]
    label: String,
    /// The words searched for now.
    #[prop(optional, into)]
    q: String,
    /// Whether anything is filtered: then it can be cleared.
    filtered: bool,
    /// What few need, on a line of its own below.
    #[prop(optional, into)]
    more: ViewFn,
    /// Further fields.
    children: Children,
) -> impl IntoView {
    view! {
        <form class="filters" method="get" action=path role="search" autocomplete="off">
            <div class="find">
                <Glyph of=Icon::Find />
                <input type="search" name="q" value=q aria-label=label.clone() placeholder=label autocomplete="off" />
            </div>
            {children()}
            <button class="btn" type="submit">"Show"</button>
            {filtered.then(|| view! { <a class="btn ghost" href=path>"Clear"</a> })}
            {more.run()}
        </form>
    }
    .into_any()
}

/// A table that scrolls by itself where it is wider than the page, and can be scrolled by keys.
#[component]
pub fn TableBox(
    /// What the table is about: the region's name.
    #[prop(into)]
    label: String,
    children: Children,
) -> impl IntoView {
    view! { <div class="table-box" role="region" aria-label=label tabindex="0">{children()}</div> }.into_any()
}

/// What a model or a person wrote: text, nothing but text, in its paragraphs.
#[component]
pub fn Prose(#[prop(into)] text: String, #[prop(optional)] class: &'static str) -> impl IntoView {
    let paragraphs: Vec<String> =
        text.split("\n\n").map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned).collect();
    view! { <div class=format!("prose {class}")>{paragraphs.into_iter().map(|p| view! { <p>{p}</p> }).collect_view()}</div> }.into_any()
}

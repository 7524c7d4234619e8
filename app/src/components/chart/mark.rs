//! What a chart says where it is pointed at or focused: the numbers behind a shape, over its place in the picture.

use leptos::prelude::*;

/// A place in a chart that has something to say. Pixels of the chart's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Left, top, width and height of what is pointed at.
    pub area: (i32, i32, i32, i32),
    /// Where the numbers stand.
    pub tip: (i32, i32),
    /// From where they run: `start`, `middle` or `end`.
    pub anchor: &'static str,
    /// The numbers, short.
    pub numbers: String,
    /// The whole sentence, for those who hear it.
    pub sentence: String,
}

/// A chart: its drawing, and the marks over it. Its table says the same.
#[component]
pub fn Marked(
    class: &'static str,
    size: (u32, u32),
    #[prop(into)] label: String,
    drawing: String,
    marks: Vec<Mark>,
) -> impl IntoView {
    let view_box = format!("0 0 {} {}", size.0, size.1);
    view! {
        <svg class=format!("chart {class}") role="group" aria-label=label viewBox=view_box>
            <g aria-hidden="true" inner_html=drawing></g>
            {marks.into_iter().map(|mark| {
                let (x, y, width, height) = mark.area;
                view! {
                    <g class="mark" tabindex="0" role="img" aria-label=mark.sentence>
                        <rect class="hit" x=x.to_string() y=y.to_string() width=width.to_string() height=height.to_string() rx="4" />
                        <text class="tip" x=mark.tip.0.to_string() y=mark.tip.1.to_string() text-anchor=mark.anchor>{mark.numbers}</text>
                    </g>
                }
            }).collect_view()}
        </svg>
    }
    .into_any()
}

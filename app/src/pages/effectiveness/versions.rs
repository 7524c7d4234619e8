//! Versions compared: how much more often a version helped than the one before it, and whether that says anything yet.

use super::Asked;
use crate::components::{Section, TableBox};
use domain::{
    effectiveness::versions::{VersionVerdict, VersionsCompared},
    stats::RateDifference,
};
use leptos::prelude::*;

/// The section; nothing where there is nothing to compare.
#[component]
pub fn Versions(pairs: Vec<VersionsCompared>, asked: Asked) -> impl IntoView {
    if pairs.is_empty() {
        return ().into_any();
    }
    let csv = asked.csv("versions");
    view! {
        <Section title="Is the newer version better?">
            <p class="sub">
                "How much more often it helped, in percentage points, with the 95 % interval of the difference (Newcombe). While that holds both more and less, it is too early to tell."
            </p>
            <TableBox label="Versions compared">
                <table class="grid effectiveness">
                    <caption class="vh">"Each version with the one before it"</caption>
                    <thead><tr>
                        <th scope="col">"Newer"</th><th scope="col" class="num">"Assessed"</th>
                        <th scope="col">"Older"</th><th scope="col" class="num">"Assessed"</th>
                        <th scope="col">"Helped more often by"</th><th scope="col">"So"</th>
                    </tr></thead>
                    <tbody>{pairs.into_iter().map(|pair| view! {
                        <tr>
                            <th scope="row"><code>{pair.newer}</code></th><td class="num">{pair.newer_assessed}</td>
                            <td><code>{pair.older}</code></td><td class="num">{pair.older_assessed}</td>
                            <td>{pair.helped.map_or_else(|| "– not assessed".to_owned(), points)}</td>
                            <td>{word(pair.verdict)}</td>
                        </tr>
                    }).collect_view()}</tbody>
                </table>
            </TableBox>
            <p><a href=csv download="versions.csv">"As CSV"</a></p>
        </Section>
    }
    .into_any()
}

fn points(by: RateDifference) -> String {
    let RateDifference { difference, low, high } = by;
    format!("{:+.0} ({:+.0} to {:+.0})", difference * 100.0, low * 100.0, high * 100.0)
}

/// What the difference says, in words.
pub const fn word(verdict: VersionVerdict) -> &'static str {
    match verdict {
        VersionVerdict::Better => "better",
        VersionVerdict::Worse => "worse",
        VersionVerdict::TooEarly => "too early to tell",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_in_points_with_its_sign() {
        assert_eq!(points(RateDifference { difference: 0.2, low: 0.0524, high: 0.3339 }), "+20 (+5 to +33)");
        assert_eq!(points(RateDifference { difference: -0.1, low: -0.3, high: 0.1 }), "-10 (-30 to +10)");
    }
}

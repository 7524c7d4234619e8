//! What the catalog could be narrowed down to, and how many playbooks each of it would leave: one statement for all facets.
//! A facet counts as if it were not filtered itself, so that another of its values can be chosen; tags add up.

use super::{
    conditions, newest_of_each,
    text::{self, Words},
};
use crate::{dialect::Dialect, sql::Sql};
use domain::ports::{CatalogFilter, Facet, FacetValue, StoreError};
use sqlx::AnyConnection;

/// More values of a facet than these are found by words.
const MOST_VALUES: &str = "40";
/// The facets that are no labels.
const STATUS: &str = "status";
const TAG: &str = "tag";

/// What is counted: what the filter asks for, with the words as its database reads them.
struct Counted<'f> {
    filter: &'f CatalogFilter,
    words: Option<Words>,
    dialect: Dialect,
}

impl Counted<'_> {
    fn conditions(&self, sql: &mut Sql, but: &str) {
        conditions(sql, self.filter, but, self.words.as_ref(), self.dialect);
    }
}

pub(super) async fn facets(
    filter: &CatalogFilter,
    dialect: Dialect,
    on: &mut AnyConnection,
) -> Result<Vec<Facet>, StoreError> {
    let counted = Counted { filter, words: text::words(filter, dialect, on).await?, dialect };
    let labels = filter.labels().map(|(column, _)| column);
    let names: Vec<&str> = labels.into_iter().chain([STATUS, TAG]).collect();
    let mut sql = Sql::new("playbook facet", "");
    for (index, name) in names.iter().enumerate() {
        sql.push(if index == 0 { "" } else { " UNION ALL " });
        sql.push("SELECT * FROM (");
        match *name {
            STATUS => by_status(&mut sql, &counted),
            TAG => by_tag(&mut sql, &counted),
            label => by_label(&mut sql, &counted, label),
        }
        sql.push(" ORDER BY n DESC, value LIMIT ").push(MOST_VALUES).push(") AS f").push(&index.to_string());
    }
    let mut facets: Vec<Facet> =
        names.iter().map(|name| Facet { name: (*name).to_owned(), values: Vec::new() }).collect();
    for row in sql.all(on).await? {
        let name = row.text("facet")?;
        if let Some(facet) = facets.iter_mut().find(|facet| facet.name == name) {
            facet.values.push(FacetValue { value: row.text("value")?, count: row.int("n")? });
        }
    }
    facets.iter_mut().for_each(with_stars);
    facets.retain(|facet| !facet.values.is_empty());
    Ok(facets)
}

/// A star matches every value, so it counts with each.
fn with_stars(facet: &mut Facet) {
    if facet.name == STATUS || facet.name == TAG {
        return;
    }
    let stars = facet.values.iter().find(|value| value.value == "*").map_or(0, |value| value.count);
    facet.values.iter_mut().filter(|value| value.value != "*").for_each(|value| value.count += stars);
}

/// Begins the counting of a facet's values.
fn select(sql: &mut Sql, facet: &str, value: &str, of: &str) {
    sql.push("SELECT '").push(facet).push("' AS facet, ").push(value).push(" AS value, COUNT(*) AS n FROM ").push(of);
}

fn by_label(sql: &mut Sql, counted: &Counted<'_>, label: &str) {
    let column = format!("p.{label}");
    select(sql, label, &column, "playbook_versions p WHERE ");
    sql.push(&column).push(" IS NOT NULL");
    newest_of_each(sql, counted.filter.status);
    counted.conditions(sql, label);
    sql.push(" GROUP BY ").push(&column);
}

fn by_tag(sql: &mut Sql, counted: &Counted<'_>) {
    let joined = "playbook_versions p JOIN playbook_tags g ON g.workflow_id = p.workflow_id AND g.version = p.version \
                  WHERE 1 = 1";
    select(sql, TAG, "g.tag", joined);
    newest_of_each(sql, counted.filter.status);
    counted.conditions(sql, "");
    sql.push(" GROUP BY g.tag");
}

/// The newest version of each status: what a list of that status would show.
fn by_status(sql: &mut Sql, counted: &Counted<'_>) {
    select(sql, STATUS, "p.status", "playbook_versions p WHERE 1 = 1");
    sql.push(
        " AND NOT EXISTS (SELECT 1 FROM playbook_versions n WHERE n.workflow_id = p.workflow_id \
         AND n.status = p.status AND n.version_key > p.version_key)",
    );
    counted.conditions(sql, "");
    sql.push(" GROUP BY p.status");
}

//! What runs are kept apart by: every object that each acts on, in a table of its own.

use crate::{
    sql::Sql,
    write::{ROWS_AT_ONCE, Write},
};
use domain::{ids::ExecutionId, ports::StoreError, target::kinds::Spot};

/// Whether these two rows may mean the same object: what nobody says may be any.
pub(crate) const OVERLAP: &str = "(t.name = o.name OR t.name = '' OR o.name = '') \
                                  AND (t.kind = o.kind OR t.kind = '' OR o.kind = '') \
                                  AND (t.namespace = o.namespace OR t.namespace = '' OR o.namespace = '')";

/// Writes what new executions act on.
pub(super) async fn insert(write: &mut Write, of: &[(&ExecutionId, &[Spot])]) -> Result<(), StoreError> {
    let all: Vec<_> = of.iter().flat_map(|(id, spots)| spots.iter().map(move |spot| (*id, spot))).collect();
    for some in all.chunks(ROWS_AT_ONCE) {
        let mut sql =
            Sql::new("execution target", "INSERT INTO execution_targets (execution_id, namespace, kind, name) VALUES ");
        for (i, (id, spot)) in some.iter().enumerate() {
            sql.push(if i == 0 { "" } else { ", " }).tuple([
                id.as_str().into(),
                spot.namespace.as_str().into(),
                spot.kind.as_str().into(),
                spot.name.as_str().into(),
            ]);
        }
        sql.push(" ON CONFLICT DO NOTHING");
        sql.run(write.on()).await?;
    }
    Ok(())
}

/// Adds that the rows `t` mean one of these, which must not be none.
pub(super) fn overlapping(sql: &mut Sql, spots: &[Spot]) {
    for (i, spot) in spots.iter().enumerate() {
        sql.push(if i == 0 { "(" } else { " OR (" });
        let parts = [("t.name", &spot.name), ("t.kind", &spot.kind), ("t.namespace", &spot.namespace)];
        let said = parts.into_iter().filter(|(_, said)| !said.is_empty());
        sql.push("1 = 1");
        for (column, said) in said {
            sql.push(" AND ").push(column).push(" IN ('', ").value(said).push(")");
        }
        sql.push(")");
    }
}

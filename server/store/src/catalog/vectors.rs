//! Vectors of playbook versions, by model: as hexadecimal text, which both drivers take.

use crate::{
    Store,
    sql::{Row, Sql},
};
use async_trait::async_trait;
use domain::{
    playbook::Registration,
    ports::{StoreError, VectorStore, VersionKey},
};

/// Rows in one `INSERT`, of four values each.
const AT_ONCE: usize = 50;

#[async_trait]
impl VectorStore for Store {
    async fn without_vector(&self, model: &str, most: u32) -> Result<Vec<Registration>, StoreError> {
        let mut sql = Sql::new(
            "playbook",
            "SELECT p.content FROM playbook_versions p WHERE NOT EXISTS (SELECT 1 FROM playbook_vectors v \
             WHERE v.workflow_id = p.workflow_id AND v.version = p.version AND v.model = ",
        );
        sql.value(model).push(") ORDER BY p.workflow_id, p.version LIMIT ").value(most);
        sql.all(&mut *self.read().await?).await?.iter().map(|row| row.json("content")).collect()
    }

    async fn keep_vectors(&self, model: &str, vectors: &[(VersionKey, Vec<f32>)]) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        for some in vectors.chunks(AT_ONCE) {
            let insert = "INSERT INTO playbook_vectors (workflow_id, version, model, vector) VALUES ";
            let mut sql = Sql::new("playbook vector", insert);
            for (index, ((id, version), vector)) in some.iter().enumerate() {
                sql.push(if index == 0 { "" } else { ", " });
                sql.tuple([id.as_str().into(), version.to_string().into(), model.into(), written(vector).into()]);
            }
            sql.push(" ON CONFLICT (model, workflow_id, version) DO NOTHING");
            sql.run(write.on()).await?;
        }
        write.commit().await
    }

    async fn count_vectors(&self, model: &str) -> Result<i64, StoreError> {
        let count = "SELECT COUNT(*) AS n FROM playbook_vectors WHERE model = $1";
        Sql::new("playbook vector", count).bind(model).one(&mut *self.read().await?).await?.int("n")
    }

    async fn vectors(&self, model: &str) -> Result<Vec<(VersionKey, Vec<f32>)>, StoreError> {
        let all = "SELECT workflow_id, version, vector FROM playbook_vectors WHERE model = $1";
        let rows = Sql::new("playbook vector", all).bind(model).all(&mut *self.read().await?).await?;
        rows.iter().map(vector).collect()
    }
}

fn vector(row: &Row) -> Result<(VersionKey, Vec<f32>), StoreError> {
    let id = row.text("workflow_id")?.parse().map_err(|e| row.corrupt("workflow_id", &e))?;
    let version = row.text("version")?.parse().map_err(|e| row.corrupt("version", &e))?;
    let floats = read(&row.text("vector")?).ok_or_else(|| row.corrupt("vector", &"no floats in hexadecimal"))?;
    Ok(((id, version), floats))
}

fn written(vector: &[f32]) -> String {
    hex::encode(vector.iter().flat_map(|float| float.to_le_bytes()).collect::<Vec<u8>>())
}

fn read(text: &str) -> Option<Vec<f32>> {
    let bytes = hex::decode(text).ok()?;
    let floats = bytes.chunks(4).map(|four| four.try_into().ok().map(f32::from_le_bytes));
    floats.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let floats = [0.0, -1.5, f32::MIN_POSITIVE, 0.333_333_34];
        assert_eq!(read(&written(&floats)).unwrap(), floats);
        assert_eq!(written(&[1.0]), "0000803f");
        for bad in ["0000803", "000080", "zz"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}

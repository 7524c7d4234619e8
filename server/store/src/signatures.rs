//! Who signed which image: a row for each image that was looked at, by its name with the digest.

use crate::{
    Store,
    sql::{Sql, json},
    write::Write,
};
use async_trait::async_trait;
use domain::{
    playbook::ImageRef,
    ports::{SignatureStore, StoreError},
    signature::{ImageSignature, SignedImage},
    time::Timestamp,
};
use std::collections::HashMap;

/// Images asked for in one statement.
const AT_ONCE: usize = 100;
/// How long an image that no playbook has is looked after from when it was last proposed, milliseconds: longer than anything can be
/// decided.
const USED_MS: i64 = 2 * 24 * 60 * 60 * 1000;

#[async_trait]
impl SignatureStore for Store {
    async fn signatures(&self, images: &[ImageRef]) -> Result<Vec<SignedImage>, StoreError> {
        let mut known = HashMap::new();
        for some in images.chunks(AT_ONCE) {
            let names: Vec<String> = some.iter().map(ToString::to_string).collect();
            let mut sql = Sql::new("signature", "SELECT image, content FROM image_signatures WHERE image IN ");
            sql.list(names.iter().map(String::as_str));
            for row in sql.all(&mut *self.read().await?).await? {
                known.insert(row.text("image")?, row.json::<ImageSignature>("content")?);
            }
        }
        let of = |image: &ImageRef| SignedImage {
            signature: known.get(&image.to_string()).cloned().unwrap_or_default(),
            image: image.clone(),
        };
        Ok(images.iter().map(of).collect())
    }

    async fn keep_signature(
        &self,
        image: &ImageRef,
        found: ImageSignature,
        trust: &str,
        used: bool,
    ) -> Result<ImageSignature, StoreError> {
        let mut write = self.write().await?;
        let kept = keep(&mut write, image, found, trust, used).await?;
        write.commit().await?;
        Ok(kept)
    }

    async fn due_signatures(
        &self,
        since: Timestamp,
        unknown_since: Timestamp,
        most: u32,
    ) -> Result<Vec<ImageRef>, StoreError> {
        let now = self.dialect().now();
        let sql = format!(
            "SELECT d.image FROM (\
               SELECT p.image, s.state, s.checked_at FROM playbook_versions p \
               LEFT JOIN image_signatures s ON s.image = p.image WHERE p.status <> 'disabled' \
               UNION \
               SELECT u.image, u.state, u.checked_at FROM image_signatures u WHERE u.used_at > {now} - {USED_MS}\
             ) d WHERE d.checked_at IS NULL OR d.checked_at < $1 OR (d.state = 'unknown' AND d.checked_at < $2) \
             ORDER BY COALESCE(d.checked_at, 0), d.image LIMIT $3"
        );
        let sql = Sql::new("signature", sql).bind(since).bind(unknown_since).bind(most);
        let rows = sql.all(&mut *self.read().await?).await?;
        rows.iter().map(|row| row.text("image")?.parse::<ImageRef>().map_err(|e| row.corrupt("image", &e))).collect()
    }

    async fn forget_signatures(&self, trust: &str) -> Result<u64, StoreError> {
        let mut write = self.write().await?;
        let nothing = json(&ImageSignature::default())?;
        let forgotten = Sql::new(
            "signature",
            "UPDATE image_signatures SET state = 'unknown', checked_at = NULL, content = $1, trust = $2 WHERE trust <> $2",
        )
        .bind(nothing)
        .bind(trust)
        .run(write.on())
        .await?;
        write.commit().await?;
        Ok(forgotten)
    }
}

/// Keeps what was found out, inside a transaction.
pub(crate) async fn keep(
    write: &mut Write,
    image: &ImageRef,
    found: ImageSignature,
    trust: &str,
    used: bool,
) -> Result<ImageSignature, StoreError> {
    let now = write.now().await?;
    let name = image.to_string();
    let row = Sql::new("signature", "SELECT content FROM image_signatures WHERE image = $1 AND trust = $2")
        .bind(name.as_str())
        .bind(trust)
        .maybe(write.on())
        .await?;
    let before = row.map(|row| row.json::<ImageSignature>("content")).transpose()?;
    let kept = found.or_before(before.as_ref(), now);
    // What nobody is about to use is not looked after for longer because it was looked at.
    let used_at = if used { now } else { Timestamp::default() };
    let mut sql = Sql::new(
        "signature",
        "INSERT INTO image_signatures (image, state, checked_at, used_at, trust, content) VALUES ",
    );
    sql.tuple([
        name.into(),
        kept.state.name().into(),
        kept.checked_at.into(),
        used_at.into(),
        trust.into(),
        json(&kept)?.into(),
    ]);
    sql.push(
        " ON CONFLICT (image) DO UPDATE SET state = excluded.state, checked_at = excluded.checked_at, trust = excluded.trust, \
         content = excluded.content, used_at = CASE WHEN excluded.used_at > image_signatures.used_at \
         THEN excluded.used_at ELSE image_signatures.used_at END",
    );
    sql.run(write.on()).await?;
    Ok(kept)
}

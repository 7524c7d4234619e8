//! The query of an address: read as it was written, and written again with one thing changed, so that everything that
//! filters or selects stays a link.

use std::fmt;

/// Names and values in their order; a name may repeat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=1&b=2`, without the question mark.
    pub fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// Of these pairs, in their order.
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// The last value of that name; none when it is not there or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }

    /// The last value of that name as an owned text; none when it is not there or empty.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// Every value of that name that is not empty.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    /// The same query with this name set to this one value, or without it.
    #[must_use]
    pub fn with(&self, name: &str, value: Option<&str>) -> Self {
        let mut pairs: Vec<_> = self.0.iter().filter(|(n, v)| n != name && !v.is_empty()).cloned().collect();
        pairs.extend(value.map(|v| (name.to_owned(), v.to_owned())));
        Self(pairs)
    }

    /// The same query with one more value of that name.
    #[must_use]
    pub fn plus(&self, name: &str, value: &str) -> Self {
        let mut pairs = self.minus(name, value).0;
        pairs.push((name.to_owned(), value.to_owned()));
        Self(pairs)
    }

    /// The same query without this value of that name; its other values stay.
    #[must_use]
    pub fn minus(&self, name: &str, value: &str) -> Self {
        Self(self.0.iter().filter(|(n, v)| !v.is_empty() && (n != name || v != value)).cloned().collect())
    }

    /// Every name and value that is not empty.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter(|(_, v)| !v.is_empty()).map(|(n, v)| (n.as_str(), v.as_str()))
    }
}

impl fmt::Display for Query {
    /// With its question mark; nothing at all when there is nothing in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, "?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_changes_and_the_rest_stays() {
        let query = Query::parse("q=out+of%20memory&state=&tag=a&tag=b&cursor=x%26y");
        assert_eq!(query.get("q"), Some("out of memory"));
        assert_eq!(query.get("state"), None);
        assert_eq!(query.all("tag").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(query.with("cursor", None).to_string(), "?q=out+of+memory&tag=a&tag=b");
        assert_eq!(query.with("q", Some("100 %")).get("q"), Some("100 %"));
        assert_eq!(query.minus("tag", "a").plus("tag", "c").to_string(), "?q=out+of+memory&tag=b&cursor=x%26y&tag=c");
        assert_eq!(query.pairs().count(), 4);
        assert_eq!(Query::default().to_string(), "");
    }
}

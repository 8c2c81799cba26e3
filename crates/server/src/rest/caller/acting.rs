//! `actingUser`: as whom the platform's back-end asks.
//!
//! It belongs to the token and not to the route: it is taken out of the query, so that no route has to know it.

use axum::{
    extract::MatchedPath,
    http::{Uri, request::Parts, uri::PathAndQuery},
};
use model::{ErrorCode, UserId};

use crate::problem::Problem;

const NAME: &str = "actingUser";
/// What `log.level` calls these lines: the only ones that name a person.
const AUDIT: &str = "presence_hub::audit";

/// The user, where one is named. The query is without it afterwards.
pub(super) fn user(parts: &mut Parts) -> Result<Option<UserId>, Problem> {
    let named = named(parts);
    let Some(first) = named.first() else { return Ok(None) };
    let user = first.parse().ok().filter(|_| named.len() == 1);
    let user = user.ok_or_else(|| Problem::new(ErrorCode::Malformed, "actingUser must be one UUID"))?;
    parts.uri = without(&parts.uri)?;
    Ok(Some(user))
}

pub(super) fn is_named(parts: &Parts) -> bool {
    !named(parts).is_empty()
}

/// Says in the log who was looked at as whom. What is changed is in the audit of the database as well; what is only read
/// has no place there: pages that a back-end renders would fill it.
pub(super) fn write_down(parts: &Parts, user: UserId) {
    let route = parts.extensions.get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    tracing::info!(target: AUDIT, %user, method = %parts.method, route, "the back-end asks as a user");
    metrics::counter!("presence_hub_acting_calls_total").increment(1);
}

/// For routes that do nothing as a user.
pub(super) fn nobody(parts: &Parts) -> Result<(), Problem> {
    if is_named(parts) {
        return Err(Problem::new(ErrorCode::Malformed, "this route is nobody's: it knows no actingUser"));
    }
    Ok(())
}

fn named(parts: &Parts) -> Vec<String> {
    let pairs = fields(&parts.uri).map(|field| field.split_once('=').unwrap_or((field, "")));
    pairs.filter(|(name, _)| *name == NAME).map(|(_, value)| value.to_owned()).collect()
}

fn fields(uri: &Uri) -> impl Iterator<Item = &str> {
    uri.query().unwrap_or_default().split('&')
}

fn without(uri: &Uri) -> Result<Uri, Problem> {
    let others: Vec<_> = fields(uri).filter(|field| field.split('=').next() != Some(NAME)).collect();
    let path = if others.is_empty() {
        uri.path().to_owned()
    } else {
        format!("{}?{}", uri.path(), others.join("&"))
    };
    let mut rest = uri.clone().into_parts();
    let unreadable = |_| Problem::new(ErrorCode::Malformed, "the query cannot be read");
    rest.path_and_query = Some(PathAndQuery::try_from(path).map_err(unreadable)?);
    Uri::from_parts(rest).map_err(|_| Problem::new(ErrorCode::Malformed, "the query cannot be read"))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    const ADA: &str = "00000000-0000-4000-8000-0000000000a1";

    fn parts(uri: &str) -> Parts {
        Request::get(uri).body(()).unwrap().into_parts().0
    }

    #[test]
    fn it_is_taken_out_of_the_query_wherever_it_stands() {
        for (query, rest) in [
            (format!("?actingUser={ADA}"), "/x"),
            (format!("?actingUser={ADA}&a=1&b=%20"), "/x?a=1&b=%20"),
            (format!("?a=1&actingUser={ADA}&b[]=2"), "/x?a=1&b[]=2"),
            (format!("?a=1&actingUser={ADA}"), "/x?a=1"),
        ] {
            let mut parts = parts(&format!("/x{query}"));
            assert_eq!(user(&mut parts).unwrap(), Some(ADA.parse().unwrap()), "{query}");
            assert_eq!(parts.uri, rest);
        }
    }

    #[test]
    fn what_names_nobody_or_two_is_refused() {
        for query in
            ["actingUser", "actingUser=", "actingUser=me", &format!("actingUser={ADA}&actingUser={ADA}")]
        {
            assert!(user(&mut parts(&format!("/x?{query}"))).is_err(), "{query}");
        }
        let mut others = parts("/x?actingUsers=1&a=actingUser");
        assert_eq!(user(&mut others).unwrap(), None);
        assert_eq!(others.uri, "/x?actingUsers=1&a=actingUser");
        assert!(nobody(&others).is_ok() && nobody(&parts(&format!("/x?actingUser={ADA}"))).is_err());
    }
}

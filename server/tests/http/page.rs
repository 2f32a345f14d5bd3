//! The player page.

use crate::support::{get, server};

#[test]
fn the_page_and_all_that_it_refers_to_are_served() {
    let server = server();
    let page = get(&server, "/");
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    let mut parts: Vec<String> = ["href=\"", "src=\""]
        .iter()
        .flat_map(|attribute| page.text().split(attribute).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .filter(|address| !address.starts_with("data:"))
        .map(str::to_owned)
        .collect();
    assert!(parts.iter().any(|part| part.ends_with(".js")), "{parts:?}");
    // Modules name their own parts.
    let mut at = 0;
    while let Some(part) = parts.get(at).cloned() {
        assert!(part.starts_with("page/"), "{part} is from elsewhere");
        let answer = get(&server, &format!("/{part}"));
        assert_eq!(answer.status.as_u16(), 200, "{part}");
        for import in answer.text().split("from '").skip(1) {
            let name = import.split('\'').next().unwrap();
            let part = format!("page/{}", name.strip_prefix("./").unwrap());
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        at += 1;
    }
    assert!(parts.len() > 10, "{parts:?}");
}

#[test]
fn what_is_no_part_of_the_page_is_not_found() {
    for path in ["/page/none.js", "/page/%ff", "/page/a%2fb"] {
        let answer = get(&server(), path);
        assert_eq!((answer.status.as_u16(), &*answer.reason()), (404, "not found"), "{path}");
    }
}

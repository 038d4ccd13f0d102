//! Every reason is explained to operators.

use traefikrs_k8s_translate::reason;

#[test]
fn every_reason_is_documented_and_unique() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/diagnostics.md");
    let page = std::fs::read_to_string(path).expect("docs/diagnostics.md is there");
    for reason in reason::ALL {
        assert!(
            page.contains(&format!("| `{reason}` |")),
            "{reason} is not in docs/diagnostics.md"
        );
        let same = reason::ALL.iter().filter(|other| *other == reason).count();
        assert_eq!(same, 1, "{reason}");
    }
}

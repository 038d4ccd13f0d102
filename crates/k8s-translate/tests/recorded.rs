use serde_json::Value;
use traefikrs_k8s_translate::{Cluster, Options, translate};

fn options(flags: &[Value]) -> Options {
    let mut options = Options::default();
    for flag in flags {
        let (name, value) = flag.as_str().unwrap().rsplit_once('=').unwrap();
        match name.rsplit_once('.').unwrap().1 {
            "allowcrossnamespace" => options.allow_cross_namespace = value == "true",
            "allowexternalnameservices" => options.allow_external_name_services = value == "true",
            "allowemptyservices" => options.allow_empty_services = value == "true",
            "nativelbbydefault" => options.native_lb_by_default = value == "true",
            "ingressclass" => options.ingress_class = value.to_owned(),
            "namespaces" => options.namespaces = value.split(',').map(str::to_owned).collect(),
            other => panic!("{other}"),
        }
    }
    options
}

fn differences(path: &str, ours: &Value, theirs: &Value, out: &mut Vec<(String, Value, Value)>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for key in keys {
                differences(&format!("{path}/{key}"), &ours[key], &theirs[key], out);
            }
        }
        _ if ours == theirs => {}
        _ => out.push((path.to_owned(), ours.clone(), theirs.clone())),
    }
}

#[test]
fn explore() {
    let recorded: Value = serde_json::from_str(include_str!("../testdata/recorded.json")).unwrap();
    let mut equal = 0; let mut total = 0;
    for case in recorded["cases"].as_array().unwrap() {
        let mut cluster = Cluster::new();
        for object in case["objects"].as_array().unwrap() { cluster.apply(object.clone()); }
        for expect in case["expect"].as_array().unwrap() {
            for name in expect["options"].as_array().unwrap() {
                total += 1;
                let options = options(recorded["options"][name.as_str().unwrap()].as_array().unwrap());
                let translation = translate(&cluster, &options);
                let ours = serde_json::to_value(translation.configuration.without_key_material()).unwrap();
                let mut out = vec![];
                differences("", &ours, &expect["config"], &mut out);
                if out.is_empty() { equal += 1; }
                for (path, ours, theirs) in out {
                    println!("{} {} {path}\n    ours {ours}\n  theirs {theirs}", case["name"], name);
                }
            }
        }
    }
    println!("{equal} of {total}");
}

//! Client libraries with the application's user of redis.conf.example: they connect, to a cluster too, and do what
//! applications do with them. The scripts are in `tests/interop`.

use crate::example::{self, log_in};
use crate::interop::Language;
use serde_json::json;
use testkit::*;

/// Has each library of a language used, and checks that the server had to refuse nothing but `refused`.
fn used_by(language: Language, script: &str, cluster: bool, libraries: &[&str], refused: &[&str]) {
    let lines = if cluster { "cluster-enabled yes\ncluster-announce-ip 127.0.0.1" } else { "" };
    let server = Server::configured(&format!("{}\n{lines}", example::users()));
    let mut admin = log_in(&server, "admin");
    if cluster {
        admin.ok(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
        await_that("the cluster is ready", || admin.text(&["CLUSTER", "INFO"]).contains("cluster_state:ok"));
    }
    let input = json!({"port": server.port, "cluster": cluster, "user": "app", "password": "app"});
    let Some(used) = language.run(script, &input).filter(|used| !used.is_null()) else {
        eprintln!("SKIPPED: {language:?} is not here, or too old");
        return;
    };
    for library in libraries {
        assert_eq!(used[library], json!({"values": [0, 0], "read": library}), "{used}");
    }
    // Python's caches where the server says that it can.
    let others = used.as_object().expect("an object").iter().filter(|(name, _)| !libraries.contains(&name.as_str()));
    for (name, value) in others {
        assert_eq!((name.as_str(), value), ("caching", &json!({"values": [0, 0], "read": "caching"})));
    }
    let log = items(&admin.ok(&["ACL", "LOG"]));
    let objects: Vec<_> = log.iter().map(|entry| text(&member(entry, "object"))).collect();
    assert!(objects.iter().all(|object| refused.contains(&object.as_str())), "{objects:?}");
}

/// ioredis sends INFO before it is ready, and goes on if INFO is refused.
const IOREDIS_DOES_WITHOUT: &[&str] = &["info"];

#[test]
fn the_libraries_of_javascript_connect_and_work_as_the_application() {
    let libraries = ["node-redis", "ioredis"];
    used_by(Language::JavaScript, "connect.mjs", false, &libraries, IOREDIS_DOES_WITHOUT);
}

#[test]
fn the_libraries_of_javascript_connect_to_a_cluster_as_the_application() {
    let libraries = ["node-redis", "ioredis"];
    used_by(Language::JavaScript, "connect.mjs", true, &libraries, IOREDIS_DOES_WITHOUT);
}

#[test]
fn redis_py_connects_and_works_as_the_application() {
    used_by(Language::Python, "connect.py", false, &["resp2", "resp3"], &[]);
}

#[test]
fn redis_py_connects_to_a_cluster_as_the_application() {
    used_by(Language::Python, "connect.py", true, &["resp2", "resp3"], &[]);
}

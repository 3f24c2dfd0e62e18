//! redis-rs with its default settings, the plain client and the cluster client.
use redis::cluster::{cluster_pipe, ClusterClient, ClusterConnection};
use redis::{Client, Commands, Connection, ConnectionLike, RedisResult};
use std::collections::{HashMap, HashSet};
use std::{env, thread};

fn main() -> RedisResult<()> {
    let args: Vec<String> = env::args().collect();
    let url = format!("redis://127.0.0.1:{}", args[1]);
    let client = Client::open(url.as_str())?;
    if args[2] == "cluster" {
        let pipeline = |r: &mut ClusterConnection| {
            let mut p = cluster_pipe();
            for i in 0..200 {
                p.set(format!("k{i}"), i);
            }
            p.query(r)
        };
        run(&mut ClusterClient::new(vec![url])?.get_connection()?, pipeline, &client)
    } else {
        let pipeline = |r: &mut Connection| {
            let mut p = redis::pipe();
            for i in 0..200 {
                p.set(format!("k{i}"), i);
            }
            p.query(r)
        };
        run(&mut client.get_connection()?, pipeline, &client)
    }
}

/// Everything over `r`; transactions, subscriptions and SCAN, which the blocking cluster client does not have, and
/// what another client does, over connections of `client`.
fn run<C: ConnectionLike>(r: &mut C, pipeline: impl Fn(&mut C) -> RedisResult<Vec<String>>, client: &Client) -> RedisResult<()> {
    let mut plain = client.get_connection()?;
    let _: () = redis::cmd("FLUSHALL").query(r)?;
    let _: () = r.set("{t}s", "v")?;
    assert_eq!(r.get::<_, String>("{t}s")?, "v");
    let _: () = r.hset_multiple("{t}h", &[("a", 1), ("b", 2)])?;
    assert_eq!(r.hgetall::<_, HashMap<String, i64>>("{t}h")?, HashMap::from([("a".into(), 1), ("b".into(), 2)]));
    assert_eq!(pipeline(r)?, vec!["OK"; 200]);
    assert_eq!(r.get::<_, i64>("k199")?, 199);

    assert_eq!(redis::pipe().atomic().incr("{t}n", 1).incr("{t}n", 1).query::<(i64, i64)>(&mut plain)?, (1, 2));
    let _: () = redis::cmd("WATCH").arg("{t}n").query(&mut plain)?; // a watched key that changes
    let _: () = r.incr("{t}n", 1)?;
    assert_eq!(redis::pipe().atomic().set("{t}n", 0).query::<Option<(String,)>>(&mut plain)?, None);
    assert_eq!(r.get::<_, i64>("{t}n")?, 3);

    let mut subscriber = client.get_connection()?;
    let mut s = subscriber.as_pubsub();
    s.subscribe("news")?;
    assert_eq!(r.publish::<_, _, i64>("news", "hello")?, 1);
    assert_eq!(s.get_message()?.get_payload::<String>()?, "hello");

    assert_eq!(r.blpop::<_, Option<(String, String)>>("{t}q", 1.0)?, None);
    thread::scope(|scope| -> RedisResult<()> {
        let popped = scope.spawn(|| client.get_connection()?.blpop::<_, (String, String)>("{t}q", 5.0));
        let _: () = r.rpush("{t}q", "x")?;
        assert_eq!(popped.join().unwrap()?, ("{t}q".into(), "x".into()));
        Ok(())
    })?;
    let double = redis::Script::new("return redis.call('get', KEYS[1]) * ARGV[1]");
    for _ in 0..2 {
        assert_eq!(double.key("{t}n").arg(2).invoke::<i64>(r)?, 6);
    }
    let seen = plain.scan()?.collect::<RedisResult<HashSet<String>>>()?;
    assert_eq!(seen.len(), redis::cmd("DBSIZE").query::<usize>(r)?);

    let id: i64 = redis::cmd("CLIENT").arg("ID").query(&mut plain)?;
    let _: i64 = redis::cmd("CLIENT").arg("KILL").arg("ID").arg(id).arg("SKIPME").arg("no").query(&mut plain)?;
    assert!(plain.get::<_, String>("{t}s").is_err()); // a blocking connection does not come back
    assert_eq!(client.get_connection()?.get::<_, String>("{t}s")?, "v");
    Ok(())
}

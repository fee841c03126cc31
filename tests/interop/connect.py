"""Uses a server as a given user with redis-py, as an application would: connects, makes a session, sends a pipeline and
a transaction, waits for replicas, caches. Reads {"port", "cluster", "user", "password"}; writes for each way to connect
the value that it read back."""

import json
import sys

import redis
from redis.cache import CacheConfig

asked = json.load(sys.stdin)
login = {"host": "127.0.0.1", "port": asked["port"], "username": asked["user"], "password": asked["password"]}
make = redis.RedisCluster if asked["cluster"] else redis.Redis
made = {}


def use(name, client):
    reply = client.execute_command("SH.NEW", "alice", '{"idle":600,"sessionData":{"made":"0"}}')
    tkn = json.loads(reply)["tkn"]
    with client.pipeline(transaction=False) as pipe:
        values = pipe.execute_command("SH.SET", tkn, "made", "1").execute_command("SH.SET", tkn, "made", "2").execute()
    with client.pipeline(transaction=True) as pipe:
        pipe.execute_command("SH.SET", tkn, "made", name)
        pipe.execute_command("SH.GET", tkn, "made")
        read = pipe.execute()[1]
    if not asked["cluster"]:
        client.execute_command("WAIT", 0, 1)
    made[name] = {"values": values, "read": read[0] if isinstance(read, list) else read}
    client.close()


use("resp2", make(**login, protocol=2, decode_responses=True))
use("resp3", make(**login, protocol=3, decode_responses=True))
try:
    use("caching", make(**login, protocol=3, decode_responses=True, cache_config=CacheConfig()))
except Exception as error:  # RedisClusterException is no RedisError
    # From Redis 7.4 on, and not with Valkey.
    if "client-side caching is supported by" not in str(error):
        raise
print(json.dumps(made))

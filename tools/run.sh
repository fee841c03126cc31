#!/usr/bin/env bash
# make run: starts a server with the module from redis.conf.example and says what to type.
# tools/run.sh SERVER MODULE [PORT]: without a port the first free one from 6379 on.
set -euo pipefail
server=$1 module=$2 port=${3:-}

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
if [ -z "$port" ]; then
    port=6379
    while taken "$port"; do port=$((port + 1)); done
elif taken "$port"; then
    echo "run: port $port is taken; choose another with PORT=..." >&2
    exit 1
fi

mkdir -p target/run
cat >&2 <<END

  A Redis with redis-sessions on port $port; Ctrl-C ends it. In another terminal, type redis-cli -p $port and then

    SH.NEW alice IDLE 1800 DATA '{"cart":"3 apples"}'
    SH.GET <the token it answered> cart
    SH.NEW carts SHARED

END
# What a production server must change is overridden here: the paths, the port, and running in the foreground.
exec "$server" redis.conf.example --loadmodule "$(realpath "$module")" --port "$port" --dir target/run \
    --logfile "" --daemonize no

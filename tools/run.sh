#!/usr/bin/env bash
# make run: starts a server with the module from redis.conf.example and says what to type.
# tools/run.sh SERVER MODULE PORT
set -euo pipefail
server=$1 module=$2 port=$3

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

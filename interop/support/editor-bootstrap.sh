# An editor's bootstrap in a workspace, as a script on the standard input of `sh`: its own directory, and a server
# from an archive copied there, started in the background on a port of its choice and on a Unix socket.
set -eu
directory=$HOME/.editor-server
mkdir -p "$directory"
tar -xzf "$HOME/editor.tar.gz" -C "$directory"
log=$directory/log
: > "$log"
nohup "$NODE" "$directory/server.js" "$directory/server.sock" > "$log" 2>&1 < /dev/null &
echo $! > "$directory/pid"
tries=0
until port=$(sed -n 's/^listening on \([0-9]*\)$/\1/p' "$log") && [ -n "$port" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 200 ] || { cat "$log"; exit 1; }
  sleep 0.05
done
echo "listeningOn=$port"
echo "socket=$directory/server.sock"
echo "arch=$(uname -m)"

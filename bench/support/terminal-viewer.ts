import WebSocket from "ws";

/*
 * A viewer of a terminal in a process of its own, which types a line and reads all that follows. Its arguments are the URL of
 * the terminal and the token; at its parent's word it says how many bytes it has read.
 */

const [url = "", token = "", line = ""] = process.argv.slice(2);
const socket = new WebSocket(url, { headers: { "Coder-Session-Token": token } });
let received = 0;
socket.on("message", (data: Buffer) => (received += data.length));
socket.on("open", () => socket.send(Buffer.from(JSON.stringify({ data: `${line}\r` }))));
process.on("message", () => process.send?.(received));

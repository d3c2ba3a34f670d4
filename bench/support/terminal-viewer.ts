import WebSocket from "ws";

import { servePart } from "./part.ts";

/*
 * A terminal viewer in a separate process, which types a line and reads everything that follows. Its arguments are
 * the URL of the terminal, the token and the line.
 */

const [url = "", token = "", line = ""] = process.argv.slice(2);
const socket = new WebSocket(url, { headers: { "Coder-Session-Token": token } });
let received = 0;
socket.on("message", (data: Buffer) => (received += data.length));
socket.on("open", () => socket.send(Buffer.from(JSON.stringify({ data: `${line}\r` }))));

const answers = { bytes: (): number => received };
export type TerminalViewer = typeof answers;
servePart(answers);

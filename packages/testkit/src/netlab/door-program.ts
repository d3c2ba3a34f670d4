import { connect, createServer } from "node:net";

import { answerCalls } from "./answer-calls.ts";

/*
 * Forwards connections from a Unix socket, which is visible from every namespace, to an address and port in its own
 * namespace.
 */

const [, , path = "", host = "", portText = ""] = process.argv;

const server = createServer({ allowHalfOpen: true }, (near) => {
  const far = connect({ host, port: Number(portText), allowHalfOpen: true });
  near.pipe(far).pipe(near);
  near.on("error", () => far.destroy());
  far.on("error", () => near.destroy());
});

server.listen(path, () => answerCalls("ready", {}));

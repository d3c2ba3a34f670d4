import { connect, createServer } from "node:net";

import { answerCalls } from "./answer-calls.ts";

/* Passes connections to the socket of a path, which no namespace hides, on to an address and a port in its namespace. */

const [, , path = "", host = "", portText = ""] = process.argv;

const server = createServer({ allowHalfOpen: true }, (near) => {
  const far = connect({ host, port: Number(portText), allowHalfOpen: true });
  near.pipe(far).pipe(near);
  near.on("error", () => far.destroy());
  far.on("error", () => near.destroy());
});

server.listen(path, () => answerCalls("ready", {}));

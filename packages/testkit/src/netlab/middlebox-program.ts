import { createServer, request as ask } from "node:http";
import { type AddressInfo, connect } from "node:net";

import { answerCalls } from "./answer-calls.ts";

/*
 * An HTTP proxy that knows WebSockets and refuses every other upgrade. Its arguments are the address and port of its
 * target; its greeting is the port on which it listens.
 */

const [, , host = "", portText = ""] = process.argv;
const target = { host, port: Number(portText) };

const server = createServer((request, response) => {
  const { method, url: path, headers } = request;
  const onward = ask({ ...target, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  response.on("close", () => onward.destroy());
  request.pipe(onward);
});

server.on("upgrade", (request, near, head) => {
  if (request.headers.upgrade?.toLowerCase() !== "websocket") {
    near.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    return;
  }
  const far = connect(target, () => {
    const fields = request.rawHeaders.map((text, at) =>
      at % 2 === 0 ? `${text}: ` : `${text}\r\n`,
    );
    far.write(`GET ${request.url ?? "/"} HTTP/1.1\r\n${fields.join("")}\r\n`);
    far.write(head);
    near.pipe(far).pipe(near);
  });
  for (const side of [near, far]) {
    side.on("error", () => undefined);
    side.on("close", () => {
      near.destroy();
      far.destroy();
    });
  }
});

server.listen(0, () => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  answerCalls((server.address() as AddressInfo).port, {});
});

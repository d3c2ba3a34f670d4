import type { Socket } from "node:net";

import type { ConnectionError } from "fastify";

import { HttpError } from "./errors.ts";
import { plainAnswer } from "./plain-answer.ts";

/** Answers a connection on which Node.js could read no request, as a route answers, and closes it. */
export function refuseMalformed(error: ConnectionError, socket: Socket): void {
  // The client is gone: nobody reads an answer.
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  if (socket.writable) socket.write(plainAnswer(refusalOf(error)));
  socket.destroy(error);
}

function refusalOf(error: ConnectionError): HttpError {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return new HttpError(431, "The header fields of the request are too large.");
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new HttpError(413, "The extensions of a chunk are too large.");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new HttpError(408, "The request was not sent in time.");
    default: {
      const reason: unknown = Reflect.get(error, "reason");
      const message = "The request is not valid HTTP.";
      return typeof reason === "string" && reason !== ""
        ? new HttpError(400, message, { detail: `${reason}.` })
        : new HttpError(400, message);
    }
  }
}

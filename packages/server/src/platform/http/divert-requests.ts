import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

import { answerOf } from "./error-answer.ts";
import { HttpError } from "./errors.ts";
import { encodeJson } from "./json.ts";

/** An upgrade that a client asks for. */
export interface RequestedUpgrade {
  readonly socket: Socket;
  /** The bytes that came with the request. */
  readonly head: Buffer;
}

/** Answers a request; the response of an upgrade is written to its socket, unless the socket is taken over. */
export type ServeRequest = (
  response: ServerResponse,
  upgrade: RequestedUpgrade | undefined,
) => void;

/**
 * Diverts requests from a server by their host or path, before anything else sees them: `divert` returns the function
 * that answers one, or undefined to leave it. Refuses requests whose target is ambiguous.
 */
export function divertRequests(
  server: Server,
  divertPlain: (request: IncomingMessage) => ServeRequest | undefined,
): void {
  const divert = (request: IncomingMessage): ServeRequest | undefined => {
    const problem = readTarget(request);
    return problem === undefined
      ? divertPlain(request)
      : (response) => refuse(response, new HttpError(400, problem));
  };
  const onRequests = server.listeners("request");
  const onUpgrades = server.listeners("upgrade");
  server.removeAllListeners("request").removeAllListeners("upgrade");
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const serve = divert(request);
    if (serve === undefined) return onRequests.forEach((on) => on.call(server, request, response));
    waitLonger(request, response, server.timeout);
    return serve(response, undefined);
  };
  server.on("request", answer);
  // The reader of the body decides whether to ask for it.
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    if (divert(request) === undefined) response.writeContinue();
    answer(request, response);
  });
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const serve = divert(request);
    if (serve === undefined)
      return onUpgrades.forEach((on) => on.call(server, request, socket, head));
    return serve(responseTo(request, socket), { socket, head });
  });
}

/** Answers a request, and closes its connection. */
function refuse(response: ServerResponse, refusal: HttpError): void {
  const { status, body } = answerOf(refusal);
  response.shouldKeepAlive = false;
  response.writeHead(status, {
    "Content-Type": "application/json; charset=utf-8",
    "X-Content-Type-Options": "nosniff",
  });
  response.end(encodeJson(body));
}

/** Lets a connection be silent for as long as its request takes. */
function waitLonger({ socket }: IncomingMessage, response: ServerResponse, idleMs: number): void {
  socket.setTimeout(0);
  response.once("close", () => socket.setTimeout(idleMs));
}

/** Returns the response to a request whose connection Node.js has released; the connection ends with it. */
function responseTo(request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once("finish", () => socket.end());
  socket.on("error", () => socket.destroy());
  socket.setTimeout(0);
  return response;
}

/** A host with an optional port (RFC 3986 section 3.2.2), empty if there is none. */
const hostForm = /^(?:\[[\w:.%~-]+\]|[\w.~%!$&'()*+,;=-]*)(?::\d*)?$/;
const absoluteForm = /^https?:\/\/(?<authority>[^/?#]+)(?<rest>.*)$/is;

type Target = Pick<IncomingMessage, "url" | "headers" | "rawHeaders">;

/**
 * Rewrites the target of a request to a path: the host of an absolute URL replaces the `Host` header
 * (RFC 9112 section 3.2.2). Returns the problem of a request whose host is malformed or not the only one, which must be
 * refused (section 3.2); undefined if there is none.
 */
export function readTarget(request: Target): string | undefined {
  const { url = "", headers, rawHeaders } = request;
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && /^host$/i.test(name));
  if (hosts.length > 1) return "The request has several Host headers.";
  if (!hostForm.test(headers.host ?? "")) return "The Host header is not a host.";
  if (url.startsWith("/") || url === "*") return undefined;
  const { authority = "", rest = "" } = absoluteForm.exec(url)?.groups ?? {};
  if (authority === "" || !hostForm.test(authority)) {
    return "The request target is neither a path nor an http or https URL.";
  }
  headers.host = authority;
  request.url = rest.startsWith("/") ? rest : `/${rest}`;
  return undefined;
}

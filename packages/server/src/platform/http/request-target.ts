import type { IncomingMessage } from "node:http";

/** A host with an optional port (RFC 3986 section 3.2.2), empty if there is none. */
const hostForm = /^(?:\[[\w:.%~-]+\]|[\w.~%!$&'()*+,;=-]*)(?::\d*)?$/;
const absoluteForm = /^https?:\/\/(?<authority>[^/?#]+)(?<rest>.*)$/is;

type Target = Pick<IncomingMessage, "url" | "headers" | "rawHeaders">;

/**
 * Brings the target of a request into the form of a path: the host of an absolute URL takes the place of the `Host` header
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

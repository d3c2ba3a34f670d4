import { UsageError } from "../../command/errors.ts";

/** The end of a forward: a port at an address, or a Unix socket. */
export type ForwardEnd =
  | { readonly kind: "port"; readonly host: string; readonly port: number }
  | { readonly kind: "socket"; readonly path: string };

/** A port or socket to listen on, and the destination of its connections. */
export interface SshForward {
  readonly listen: ForwardEnd;
  readonly target: ForwardEnd;
}

/** The default address to listen on. */
const defaultHost = "localhost";
const maxPort = 65_535;

/**
 * Reads a forward in OpenSSH's syntax: `[address:]port:host:port`, where a path may stand for either end, and
 * brackets around an IPv6 address. Throws a `UsageError` that names the flag.
 */
export function readSshForward(flag: string, text: string): SshForward {
  const words = splitWords(text);
  const target = takeEnd(words, "last");
  const listen = takeEnd(words, "first");
  if (target !== undefined && listen !== undefined && words.length === 0) return { listen, target };
  throw new UsageError(
    `${flag} "${text}" is not a forward, wanted [address:]port:host:port; either end may be the path of a socket`,
  );
}

/** Splits at colons outside brackets, which are left out. */
function splitWords(text: string): string[] {
  return [...text.matchAll(/(?:^|:)(?:\[([^\]]*)\](?=:|$)|([^:]*))/g)].map(
    ([, bracketed, plain]) => bracketed ?? plain ?? "",
  );
}

/** Removes the words of one end: a path, or a host and a port; the listening end may lack its host. */
function takeEnd(words: string[], which: "first" | "last"): ForwardEnd | undefined {
  const only = which === "first" ? words[0] : words.at(-1);
  if (only?.startsWith("/") === true) {
    words.splice(which === "first" ? 0 : -1, 1);
    return { kind: "socket", path: only };
  }
  const [host, port] =
    which === "first" && words.length === 1 ? [defaultHost, words[0]] : words.slice(-2);
  words.splice(which === "first" ? 0 : -2, 2);
  if (host === undefined || host === "" || port === undefined || !/^\d{1,5}$/.test(port)) {
    return undefined;
  }
  const number = Number(port);
  const isPort = number <= maxPort && (number > 0 || which === "first");
  return isPort ? { kind: "port", host, port: number } : undefined;
}

import { lookup } from "node:dns/promises";
import type { IncomingMessage } from "node:http";
import { connect, isIP } from "node:net";

import { errorText, untrustedAuthorityHint, wantedCertificateHint } from "@slipway/runtime";

import { DialError } from "./errors.ts";

/**
 * Explains why a request to the server got no answer: finds the rung by climbing the ladder again from the bottom. The
 * URL's scheme is that of HTTP or of WebSockets.
 */
export async function explainFailure(
  error: unknown,
  url: URL,
  signal: AbortSignal,
): Promise<DialError> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isSecure = url.protocol === "wss:" || url.protocol === "https:";
  const port = Number(url.port) || (isSecure ? 443 : 80);
  if (isIP(host) === 0) {
    try {
      await lookup(host);
    } catch (cause) {
      return new DialError("dns", `cannot find the address of ${host}`, { cause });
    }
  }
  try {
    await probe(host, port, signal);
  } catch (cause) {
    return new DialError("tcp", `cannot connect to ${host} port ${port}`, { cause });
  }
  const isTls = isSecure && /certificate|ssl|tls|self.signed/i.test(errorText(error));
  if (isTls) {
    const hint = untrustedAuthorityHint(error) ?? wantedCertificateHint(error);
    const advice = hint === undefined ? "" : ` (${hint})`;
    return new DialError("tls", `no trusted TLS connection to ${host}${advice}`, { cause: error });
  }
  if (/invalid (upgrade|sec-websocket)|unexpected server response/i.test(errorText(error))) {
    return new DialError("upgrade", "a proxy in between does not forward WebSockets", {
      cause: error,
    });
  }
  return new DialError("http", `no HTTP answer from ${host} port ${port}`, { cause: error });
}

const probeTimeoutMs = 5_000;

function probe(host: string, port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal, timeout: probeTimeoutMs });
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.once("timeout", () => socket.destroy(new Error("no answer")));
    socket.once("error", reject);
  });
}

const maxErrorBodyBytes = 64 * 1024;

/** Reads the body of an error answer, up to a length that a person would read. */
export async function readErrorBody(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) {
    text += String(chunk);
    if (text.length > maxErrorBodyBytes) break;
  }
  return text;
}

/**
 * Returns the message of a server's error body; undefined if it is not one, and the answer not from one of our servers.
 */
export function messageOf(body: string): string | undefined {
  const parsed = parseBody(body);
  return parsed !== undefined && "message" in parsed ? String(parsed.message) : undefined;
}

/** Returns the names of the fields that are invalid according to an error body. */
export function invalidFields(body: string): readonly string[] {
  const parsed = parseBody(body);
  const validations: unknown =
    parsed !== undefined && "validations" in parsed && parsed.validations;
  if (!Array.isArray(validations)) return [];
  return validations.flatMap((validation: unknown) => {
    const isField = typeof validation === "object" && validation !== null && "field" in validation;
    return isField ? [String(validation.field)] : [];
  });
}

function parseBody(body: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null ? parsed : undefined;
  } catch {
    // Not JSON, perhaps a proxy's page.
    return undefined;
  }
}

import type { FastifyReply, FastifyRequest } from "fastify";

import { matchesTag } from "../../platform/http/fixed-answer.ts";
import type { ArchiveFile } from "./archive-file.ts";

/** The time limit of a response with an archive: a slower client requests the rest. */
const maxDownloadMs = 15 * 60_000;

const yearSeconds = 31_536_000;

interface SendOptions {
  readonly file: ArchiveFile;
  /** The sum that the URL names; undefined if it names none. */
  readonly askedSum: string | undefined;
}

/** Answers with an archive, a part of it, or only its headers. */
export function sendArchive(
  request: FastifyRequest,
  reply: FastifyReply,
  { file, askedSum }: SendOptions,
): FastifyReply {
  const tag = `"${file.sha256.toString("hex")}"`;
  const digest = file.sha256.toString("base64");
  // The content of a URL with the sum never changes.
  const caching = askedSum === undefined ? "no-cache" : `max-age=${yearSeconds}, immutable`;
  reply.headers({
    "Accept-Ranges": "bytes",
    "Cache-Control": `public, ${caching}`,
    Digest: `sha-256=${digest}`,
    ETag: tag,
    "Repr-Digest": `sha-256=:${digest}:`,
  });
  if (matchesTag(request.headers["if-none-match"], tag)) return reply.code(304).send();
  const part = readPart(request, file, tag);
  if (part.kind === "outside") {
    return reply.code(416).header("Content-Range", `bytes */${file.bytes}`).send();
  }
  const { first, last } = part.kind === "part" ? part : { first: 0, last: file.bytes - 1 };
  if (part.kind === "part") {
    reply.code(206).header("Content-Range", `bytes ${first}-${last}/${file.bytes}`);
  }
  reply.header("Content-Length", last - first + 1).type("application/octet-stream");
  if (request.method === "HEAD") return reply.send();
  limitTime(reply);
  return reply.send(file.read({ first, last }));
}

/** Returns the requested part; the whole if the part is of another content (RFC 9110, section 13.1.5). */
function readPart(
  { headers }: FastifyRequest,
  { bytes }: ArchiveFile,
  tag: string,
): ReturnType<typeof readRange> {
  const condition = headers["if-range"];
  const isSame = condition === undefined || condition === tag;
  return readRange(isSame ? headers.range : undefined, bytes);
}

function limitTime({ raw }: FastifyReply): void {
  const timer = setTimeout(() => raw.destroy(), maxDownloadMs);
  raw.once("close", () => clearTimeout(timer));
}

/** The requested part of a file. */
type RequestedPart =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly first: number; readonly last: number }
  /** No byte of the file is in the range. */
  | { readonly kind: "outside" };

/**
 * Reads the header `Range` (RFC 9110, section 14). One range of bytes is served; anything else gets the whole file, as the
 * standard allows.
 */
export function readRange(header: string | undefined, bytes: number): RequestedPart {
  const [, start = "", end = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "") ?? [];
  if (start === "" && end === "") return { kind: "whole" };
  const isSuffix = start === "";
  const first = isSuffix ? Math.max(0, bytes - Number(end)) : Number(start);
  const last = isSuffix || end === "" ? bytes - 1 : Math.min(Number(end), bytes - 1);
  // A range that ends before it begins is invalid.
  if (!isSuffix && end !== "" && Number(end) < first) return { kind: "whole" };
  return first > last ? { kind: "outside" } : { kind: "part", first, last };
}

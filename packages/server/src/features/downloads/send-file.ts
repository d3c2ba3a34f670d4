import type { FastifyReply, FastifyRequest } from "fastify";

import { matchesTag } from "../../platform/http/entity-tag.ts";
import type { ArchiveFile } from "./archive-file.ts";
import { readRange } from "./byte-range.ts";

/** The time in which a client has to read an archive: a slower one asks for the rest. */
export const maxDownloadMs = 15 * 60_000;

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
  // A URL with the sum never has another content.
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

/** Returns the part that is asked for; the whole if it is a part of another content (RFC 9110, section 13.1.5). */
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

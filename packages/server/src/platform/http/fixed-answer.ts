import { createHash } from "node:crypto";

import type { FastifyReply, FastifyRequest } from "fastify";

/** An answer that never changes: its bytes are made once, and not sent to a client that has them. */
export interface FixedAnswer {
  readonly type: string;
  readonly bytes: Buffer;
  /** The entity tag, derived from the content. */
  readonly tag: string;
}

export function fixedAnswer(type: string, content: string | Uint8Array): FixedAnswer {
  const bytes = Buffer.from(content);
  const sum = createHash("sha256").update(bytes).digest("base64url");
  return { type, bytes, tag: `"${sum}"` };
}

export function sendFixed(
  { headers }: Pick<FastifyRequest, "headers">,
  reply: FastifyReply,
  { type, bytes, tag }: FixedAnswer,
): FastifyReply {
  reply.header("ETag", tag);
  if (!reply.hasHeader("Cache-Control")) reply.header("Cache-Control", "no-cache");
  if (matchesTag(headers["if-none-match"], tag)) return reply.code(304).send();
  return reply.type(type).send(bytes);
}

/** Returns whether an entity tag is in the header `If-None-Match`; weak ones count (RFC 9110, section 13.1.2). */
export function matchesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === "*") return true;
  return header.split(",").some((one) => one.trim().replace(/^W\//, "") === tag);
}

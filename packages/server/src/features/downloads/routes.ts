import { createHash } from "node:crypto";

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { notFound } from "../../platform/errors/errors.ts";
import type { AnonymousStreams } from "../../platform/http/anonymous-streams.ts";
import { matchesTag } from "../../platform/http/fixed-answer.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";
import { archiveFile, archiveNames, coderNames } from "./archive-file.ts";
import type { ArchiveStore } from "./archive-store.ts";
import { sendArchive } from "./send-file.ts";
import type { ShellScripts } from "./shell-scripts.ts";

interface DownloadNeeds {
  readonly store: Pick<ArchiveStore, "open">;
  readonly scripts: ShellScripts;
  readonly limits: RequestLimits;
  /** The count of downloads at a time. */
  readonly streams: Pick<AnonymousStreams, "holdResponse">;
  /** The version that clients of the original see. */
  readonly version: string;
  /** Returns the URL that a script leads back to. */
  readonly urlFor: (request: FastifyRequest) => string;
}

const methods: ("GET" | "HEAD")[] = ["GET", "HEAD"];

/** A script contains the address that it was requested from. */
const notForOthers = { "Cache-Control": "private, no-cache", Vary: "Host" };

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/**
 * Adds the public downloads: archives of the agent and the command, and scripts that get them. Each has its own route, so no
 * URL leads to another file.
 */
export function addDownloads(app: FastifyInstance, needs: DownloadNeeds): void {
  const { scripts, limits, version, urlFor } = needs;
  const add = (url: string, handler: Handler): void => {
    app.route({
      method: methods,
      url,
      exposeHeadRoute: false,
      handler: async (request, reply) => {
        limits.countPage(url, request, reply);
        return handler(request, reply);
      },
    });
  };
  const place = (request: FastifyRequest): { accessUrl: string; version: string } => ({
    accessUrl: urlFor(request),
    version,
  });
  add("/bin/start.sh", async (request, reply) => {
    reply.headers(notForOthers);
    return sendScript(reply, scripts.start(place(request)));
  });
  for (const name of coderNames) {
    add(`/bin/${name}`, async (request, reply) =>
      sendCoder(request, reply, scripts.coder(place(request))),
    );
  }
  addArchives(add, needs);
}

function addArchives(
  add: (url: string, handler: Handler) => void,
  { store, streams }: DownloadNeeds,
): void {
  for (const name of archiveNames) {
    const url = `/bin/${archiveFile(name)}`;
    add(`${url}.sha256`, async (_request, reply) => {
      const { sha256 } = await store.open(name);
      reply.header("Cache-Control", "no-cache");
      return sendScript(reply, `${sha256.toString("hex")}  ${archiveFile(name)}\n`);
    });
    add(url, async (request, reply) => {
      const file = await store.open(name);
      const askedSum = readSum(request.query);
      // The server has been updated since the sum was read.
      if (askedSum !== undefined && askedSum !== file.sha256.toString("hex")) throw notFound();
      if (request.method === "GET") streams.holdResponse(request, reply);
      return sendArchive(request, reply, { file, askedSum });
    });
  }
}

function readSum(query: unknown): string | undefined {
  const sum: unknown = Reflect.get(Object(query), "sha256");
  // A list, if given twice, is not a sum.
  return sum === undefined || typeof sum === "string" ? sum : "";
}

function sendScript(reply: FastifyReply, text: string): FastifyReply {
  return reply.type("text/plain; charset=utf-8").serializer(String).send(text);
}

/** Editors identify their copy by its SHA-1, and accept no text (docs/protocol/clients.md §3.1). */
function sendCoder(request: FastifyRequest, reply: FastifyReply, text: string): FastifyReply {
  const content = Buffer.from(text);
  const tag = `"${createHash("sha1").update(content).digest("hex")}"`;
  reply.headers({ ...notForOthers, ETag: tag });
  if (matchesTag(request.headers["if-none-match"], tag)) return reply.code(304).send();
  return reply.type("application/octet-stream").send(content);
}

import { readdir, readFile } from "node:fs/promises";

import { systemErrorCode } from "@slipway/runtime";
import type { FastifyReply, FastifyRequest } from "fastify";

import { packageDirectory } from "../clone-directory.ts";
import { NotFound } from "../errors/errors.ts";
import { readOnce } from "../read-once.ts";
import { type FixedAnswer, fixedAnswer, sendFixed } from "./fixed-answer.ts";

/** The files that `tools/build-web.ts` builds: the page, its assets, and a compressed variant of most. */
const builtDirectory = new URL("../web/dist/site/", packageDirectory);

const pageFile = "index.html";
const assetDirectory = "assets/";

const types: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  woff2: "font/woff2",
};

/** The codings of compressed variants, the smallest first, and the endings of their files. */
const codings = [
  ["br", ".br"],
  ["gzip", ".gz"],
] as const;

/** The policy of the page: only files of this server run, and text never becomes markup or a script. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  // The terminal writes the styles of its cells into the page.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const pageHeaders = {
  "Content-Security-Policy": contentSecurityPolicy,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Referrer-Policy": "same-origin",
};

const yearSeconds = 31_536_000;

/** The files of the dashboard, each read when it is first asked for; those of a release do not change. */
export class Dashboard {
  readonly #files: ReadonlyMap<string, () => Promise<FixedAnswer>>;

  private constructor(directory: URL, paths: readonly string[]) {
    this.#files = new Map(
      paths.map((path) => [path, readOnce(async () => readAnswer(directory, path))] as const),
    );
  }

  /** Opens the dashboard in a directory; undefined if it has not been built. */
  static async open(directory = builtDirectory): Promise<Dashboard | undefined> {
    const paths = await listFiles(directory);
    return paths.includes(pageFile) ? new Dashboard(directory, paths) : undefined;
  }

  /** Sends the page, which shows what its address names. */
  async sendPage(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    return this.#send(request, reply, pageFile, pageHeaders);
  }

  /** Sends a file of the page; throws `NotFound` if there is none of that name. */
  async sendFile(
    request: FastifyRequest,
    reply: FastifyReply,
    path: string,
  ): Promise<FastifyReply> {
    // The name of an asset has the sum of its content.
    const isAsset = path.startsWith(assetDirectory);
    const caching = isAsset ? `max-age=${yearSeconds}, immutable` : "max-age=3600";
    return this.#send(request, reply, path, { "Cache-Control": `public, ${caching}` });
  }

  /** Sends a file with these headers. They are set once it was read, so that no cache keeps a failure. */
  async #send(
    request: FastifyRequest,
    reply: FastifyReply,
    path: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<FastifyReply> {
    const accepted = request.headers["accept-encoding"] ?? "";
    const coding = codings.find(
      ([name, ending]) => acceptsCoding(accepted, name) && this.#files.has(`${path}${ending}`),
    );
    const read = this.#files.get(`${path}${coding?.[1] ?? ""}`);
    if (read === undefined) throw new NotFound("File not found.");
    const answer = await read();
    reply.headers(headers);
    reply.header("Vary", ["Origin", "Cookie", "Accept", "Accept-Encoding"]);
    if (coding !== undefined) reply.header("Content-Encoding", coding[0]);
    return sendFixed(request, reply, answer);
  }
}

async function listFiles(directory: URL): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory, { recursive: true });
    return entries.map((path) => path.replaceAll("\\", "/"));
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** Reads a file; throws `NotFound` if it is gone, as after an upgrade beside a server that runs. */
async function readAnswer(directory: URL, path: string): Promise<FixedAnswer> {
  const name = path.replace(/\.(?:br|gz)$/, "");
  const type = types[name.split(".").at(-1) ?? ""] ?? "application/octet-stream";
  try {
    return fixedAnswer(type, await readFile(new URL(path, directory)));
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") throw new NotFound("File not found.");
    throw error;
  }
}

/** Returns whether a header `Accept-Encoding` admits a coding: it names it without `q=0` (RFC 9110, section 12.5.3). */
function acceptsCoding(header: string, coding: string): boolean {
  return header.split(",").some((entry) => {
    const [name = "", ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
    return name === coding && !parameters.some((one) => /^q=0(?:\.0*)?$/.test(one));
  });
}

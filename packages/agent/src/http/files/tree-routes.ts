import { lstat } from "node:fs/promises";
import { Readable } from "node:stream";

import { maxMatches } from "@slipway/api/agents/request-limits";

import { packTree } from "../../files/pack-tree.ts";
import { absolutePath } from "../../files/paths.ts";
import type { RipgrepHost } from "../../files/ripgrep.ts";
import { searchTree } from "../../files/search-tree.ts";
import { unpackTree } from "../../files/unpack-tree.ts";
import { watchTree } from "../../files/watch-tree.ts";
import { fileTurns } from "../../process/turns.ts";
import { type ApiRoute, jsonAnswer, streamAnswer } from "../route.ts";
import { BodyReader } from "./body.ts";
import { Places } from "./places.ts";
import { translated } from "./problems.ts";
import { QueryReader } from "./query.ts";

const base = "/api/v0/files";
const usualMatches = 500;
const maxGlobs = 32;
/** The time of a search, which ends itself earlier, and that to look through a tree before it is archived. */
const treeTimeoutMs = 90_000;
/** The maximum numbers of concurrent searches and watches of an agent. */
const maxSearches = 4;
const maxWatches = 64;

interface TreeRoutesOptions extends RipgrepHost {
  readonly home: string;
}

/** The routes of whole trees: search, watch, and archives both ways. */
export function wholeTreeRoutes({ home, ...ripgrep }: TreeRoutesOptions): readonly ApiRoute[] {
  const searches = new Places("searches", maxSearches);
  const watches = new Places("watches", maxWatches);
  return [
    {
      kind: "json",
      method: "POST",
      path: `${base}/search`,
      timeoutMs: treeTimeoutMs,
      handle: async ({ body, signal }) => {
        const fields = new BodyReader(body);
        const path = fields.text("path");
        const search = {
          pattern: fields.text("pattern"),
          isLiteral: fields.switch("literal"),
          ignoresCase: fields.switch("ignore_case"),
          globs: fields.texts("globs", maxGlobs),
          isAll: fields.switch("all"),
          maxMatches: Math.min(fields.optionalNumber("limit") ?? usualMatches, maxMatches),
        };
        const needs = { ripgrep, owner: {}, signal };
        using _ = searches.take();
        return jsonAnswer(
          await translated(async () => searchTree(absolutePath(path, home), search, needs)),
        );
      },
    },
    {
      kind: "socket",
      path: `${base}/watch`,
      maxMessageBytes: 1_024,
      open: async ({ query }) => {
        const fields = new QueryReader(query, ["path", "recursive"]);
        const name = fields.text("path");
        const isRecursive = fields.switch("recursive", false);
        fields.check();
        const path = await translated(async () => {
          const found = absolutePath(name, home);
          await fileTurns.run({}, () => lstat(found));
          return found;
        });
        return async (socket) => {
          using _ = watches.take();
          const { signal } = socket;
          const report = (changes: readonly object[]): Promise<void> =>
            socket.send(JSON.stringify({ changes }));
          await watchTree(path, { isRecursive, owner: {}, signal, report });
        };
      },
    },
    {
      kind: "plain",
      method: "GET",
      path: `${base}/archive`,
      timeoutMs: treeTimeoutMs,
      handle: async ({ query, signal }) => {
        const fields = new QueryReader(query, ["path"]);
        const path = fields.text("path");
        fields.check();
        const tar = await translated(async () =>
          packTree(absolutePath(path, home), { owner: {}, signal }),
        );
        return streamAnswer(tar, { headers: { "content-type": "application/x-tar" } });
      },
    },
    {
      kind: "stream",
      method: "PUT",
      path: `${base}/archive`,
      handle: async ({ query, body, signal }) => {
        const fields = new QueryReader(query, ["path", "overwrite"]);
        const path = fields.text("path");
        const overwrites = fields.switch("overwrite", true);
        fields.check();
        return translated(async () => {
          const how = { overwrites, owner: {}, signal };
          return jsonAnswer(await unpackTree(absolutePath(path, home), tarOf(body), how));
        });
      },
    },
  ];
}

/** Returns a body as a stream whose failure leaves the connection for the answer. */
function tarOf(body: Readable): Readable {
  return Readable.from(body.iterator({ destroyOnReturn: false }), { objectMode: false });
}

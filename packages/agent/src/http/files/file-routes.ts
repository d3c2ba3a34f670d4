import { maxPageEntries } from "@slipway/api/agents/request-limits";

import { makeDirectory, movePath, removePath } from "../../files/change-tree.ts";
import { describeFile } from "../../files/describe-file.ts";
import { diffOf, editContent, writeEdited } from "../../files/edit-file.ts";
import { listPage } from "../../files/list-page.ts";
import { absolutePath } from "../../files/paths.ts";
import type { RipgrepHost } from "../../files/ripgrep.ts";
import { fileTurns } from "../../process/turns.ts";
import { ApiError } from "../errors.ts";
import { type ApiAnswer, type ApiRoute, jsonAnswer, type JsonRequest } from "../route.ts";
import { BodyReader, readEdit } from "./body.ts";
import { contentRoutes } from "./content-routes.ts";
import { translated } from "./problems.ts";
import { QueryReader } from "./query.ts";
import { stockRoutes } from "./stock-routes.ts";
import { wholeTreeRoutes } from "./tree-routes.ts";

export interface FileRoutesOptions extends RipgrepHost {
  /** The home directory of the agent's user, whose files these are. */
  readonly home: string;
  /** True to refuse all routes that move contents. */
  readonly isBlocked: boolean;
}

const base = "/api/v0/files";
/** The time to remove a tree. */
const removeTimeoutMs = 10 * 60_000;
const maxEdits = 256;
const maxEditBody = 4 * 1024 * 1024;

/** The routes of files (docs/protocol/agent.md §8.3): those of stock agents, and ours. */
export function fileRoutes(options: FileRoutesOptions): readonly ApiRoute[] {
  const routes = [
    ...entryRoutes(options),
    ...contentRoutes(options),
    ...wholeTreeRoutes(options),
    ...stockRoutes(options),
  ];
  return options.isBlocked ? routes.map(blocked) : routes;
}

/** The routes of single entries, whose requests and answers are JSON. */
function entryRoutes({ home }: FileRoutesOptions): readonly ApiRoute[] {
  return [
    {
      kind: "plain",
      method: "GET",
      path: base,
      handle: async ({ query, signal }) => {
        const fields = new QueryReader(query, ["path", "after", "limit"]);
        const path = fields.text("path");
        const limit = Math.min(fields.number("limit", maxPageEntries), maxPageEntries);
        fields.check();
        const after = fields.optionalText("after");
        const page = { after, limit: Math.max(1, limit), owner: {}, signal };
        return jsonAnswer(await translated(async () => listPage(absolutePath(path, home), page)));
      },
    },
    {
      kind: "plain",
      method: "GET",
      path: `${base}/stat`,
      handle: async ({ query }) => {
        const fields = new QueryReader(query, ["path", "follow"]);
        const path = fields.text("path");
        const follow = fields.switch("follow", true);
        fields.check();
        return described(path, { home, follow });
      },
    },
    change("edit", async ({ body }) => {
      const fields = new BodyReader(body);
      const edits = fields.objects("edits", maxEdits).map(readEdit);
      const etag = fields.optionalText("if_match");
      const path = fields.text("path");
      return translated(async () => {
        const owner = {};
        const edited = await editContent(absolutePath(path, home), edits, owner);
        if (etag !== undefined && etag !== edited.etag) {
          throw new ApiError(412, "The file has changed.");
        }
        if (edited.before !== edited.after) await writeEdited(edited, owner);
        const file = await fileTurns.run(owner, () => describeFile(edited.target, false));
        return jsonAnswer({ file, diff: await diffOf(edited) });
      });
    }),
    change("move", async ({ body }) => {
      const fields = new BodyReader(body);
      const [from, to, overwrite] = [
        fields.text("from"),
        fields.text("to"),
        fields.switch("overwrite"),
      ];
      return translated(async () => {
        const target = absolutePath(to, home);
        await movePath(absolutePath(from, home), target, { overwrite, owner: {} });
        return described(to, { home, follow: false });
      });
    }),
    change("remove", async ({ body, signal }) => {
      const fields = new BodyReader(body);
      const [path, isRecursive] = [fields.text("path"), fields.switch("recursive")];
      return translated(async () => {
        const options = { isRecursive, owner: {}, signal };
        return jsonAnswer({ removed: await removePath(absolutePath(path, home), options) });
      });
    }),
    change("directories", async ({ body }) => {
      const fields = new BodyReader(body);
      const [path, makesParents] = [fields.text("path"), fields.switch("parents")];
      const mode = fields.optionalMode("mode");
      return translated(async () => {
        await makeDirectory(absolutePath(path, home), { makesParents, mode, owner: {} });
        return described(path, { home, follow: true });
      });
    }),
  ];
}

/** Returns a route that changes files. */
function change(name: string, handle: (request: JsonRequest) => Promise<ApiAnswer>): ApiRoute {
  return {
    kind: "json",
    method: "POST",
    path: `${base}/${name}`,
    maxBodyBytes: maxEditBody,
    timeoutMs: removeTimeoutMs,
    handle,
  };
}

async function described(
  path: string,
  { home, follow }: { readonly home: string; readonly follow: boolean },
): Promise<ApiAnswer> {
  const entry = await translated(async () =>
    fileTurns.run({}, () => describeFile(absolutePath(path, home), follow)),
  );
  return jsonAnswer(entry);
}

/** Refuses a route, where the template forbids to move files in and out (docs/protocol/agent.md §6.8). */
function blocked(route: ApiRoute): ApiRoute {
  const refuse = async (): Promise<never> => {
    throw new ApiError(403, "File transfer is blocked in this workspace.");
  };
  return route.kind === "socket" ? { ...route, open: refuse } : { ...route, handle: refuse };
}

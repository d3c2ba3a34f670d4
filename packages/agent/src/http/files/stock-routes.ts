import { bundleFiles, usualBundleLimits } from "../../files/bundle-files.ts";
import { diffOf, editContent, type EditedFile, writeEdited } from "../../files/edit-file.ts";
import type { TextEdit } from "../../files/edit-text.ts";
import { absolutePath, pathText } from "../../files/paths.ts";
import { openRange } from "../../files/read-file.ts";
import { type LineLimits, readLines } from "../../files/read-lines.ts";
import { resolvePath } from "../../files/resolve-path.ts";
import { replaceContent } from "../../files/write-file.ts";
import type { PreparedCommand } from "../../process/spawn-group.ts";
import { fileTurns } from "../../process/turns.ts";
import { ApiError } from "../errors.ts";
import { type ApiAnswer, type ApiRoute, jsonAnswer, streamAnswer } from "../route.ts";
import { BodyReader, readEdit } from "./body.ts";
import { mediaType } from "./media-type.ts";
import { Places } from "./places.ts";
import { fileProblem, translated } from "./problems.ts";
import { QueryReader } from "./query.ts";

/** The default limits of a reading by lines, and the largest that a caller may set (docs/protocol/agent.md §8.3). */
const lineLimits: LineLimits = {
  maxFileBytes: 1024 * 1024,
  maxLineBytes: 1_024,
  maxLines: 2_000,
  maxBytes: 32_768,
};
const largestLineLimits: LineLimits = {
  maxFileBytes: 16 * 1024 * 1024,
  maxLineBytes: 1024 * 1024,
  maxLines: 100_000,
  maxBytes: 4 * 1024 * 1024,
};
const maxEditedFiles = 256;
const maxEdits = 256;
const maxEditBody = 8 * 1024 * 1024;
const maxBundleBody = 64 * 1024;
const bundleTimeoutMs = 5 * 60_000;
/** The maximum number of bundles that are collected at once. */
const maxBundles = 4;

interface StockRoutesOptions {
  readonly home: string;
  /** Prepares a command of the workspace. */
  readonly prepare: (text: string) => Promise<Pick<PreparedCommand, "environment">>;
}

/** The routes of files that stock agents have (docs/protocol/agent.md §8.3). */
export function stockRoutes({ home, prepare }: StockRoutesOptions): readonly ApiRoute[] {
  const bundles = new Places("collections of files", maxBundles);
  return [
    {
      kind: "plain",
      method: "GET",
      path: "/api/v0/resolve-path",
      handle: async ({ query }) => {
        const fields = new QueryReader(query, ["path"]);
        const name = fields.text("path");
        fields.check();
        return translated(async () => {
          const path = absolutePath(name, home);
          const resolved = await fileTurns.run({}, () => resolvePath(path));
          return jsonAnswer({ resolved_path: pathText(resolved) });
        });
      },
    },
    {
      kind: "plain",
      method: "GET",
      path: "/api/v0/read-file",
      handle: async ({ query }) => {
        const fields = new QueryReader(query, ["path", "offset", "limit"]);
        const name = fields.text("path");
        const [offset, limit] = [fields.number("offset", 0), fields.number("limit", 0)];
        fields.check();
        const range = { offset, limit: limit === 0 ? undefined : limit };
        const { length, stream } = await translated(async () =>
          openRange(absolutePath(name, home), range, {}),
        );
        const headers = { "content-type": mediaType(name) };
        return streamAnswer(stream, {
          headers: length === undefined ? headers : { ...headers, "content-length": length },
        });
      },
    },
    {
      kind: "plain",
      method: "GET",
      path: "/api/v0/read-file-lines",
      handle: async ({ query }) => readFileLines(query, home),
    },
    {
      kind: "stream",
      method: "POST",
      path: "/api/v0/write-file",
      handle: async ({ query, body }) => {
        const fields = new QueryReader(query, ["path"]);
        const name = fields.text("path");
        fields.check();
        return translated(async () => {
          await replaceContent(
            absolutePath(name, home),
            body.iterator({ destroyOnReturn: false }),
            {
              condition: { kind: "any" },
              mode: undefined,
              modifiedAtMs: undefined,
              makesParents: true,
              followsLinks: true,
              owner: {},
            },
          );
          return jsonAnswer({ message: `Successfully wrote to "${name}"` });
        });
      },
    },
    {
      kind: "json",
      method: "POST",
      path: "/api/v0/edit-files",
      maxBodyBytes: maxEditBody,
      handle: async ({ body }) => editFiles(new BodyReader(body), home),
    },
    {
      kind: "json",
      method: "POST",
      path: "/api/v0/bundle-files",
      maxBodyBytes: maxBundleBody,
      handle: async ({ body, signal }) => {
        // The limit of the body is that of the paths.
        const paths = new BodyReader(body).texts("paths", maxBundleBody);
        const { environment } = await prepare("true");
        const place = bundles.take();
        const deadline = AbortSignal.timeout(bundleTimeoutMs);
        const needs = { home, environment, owner: {}, deadline, signal };
        const tar = bundleFiles(paths, { ...needs, limits: usualBundleLimits });
        tar.once("close", () => place[Symbol.dispose]());
        return streamAnswer(tar, { headers: { "content-type": "application/x-tar" } });
      },
    },
  ];
}

const lineParams = [
  "path",
  "offset",
  "limit",
  "max_file_size",
  "max_line_bytes",
  "max_response_lines",
  "max_response_bytes",
];

async function readFileLines(query: URLSearchParams, home: string): Promise<ApiAnswer> {
  const fields = new QueryReader(query, lineParams);
  const name = fields.text("path");
  const range = { offset: fields.number("offset", 1), limit: fields.number("limit", 0) };
  const limit = (param: string, key: keyof LineLimits): number =>
    Math.min(fields.number(param, lineLimits[key]), largestLineLimits[key]);
  const limits: LineLimits = {
    maxFileBytes: limit("max_file_size", "maxFileBytes"),
    maxLineBytes: limit("max_line_bytes", "maxLineBytes"),
    maxLines: limit("max_response_lines", "maxLines"),
    maxBytes: limit("max_response_bytes", "maxBytes"),
  };
  fields.check();
  const failed = (error: string, fileBytes = 0): ApiAnswer =>
    jsonAnswer({
      success: false,
      file_size: fileBytes,
      total_lines: 0,
      lines_read: 0,
      content: "",
      error,
    });
  if (range.offset < 1) return failed("offset must be at least 1: lines are numbered from 1");
  try {
    const read = await readLines(absolutePath(name, home), range, limits);
    if (read.kind === "refused") return failed(read.reason, read.fileBytes);
    return jsonAnswer({
      success: true,
      file_size: read.fileBytes,
      total_lines: read.totalLines,
      lines_read: read.lines.length,
      content: read.lines.join("\n"),
      error: "",
    });
  } catch (error) {
    const problem = fileProblem(error);
    if (problem instanceof ApiError) return failed(problem.message);
    throw problem;
  }
}

interface FileEdits {
  readonly path: string;
  readonly edits: readonly TextEdit[];
}

/** Computes all edits before it writes any. */
async function editFiles(fields: BodyReader, home: string): Promise<ApiAnswer> {
  const files = mergedEdits(fields.objects("files", maxEditedFiles));
  if (files.length === 0) throw new ApiError(400, "The request must name at least one file.");
  const hasDiff = fields.switch("include_diff");
  const owner = {};
  const problems: ApiError[] = [];
  const edited: (EditedFile & { readonly path: string })[] = [];
  for (const { path, edits } of files) {
    try {
      const found = await editContent(absolutePath(path, home), edits, owner);
      const alias = edited.find(({ target }) => target.equals(found.target));
      if (alias !== undefined) {
        throw new ApiError(400, `${path} and ${alias.path} are the same file.`);
      }
      edited.push({ ...found, path });
    } catch (error) {
      const problem = fileProblem(error);
      if (!(problem instanceof ApiError)) throw problem;
      problems.push(new ApiError(problem.status, `${path}: ${problem.message}`));
    }
  }
  if (problems.length > 0) throw joined(problems);
  for (const one of edited) await translated(() => writeEdited(one, owner));
  if (!hasDiff) return jsonAnswer({});
  const diffs = [];
  for (const one of edited) diffs.push({ path: one.path, diff: await diffOf(one) });
  return jsonAnswer({ files: diffs });
}

/** Joins the edits of files that are named several times. */
function mergedEdits(files: readonly BodyReader[]): readonly FileEdits[] {
  const byPath = new Map<string, TextEdit[]>();
  for (const file of files) {
    const path = file.text("path");
    const edits = byPath.get(path) ?? [];
    byPath.set(path, edits);
    edits.push(...file.objects("edits", maxEdits).map(readEdit));
  }
  return [...byPath].map(([path, edits]) => ({ path, edits }));
}

function joined(problems: readonly ApiError[]): ApiError {
  const status = Math.max(...problems.map((problem) => problem.status));
  return new ApiError(status, problems.map(({ message }) => message).join("\n"));
}

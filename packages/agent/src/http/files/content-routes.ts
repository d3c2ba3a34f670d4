import type { IncomingHttpHeaders } from "node:http";

import { describeFile, etagOf } from "../../files/describe-file.ts";
import { absolutePath } from "../../files/paths.ts";
import { openRange } from "../../files/read-file.ts";
import { replaceContent, type WriteCondition, writeFrom } from "../../files/write-file.ts";
import { fileTurns } from "../../process/turns.ts";
import { ApiError } from "../errors.ts";
import { type ApiRoute, jsonAnswer, streamAnswer } from "../route.ts";
import { translated } from "./problems.ts";
import { QueryReader } from "./query.ts";

const path = "/api/v0/files/content";

/** The routes that read and write contents as streams. */
export function contentRoutes({ home }: { readonly home: string }): readonly ApiRoute[] {
  return [
    {
      kind: "plain",
      method: "GET",
      path,
      handle: async ({ query, headers }) => {
        const fields = new QueryReader(query, ["path", "offset", "limit"]);
        const name = fields.text("path");
        const range = { offset: fields.number("offset", 0), limit: fields.optionalNumber("limit") };
        fields.check();
        const { opened, length, stream } = await translated(async () =>
          openRange(absolutePath(name, home), range, {}),
        );
        const etag = etagOf(opened.stats);
        const wanted = headers["if-match"];
        if (wanted !== undefined && wanted !== etag) {
          stream.destroy();
          throw new ApiError(412, "The file has changed.");
        }
        return streamAnswer(stream, {
          headers: {
            "content-type": "application/octet-stream",
            etag,
            ...(length === undefined ? {} : { "content-length": length }),
          },
        });
      },
    },
    {
      kind: "stream",
      method: "PUT",
      path,
      handle: async ({ query, headers, body }) => {
        const known = ["path", "offset", "mode", "modified_at", "parents"];
        const fields = new QueryReader(query, known);
        const name = fields.text("path");
        const offset = fields.optionalNumber("offset");
        const options = {
          condition: conditionOf(headers),
          mode: fields.optionalMode("mode"),
          modifiedAtMs: fields.optionalTime("modified_at"),
          makesParents: fields.switch("parents", false),
          followsLinks: true,
          owner: {},
        };
        fields.check();
        return translated(async () => {
          const target = absolutePath(name, home);
          const content = body.iterator({ destroyOnReturn: false });
          const written =
            offset === undefined
              ? await replaceContent(target, content, options)
              : await writeFrom(target, content, { ...options, offset });
          return jsonAnswer(await fileTurns.run(options.owner, () => describeFile(written, false)));
        });
      },
    },
  ];
}

function conditionOf(headers: IncomingHttpHeaders): WriteCondition {
  const { "if-match": etag, "if-none-match": absent } = headers;
  if (absent !== undefined) {
    if (absent === "*") return { kind: "absent" };
    throw new ApiError(400, "The header If-None-Match may only be *.");
  }
  return etag === undefined ? { kind: "any" } : { kind: "etag", etag };
}

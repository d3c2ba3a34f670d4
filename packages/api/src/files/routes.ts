import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { Uuid } from "../contract/scalars.ts";

/** Largest file that may be uploaded, in bytes. */
export const maxFileBytes = 10 * 1024 * 1024;

export const tarMimeType = "application/x-tar";

export const uploadFile = defineRoute({
  method: "POST",
  path: "/files",
  summary: "Upload a tar; the same bytes again give the same file",
  status: 201,
  response: Type.Object({ hash: Uuid }),
});

export const getFile = defineRoute({
  method: "GET",
  path: "/files/:file",
  summary: "Download a file",
  kind: "bytes",
  params: Type.Object({ file: Type.String() }),
  response: Type.Unknown(),
});

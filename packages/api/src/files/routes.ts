import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { Uuid } from "../contract/scalars.ts";

/** The maximum size of an uploaded file, in bytes. */
export const maxFileBytes = 10 * 1024 * 1024;

export const tarMimeType = "application/x-tar";

/** The rate limit of uploads, low because files are large (docs/protocol/clients.md §5.3). */
const fileRequestsPerMinute = 12;

export const uploadFile = defineRoute({
  method: "POST",
  path: "/files",
  requestsPerMinute: fileRequestsPerMinute,
  summary: "Upload a tar archive (identical archives share one id)",
  scopes: ["file:create"],
  bodyKind: "bytes",
  maxBodyBytes: maxFileBytes,
  status: 201,
  response: Type.Object({ hash: Uuid }),
});

export const getFile = defineRoute({
  method: "GET",
  path: "/files/:file",
  requestsPerMinute: fileRequestsPerMinute,
  summary: "Download a file",
  scopes: ["file:read"],
  kind: "bytes",
  params: Type.Object({ file: Type.String() }),
  query: Type.Object({ format: Type.Optional(Type.String({ maxLength: 16 })) }),
  response: Type.Unknown(),
});

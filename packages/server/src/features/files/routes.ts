import { getFile, uploadFile } from "@slipway/api/files/routes";

import { invalidField } from "../../platform/errors/errors.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { type FileNeeds, keepFile, readFile } from "./service.ts";

export function addFileRoutes(routes: Routes, needs: FileNeeds): void {
  routes.userBytes(uploadFile, async ({ raw, reply, bytes }, user) => {
    const contentType = raw.headers["content-type"]?.split(";")[0]?.trim() ?? "";
    const file = await keepFile(needs, user, contentType, bytes);
    // The original answers 200 for known bytes.
    reply.code(file.isNew ? 201 : 200);
    return { hash: file.id };
  });

  routes.user(getFile, async ({ params, query, reply }, user) => {
    const format = query.format ?? "";
    if (format !== "") {
      const detail = "must be empty: files are returned as they were uploaded";
      throw invalidField("format", detail, `Unsupported conversion format "${format}".`);
    }
    const file = await readFile(needs.db, user, requireUuid(params.file));
    reply.header("Content-Type", file.mimetype);
    return file.data;
  });
}

import { setTimeout as pause } from "node:timers/promises";

import {
  createTemplate,
  createTemplateVersion,
  getTemplateVersion,
  tarMimeType,
  uploadFile,
} from "@slipway/api";
import type { ApiClient } from "@slipway/sdk/http";
import { pack } from "tar-stream";

/** Pushes a `slipway.yaml` as a template; resolves to the template's id. Throws with the import's error. */
export async function pushTemplate(client: ApiClient, name: string, yaml: string): Promise<string> {
  const bytes = await packTemplate(yaml);
  const { hash } = await client.upload(uploadFile, { bytes, contentType: tarMimeType });
  const params = { organization: "default" };
  const created = await client.call(createTemplateVersion, { params, body: { file_id: hash } });
  for (;;) {
    const { job } = await client.call(getTemplateVersion, { params: { version: created.id } });
    if (job.status === "failed") throw new Error(`import failed: ${job.error ?? ""}`);
    if (job.status === "succeeded") break;
    await pause(20);
  }
  const body = { name, template_version_id: created.id };
  return (await client.call(createTemplate, { params, body })).id;
}

/** The tar of a template that is one file. */
export async function packTemplate(yaml: string): Promise<Uint8Array> {
  const archive = pack();
  archive.entry({ name: "slipway.yaml", mtime: new Date(0) }, yaml);
  archive.finalize();
  const chunks: Uint8Array[] = [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a pack without an encoding reads as buffers
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

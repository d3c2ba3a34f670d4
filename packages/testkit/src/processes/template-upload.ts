import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { tarMimeType, uploadFile } from "@slipway/api/files/routes";
import { createTemplate } from "@slipway/api/templates/routes";
import { createTemplateVersion, getTemplateVersion } from "@slipway/api/templates/version-routes";
import type { ApiClient } from "@slipway/sdk/http";
import { pack } from "tar-stream";

/** Pushes a `slipway.yaml` as a template; resolves to the template's id. Throws the import's error. */
export async function pushTemplate(
  client: ApiClient,
  name: string,
  yaml: string,
  organization = "default",
): Promise<string> {
  const body = { name, template_version_id: await pushVersion(client, yaml, { organization }) };
  return (await client.call(createTemplate, { params: { organization }, body })).id;
}

/**
 * Pushes a `slipway.yaml` as an inactive version, of `templateId` if given; resolves to the version's id. Throws the
 * import's error.
 */
export async function pushVersion(
  client: ApiClient,
  yaml: string,
  {
    organization = "default",
    templateId,
    file = "slipway.yaml",
    more = {},
    tags,
  }: {
    readonly organization?: string;
    readonly templateId?: string;
    /** The name of the file. */
    readonly file?: string;
    /** Further files, by their paths. */
    readonly more?: Readonly<Record<string, string>>;
    /** The tags of the provisioners that carry it out (default: none). */
    readonly tags?: Readonly<Record<string, string>>;
  } = {},
): Promise<string> {
  const bytes = await packTemplate(yaml, file, more);
  const { hash } = await client.upload(uploadFile, { bytes, contentType: tarMimeType });
  const template = templateId === undefined ? {} : { template_id: templateId };
  const { id } = await client.call(createTemplateVersion, {
    params: { organization },
    body: { file_id: hash, ...template, ...(tags === undefined ? {} : { tags: { ...tags } }) },
  });
  for (;;) {
    const { job } = await client.call(getTemplateVersion, { params: { version: id } });
    if (job.status === "failed") throw new Error(`import failed: ${job.error ?? ""}`);
    if (job.status === "succeeded") return id;
    await pause(20);
  }
}

/** Packs the files of a template as a tar archive. */
export async function packTemplate(
  text: string,
  file = "slipway.yaml",
  more: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  const archive = pack();
  const files = { [file]: text, ...more };
  const mtime = new Date(0);
  // A stock server creates no folder that has no entry.
  const folders = Object.keys(files).map((path) => dirname(path));
  for (const name of new Set(folders.filter((path) => path !== "."))) {
    archive.entry({ name: `${name}/`, type: "directory", mtime });
  }
  for (const [name, content] of Object.entries(files)) archive.entry({ name, mtime }, content);
  archive.finalize();
  const chunks: Uint8Array[] = [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a pack without an encoding reads as buffers
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

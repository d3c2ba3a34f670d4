import { tarMimeType, uploadFile } from "@slipway/api/files/routes";
import type { JobLog } from "@slipway/api/jobs/job";
import type { TemplateVersion } from "@slipway/api/templates/template-version";
import {
  createTemplateVersion,
  getTemplateVersion,
  getTemplateVersionLogs,
} from "@slipway/api/templates/version-routes";
import { webClock } from "@slipway/runtime";
import { followLog } from "@slipway/sdk/stream";

import { client } from "../../api/client.ts";

interface ImportOptions {
  /** An archive, or the id of an example. */
  readonly source: { readonly tar: Uint8Array<ArrayBuffer> } | { readonly exampleId: string };
  /** The template that gets the version; undefined for one that is created afterward. */
  readonly templateId: string | undefined;
  readonly message: string;
  /** Called with each line of the log of the import. */
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Creates a version and waits for the end of its import, which may have failed. */
export async function importVersion({
  source,
  templateId,
  message,
  onLine,
  signal,
}: ImportOptions): Promise<TemplateVersion> {
  const version = await client.call(createTemplateVersion, {
    params: { organization: "default" },
    body: {
      storage_method: "file",
      message,
      ...(templateId === undefined ? {} : { template_id: templateId }),
      ...("tar" in source
        ? { file_id: await upload(source.tar, signal) }
        : { example_id: source.exampleId }),
    },
    signal,
  });
  const params = { version: version.id };
  const log = followLog<JobLog, typeof getTemplateVersionLogs>({
    client,
    route: getTemplateVersionLogs,
    params,
    clock: webClock,
    signal,
    isComplete: async () => {
      const { job } = await client.call(getTemplateVersion, { params, signal });
      return job.completed_at !== undefined;
    },
  });
  for await (const { output } of log) if (output !== "") onLine(output);
  return client.call(getTemplateVersion, { params, signal });
}

async function upload(tar: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<string> {
  const { hash } = await client.upload(uploadFile, {
    bytes: tar,
    contentType: tarMimeType,
    signal,
  });
  return hash;
}

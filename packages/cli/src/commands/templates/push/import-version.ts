import { tarMimeType, uploadFile } from "@slipway/api/files/routes";
import type { JobLog } from "@slipway/api/jobs/job";
import type { TemplateVersion } from "@slipway/api/templates/template-version";
import {
  createTemplateVersion,
  getTemplateVersion,
  getTemplateVersionLogs,
} from "@slipway/api/templates/version-routes";
import { followLog } from "@slipway/sdk/stream";

import { CommandError } from "../../../command/errors.ts";
import type { ClientNeeds } from "../../../command/needs.ts";
import { LossNotice } from "../../../command/patient-read.ts";
import { followJob, isFinal, JobLogLines } from "../../../resources/builds/follow-job.ts";
import { waitingNotice } from "../../../resources/builds/waiting-notice.ts";
import { Progress } from "../../../terminal/progress.ts";
import { templateFileName } from "./template-source.ts";

/** The contents of a version. */
interface ImportRequest {
  readonly tar: Uint8Array;
  readonly organizationId: string;
  /** The template to which the version belongs; undefined for one that is created afterward. */
  readonly templateId: string | undefined;
  /** Name of the version; undefined for a generated one. */
  readonly name: string | undefined;
  readonly message: string | undefined;
  /** The path of the template's own file, used in problems. */
  readonly templatePath: string;
  /** The tags of the provisioners that carry it out; none for the server. */
  readonly tags: Readonly<Record<string, string>>;
}

/** Uploads and imports a template, showing the log. Throws `CommandError` when it is rejected. */
export async function importVersion(
  request: ImportRequest,
  needs: ClientNeeds,
): Promise<TemplateVersion> {
  const { client, terminal, clock, signal } = needs;
  using progress = new Progress(terminal.err, clock);
  progress.waitFor("uploading the template");
  const { hash } = await client.upload(uploadFile, {
    bytes: request.tar,
    contentType: tarMimeType,
    signal,
  });
  const version = await client.call(createTemplateVersion, {
    params: { organization: request.organizationId },
    body: {
      storage_method: "file",
      file_id: hash,
      ...(request.templateId === undefined ? {} : { template_id: request.templateId }),
      ...(request.name === undefined ? {} : { name: request.name }),
      ...(request.message === undefined ? {} : { message: request.message }),
      ...(Object.keys(request.tags).length === 0 ? {} : { tags: { ...request.tags } }),
    },
    signal,
  });
  const waiting = waitingNotice(version);
  if (waiting !== undefined) progress.line(terminal.err.colors.yellow(waiting));
  progress.waitFor("importing the template");
  const params = { version: version.id };
  const notice = new LossNotice(terminal.err, clock, progress);
  const read = (): Promise<TemplateVersion> => client.call(getTemplateVersion, { params, signal });
  const log = followLog<JobLog, typeof getTemplateVersionLogs>({
    client,
    route: getTemplateVersionLogs,
    params,
    clock,
    signal,
    onReconnect: (error) => notice.lost("import", error),
    isComplete: async () => isFinal((await read()).job),
  });
  const lines = new JobLogLines(terminal.err.colors);
  const done = await followJob({
    log: withPaths(log, request.templatePath),
    read,
    lines,
    progress,
    clock,
    signal,
  });
  if (done.job.status === "succeeded") return done;
  const error = withPath(
    done.job.error ?? `the import was ${done.job.status}`,
    request.templatePath,
  );
  // The problems are the message; those shown in the log are not repeated.
  throw new CommandError(
    lines.hasShown(error) ? "the template was rejected" : `the template was rejected:\n${error}`,
  );
}

async function* withPaths(
  log: AsyncIterable<JobLog>,
  path: string,
): AsyncGenerator<JobLog, void, undefined> {
  for await (const entry of log) yield { ...entry, output: withPath(entry.output, path) };
}

const position = new RegExp(
  `^(\\s*)(?:\\./)?${templateFileName.replaceAll(".", "\\.")}(?=:\\d+)`,
  "gm",
);

/** Replaces the file's name inside the tar by its path, which people and editors know: `box/slipway.yaml:12:5: …`. */
export function withPath(text: string, templatePath: string): string {
  return text.replaceAll(position, (_match, indent: string) => `${indent}${templatePath}`);
}

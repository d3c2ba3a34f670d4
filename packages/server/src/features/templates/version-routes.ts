import {
  archiveTemplateVersion,
  archiveTemplateVersions,
  cancelTemplateVersion,
  createTemplateVersion,
  diffTemplateVersions,
  getPreviousTemplateVersion,
  getTemplateVersion,
  getTemplateVersionByName,
  getTemplateVersionByNames,
  getTemplateVersionLogs,
  listTemplateVersionExternalAuth,
  listTemplateVersionPresets,
  listTemplateVersionResources,
  listTemplateVersions,
  unarchiveTemplateVersion,
  updateActiveVersion,
  updateTemplateVersion,
} from "@slipway/api/templates/version-routes";

import { invalidField } from "../../platform/errors/errors.ts";
import { readLogRange } from "../../platform/fields/log-range.ts";
import { readUuid, requireUuid } from "../../platform/fields/uuid.ts";
import { watchClient } from "../../platform/http/client-disconnect.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { type LogStreamNeeds, readJobLogs, streamJobLogs } from "../../platform/jobs/log-stream.ts";
import { readTags } from "../../platform/jobs/tags.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import type { FileNeeds } from "../files/service.ts";
import { findOrganization } from "../organizations/service.ts";
import { archiveVersions, changeVersion, setArchived } from "./archive-service.ts";
import { activateVersion } from "./create-service.ts";
import { createVersion, type VersionNeeds } from "./create-version-service.ts";
import { diffVersions } from "./diff-service.ts";
import { type Drivers, offeredDrivers } from "./driver-rule.ts";
import { cancelTemplateJob, type DryRunNeeds } from "./dry-run-service.ts";
import { keepExample } from "./example-service.ts";
import { readVersionLogIns, type VersionLogInNeeds } from "./external-auth-service.ts";
import type { ParameterReader } from "./parameter-service.ts";
import { readVersionPlan } from "./plan.ts";
import { readTemplate, readTemplateByName, requireTemplateWriter } from "./service.ts";
import {
  presetJson,
  presetsOf,
  readPreviousVersion,
  readVersion,
  readVersionByName,
  readVersions,
  requireImported,
  requireVersion,
} from "./version-service.ts";

export interface VersionRouteNeeds extends LogStreamNeeds {
  /** The drivers that a template may use, by name. */
  readonly drivers: Drivers;
  readonly externalAuth: VersionLogInNeeds;
  readonly parameters: ParameterReader;
  readonly limits: FileNeeds["limits"] & VersionNeeds["limits"] & DryRunNeeds["limits"];
}

export function addVersionRoutes(routes: Routes, needs: VersionRouteNeeds): void {
  addMakingRoutes(routes, needs);
  addReadingRoutes(routes, needs);
  addChangingRoutes(routes, needs);
}

function addMakingRoutes(routes: Routes, needs: VersionRouteNeeds): void {
  const { db, drivers } = needs;

  routes.user(createTemplateVersion, async ({ params, body }, user) => {
    const organization = await findOrganization(db, params.organization);
    const example = body.example_id ?? "";
    if (example === "" && body.file_id === undefined) {
      throw invalidField("file_id", "is required unless example_id is set");
    }
    return createVersion(needs, user, {
      organizationId: organization.id,
      fileId:
        example === ""
          ? requireUuid(body.file_id ?? "")
          : await keepExample(needs, user, example, offeredDrivers(drivers, user).drivers),
      templateId: body.template_id === undefined ? undefined : readUuid(body.template_id),
      name: body.name,
      message: body.message ?? "",
      tags: readTags("tags", body.tags),
    });
  });
}

function addReadingRoutes(routes: Routes, needs: VersionRouteNeeds): void {
  const { db } = needs;

  routes.user(listTemplateVersions, async ({ params, query }) => {
    const template = await readTemplate(db, requireUuid(params.template));
    return readVersions(db, template.id, query.include_archived === "true");
  });
  routes.user(getTemplateVersionByName, async ({ params }) => {
    const template = await readTemplate(db, requireUuid(params.template));
    return readVersionByName(db, template.id, params.name);
  });
  routes.user(getTemplateVersionByNames, async ({ params }) => {
    const organization = await findOrganization(db, params.organization);
    const template = await readTemplateByName(db, organization.id, params.template);
    return readVersionByName(db, template.id, params.name);
  });
  routes.user(getPreviousTemplateVersion, async ({ params }) => {
    const organization = await findOrganization(db, params.organization);
    const template = await readTemplateByName(db, organization.id, params.template);
    return readPreviousVersion(db, template.id, params.name);
  });
  routes.user(getTemplateVersion, ({ params }) => readVersion(db, requireUuid(params.version)));
  routes.user(listTemplateVersionResources, ({ params }) =>
    readVersionPlan(db, requireUuid(params.version)),
  );
  routes.user(listTemplateVersionPresets, async ({ params }) => {
    const version = await requireImported(db, requireUuid(params.version));
    return presetsOf(version).map(({ id, preset }) => presetJson(id, preset));
  });
  routes.user(listTemplateVersionExternalAuth, async ({ params, raw }, user) => {
    using client = watchClient(raw);
    const version = requireUuid(params.version);
    return await readVersionLogIns(needs.externalAuth, user.id, version, client.signal);
  });
  routes.user(diffTemplateVersions, ({ params, query }, user) => {
    const from = query.from === undefined || query.from === "" ? undefined : query.from;
    const fromId = from === undefined ? undefined : requireUuid(from);
    return diffVersions(db, user, requireUuid(params.version), fromId);
  });
  routes.userSocket(getTemplateVersionLogs, {
    isPlain: ({ query }) => query.follow === undefined,
    prepare: async ({ params, query }) => {
      const version = await requireVersion(db, requireUuid(params.version));
      return { jobId: version.job_id, range: readLogRange(query) };
    },
    plain: (_request, { jobId, range }) => readJobLogs(db, jobId, range),
    serve: (socket, { jobId, range }) => streamJobLogs(needs, socket, jobId, range.after),
  });
}

function addChangingRoutes(routes: Routes, needs: VersionRouteNeeds): void {
  const { db, pubsub } = needs;

  routes.user(updateActiveVersion, async ({ params, body }, user) => {
    const template = requireUuid(params.template);
    await activateVersion(needs, user, template, requireUuid(body.id));
    // Its workspaces are outdated now.
    pubsub.publish(topics.template(template));
    return { message: "Updated the active template version!" };
  });
  routes.user(updateTemplateVersion, ({ params, body }, user) =>
    changeVersion(db, user, requireUuid(params.version), {
      name: body.name,
      message: body.message ?? undefined,
    }),
  );
  routes.user(cancelTemplateVersion, async ({ params }, user) => {
    const version = await requireVersion(db, requireUuid(params.version));
    requireTemplateWriter(user);
    await cancelTemplateJob(db, pubsub, version.job_id);
    return { message: "Job has been marked as canceled..." };
  });
  routes.user(archiveTemplateVersion, async ({ params }, user) => {
    await setArchived(db, user, requireUuid(params.version), true);
    return { message: "Template version archived." };
  });
  routes.user(unarchiveTemplateVersion, async ({ params }, user) => {
    await setArchived(db, user, requireUuid(params.version), false);
    return { message: "Template version unarchived." };
  });
  routes.user(archiveTemplateVersions, ({ params, body }, user) =>
    archiveVersions(db, user, requireUuid(params.template), body.all ?? false),
  );
}

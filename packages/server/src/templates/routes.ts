import {
  createTemplate as createTemplateRoute,
  createTemplateVersion,
  getTemplate,
  getTemplateByName,
  getTemplateVersion,
  getTemplateVersionLogs,
  listOrganizationTemplates,
  listTemplates as listTemplatesRoute,
  listTemplateVersionExternalAuth,
  listTemplateVersionParameters,
  listTemplateVersionPresets,
  listTemplateVersions,
  updateActiveVersion,
} from "@slipway/api";

import { readLogRange } from "../http/log-range.ts";
import type { Routes } from "../http/routes.ts";
import { readUuid, requireUuid } from "../http/uuid.ts";
import { type LogStreamNeeds, readJobLogs, streamJobLogs } from "../jobs/log-stream.ts";
import { findOrganization } from "../organizations/service.ts";
import {
  activateVersion,
  createTemplate,
  listTemplates,
  readTemplate,
  readTemplateByName,
} from "./service.ts";
import { parameterJson, presetJson } from "./version-json.ts";
import {
  createVersion,
  readPresets,
  readVersion,
  readVersions,
  requireImported,
  requireVersion,
} from "./version-service.ts";

export function addTemplateRoutes(routes: Routes, needs: LogStreamNeeds): void {
  const { db } = needs;

  routes.user(listTemplatesRoute, ({ query }) => listTemplates(db, query.q ?? ""));
  routes.user(listOrganizationTemplates, async ({ params }) => {
    await findOrganization(db, params.organization);
    return listTemplates(db, "");
  });
  routes.user(getTemplate, ({ params }) => readTemplate(db, requireUuid(params.template)));
  routes.user(getTemplateByName, async ({ params }) => {
    const organization = await findOrganization(db, params.organization);
    return readTemplateByName(db, organization.id, params.name);
  });
  routes.user(createTemplateRoute, async ({ params, body }, user) => {
    const organization = await findOrganization(db, params.organization);
    return createTemplate(db, user, {
      organizationId: organization.id,
      name: body.name,
      versionId: requireUuid(body.template_version_id),
      displayName: body.display_name,
      description: body.description,
      icon: body.icon,
    });
  });
  routes.user(updateActiveVersion, async ({ params, body }, user) => {
    await activateVersion(db, user, requireUuid(params.template), requireUuid(body.id));
    return { message: "Updated the active template version!" };
  });
  addVersionRoutes(routes, needs);
}

function addVersionRoutes(routes: Routes, needs: LogStreamNeeds): void {
  const { db, pubsub } = needs;

  routes.user(listTemplateVersions, async ({ params }) => {
    const template = await readTemplate(db, requireUuid(params.template));
    return readVersions(db, template.id);
  });
  routes.user(createTemplateVersion, async ({ params, body }, user) => {
    const organization = await findOrganization(db, params.organization);
    return createVersion(db, pubsub, user, {
      organizationId: organization.id,
      fileId: requireUuid(body.file_id),
      templateId: body.template_id === undefined ? undefined : readUuid(body.template_id),
      name: body.name,
      message: body.message ?? "",
    });
  });
  routes.user(getTemplateVersion, ({ params }) => readVersion(db, requireUuid(params.version)));
  routes.user(listTemplateVersionParameters, async ({ params }) => {
    const { definition } = await requireImported(db, requireUuid(params.version));
    return definition.parameters.map(parameterJson);
  });
  routes.user(listTemplateVersionPresets, async ({ params }) => {
    const version = await requireImported(db, requireUuid(params.version));
    return (await readPresets(db, version)).map(({ id, preset }) => presetJson(id, preset));
  });
  routes.user(listTemplateVersionExternalAuth, async ({ params }) => {
    await requireVersion(db, requireUuid(params.version));
    return [];
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

import {
  createTemplate as createTemplateRoute,
  deleteTemplate as deleteTemplateRoute,
  getTemplate,
  getTemplateByName,
  getTemplateSchema,
  getTemplateUsers,
  listOrganizationTemplates,
  listTemplateExamples,
  listTemplates as listTemplatesRoute,
  updateTemplate,
} from "@slipway/api/templates/routes";
import { templateJsonSchema } from "@slipway/template";

import { requireUuid } from "../../platform/fields/uuid.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { findOrganization } from "../organizations/service.ts";
import { changeTemplate, deleteTemplate } from "./change-service.ts";
import { createTemplate } from "./create-service.ts";
import { offeredDrivers } from "./driver-rule.ts";
import { addDryRunRoutes } from "./dry-run-routes.ts";
import { readExamples } from "./example-service.ts";
import { addParameterRoutes } from "./parameter-routes.ts";
import { listTemplates, readTemplate, readTemplateByName, readTemplateUsers } from "./service.ts";
import { addVersionRoutes, type VersionRouteNeeds } from "./version-routes.ts";

export function addTemplateRoutes(routes: Routes, needs: VersionRouteNeeds): void {
  const { db, drivers, pubsub } = needs;
  const schema = templateJsonSchema();

  routes.user(listTemplatesRoute, ({ query }) => listTemplates(db, query.q ?? ""));
  routes.user(listOrganizationTemplates, async ({ params }) => {
    await findOrganization(db, params.organization);
    return listTemplates(db, "");
  });
  routes.user(listTemplateExamples, async ({ params }, user) => {
    await findOrganization(db, params.organization);
    return readExamples(offeredDrivers(drivers, user).drivers);
  });
  routes.user(getTemplate, ({ params }) => readTemplate(db, requireUuid(params.template)));
  routes.user(getTemplateByName, async ({ params }) => {
    const organization = await findOrganization(db, params.organization);
    return readTemplateByName(db, organization.id, params.name);
  });
  routes.user(createTemplateRoute, async ({ params, body }, user) => {
    const organization = await findOrganization(db, params.organization);
    return createTemplate(needs, user, {
      organizationId: organization.id,
      name: body.name,
      versionId: requireUuid(body.template_version_id),
      displayName: body.display_name,
      description: body.description,
      icon: body.icon,
    });
  });
  routes.user(updateTemplate, async ({ params, body }, user) => {
    const template = await changeTemplate(db, user, requireUuid(params.template), body);
    // Its workspaces take some settings from it, such as the levels at which ports are shared.
    pubsub.publish(topics.template(template.id));
    return template;
  });
  routes.user(deleteTemplateRoute, async ({ params }, user) => {
    await deleteTemplate(db, user, requireUuid(params.template));
    return { message: "Template has been deleted!" };
  });
  routes.user(getTemplateUsers, ({ params, query }) =>
    readTemplateUsers(db, requireUuid(params.template), query.tz_offset),
  );
  routes.anyoneFixed(getTemplateSchema, () => schema);
  addVersionRoutes(routes, needs);
  addParameterRoutes(routes, needs);
  addDryRunRoutes(routes, needs);
}

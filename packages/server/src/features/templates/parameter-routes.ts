import {
  evaluateParameters,
  followParameters,
  listTemplateVersionParameters,
  listTemplateVersionVariables,
} from "@slipway/api";
import type { Clock } from "@slipway/runtime";

import type { Database } from "../../platform/db/database.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { requireUuid } from "../../platform/http/uuid.ts";
import { evaluateDefinition } from "./evaluate.ts";
import { FormPace, maxFormMessageBytes, serveForm } from "./parameter-form.ts";
import { parameterJson } from "./version-json.ts";
import { requireImported, requireVersion } from "./version-service.ts";

export interface ParameterRouteNeeds {
  readonly db: Database;
  readonly clock: Clock;
}

export function addParameterRoutes(routes: Routes, { db, clock }: ParameterRouteNeeds): void {
  const pace = new FormPace(clock);
  routes.user(listTemplateVersionParameters, async ({ params }) => {
    const { definition } = await requireImported(db, requireUuid(params.version));
    return definition.parameters.map(parameterJson);
  });
  routes.user(listTemplateVersionVariables, async ({ params }) => {
    await requireVersion(db, requireUuid(params.version));
    return [];
  });
  routes.user(evaluateParameters, async ({ params, body }) => {
    const { definition } = await requireImported(db, requireUuid(params.version));
    return evaluateDefinition(definition, body);
  });
  routes.userSocket(followParameters, {
    maxMessageBytes: maxFormMessageBytes,
    prepare: async ({ params }, { id }) => {
      const { definition } = await requireImported(db, requireUuid(params.version));
      return { definition, userId: id, pace, clock };
    },
    serve: serveForm,
  });
}

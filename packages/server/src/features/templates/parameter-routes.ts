import {
  evaluateParameters,
  followParameters,
  listTemplateVersionParameters,
  listTemplateVersionVariables,
} from "@slipway/api/templates/parameter-routes";
import type { TemplateVersionParameter } from "@slipway/api/templates/template-version";
import type { ParameterDefinition } from "@slipway/template";

import { requireUuid } from "../../platform/fields/uuid.ts";
import type { Routes } from "../../platform/http/routes.ts";
import type { Platform } from "../../platform/platform.ts";
import { findUserId } from "../users/service.ts";
import { type EvaluationNeeds, evaluateVersion } from "./evaluate-version.ts";
import { evaluateDefinition } from "./evaluate.ts";
import { FormPace, maxFormMessageBytes, serveDependentForm, serveForm } from "./parameter-form.ts";
import { plainText } from "./plain-text.ts";
import { type BuildableVersion, requireImported, requireVersion } from "./version-service.ts";

export function addParameterRoutes(
  routes: Routes,
  needs: Pick<Platform, "db" | "clock"> & EvaluationNeeds,
): void {
  const { db, clock } = needs;
  const pace = new FormPace(clock);
  routes.user(listTemplateVersionParameters, async ({ params }) => {
    const { definition } = await requireImported(db, requireUuid(params.version));
    return definition.parameters.map(parameterJson);
  });
  routes.user(listTemplateVersionVariables, async ({ params }) => {
    await requireVersion(db, requireUuid(params.version));
    return [];
  });
  routes.user(evaluateParameters, async ({ params, body, raw }, user) => {
    const version = await requireImported(db, requireUuid(params.version));
    if (!isDependent(version)) return evaluateDefinition(version.definition, body);
    return routes.waitFor(raw, (signal) =>
      evaluateVersion(needs, { version, user, ownerId: user.id }, body, signal),
    );
  });
  routes.userSocket(followParameters, {
    maxMessageBytes: maxFormMessageBytes,
    prepare: async ({ params, query }, user) => {
      const version = await requireImported(db, requireUuid(params.version));
      const owner = query.user_id ?? "";
      const ownerId =
        isDependent(version) && owner !== "" ? await findUserId(db, user, owner) : user.id;
      return { version, user, ownerId };
    },
    serve: (socket, { version, user, ownerId }) => {
      const paced = { userId: user.id, pace, clock };
      if (!isDependent(version)) {
        return serveForm(socket, { ...paced, definition: version.definition });
      }
      return serveDependentForm(socket, {
        ...paced,
        evaluate: (request, signal) =>
          evaluateVersion(needs, { version, user, ownerId }, request, signal),
      });
    },
  });
}

function isDependent({ definition }: BuildableVersion): boolean {
  return definition.parameterSources !== undefined;
}

/** Returns a parameter as clients see it (docs/protocol/clients.md §2.2). */
function parameterJson(parameter: ParameterDefinition): TemplateVersionParameter {
  const { validation } = parameter;
  return {
    name: parameter.name,
    ...(parameter.displayName === "" ? {} : { display_name: parameter.displayName }),
    description: parameter.description,
    description_plaintext: plainText(parameter.description),
    type: parameter.type,
    form_type: parameter.formType,
    mutable: parameter.isMutable,
    default_value: parameter.default ?? "",
    icon: parameter.icon,
    options: parameter.options.map(({ name, description, value, icon }) => ({
      name,
      description,
      value,
      icon,
    })),
    ...(validation?.error ? { validation_error: validation.error } : {}),
    ...(validation?.regex === undefined ? {} : { validation_regex: validation.regex }),
    ...(validation?.min === undefined ? {} : { validation_min: validation.min }),
    ...(validation?.max === undefined ? {} : { validation_max: validation.max }),
    ...(validation?.monotonic === undefined ? {} : { validation_monotonic: validation.monotonic }),
    required: parameter.default === undefined,
    ephemeral: parameter.isEphemeral,
  };
}

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
import { evaluateDefinition } from "./evaluate.ts";
import { FormPace, maxFormMessageBytes, serveForm } from "./parameter-form.ts";
import { plainText } from "./plain-text.ts";
import { requireImported, requireVersion } from "./version-service.ts";

export function addParameterRoutes(
  routes: Routes,
  { db, clock }: Pick<Platform, "db" | "clock">,
): void {
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

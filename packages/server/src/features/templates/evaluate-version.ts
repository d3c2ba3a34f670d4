import { nilUuid } from "@slipway/api/contract/nil-uuid";
import type {
  DynamicParametersRequest,
  DynamicParametersResponse,
} from "@slipway/api/templates/dynamic-parameters";
import { DriverError } from "@slipway/drivers";
import type { TemplateDefinition } from "@slipway/template";

import type { Database } from "../../platform/db/database.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { findUserId } from "../users/service.ts";
import { diagnostic, evaluateDefinition } from "./evaluate.ts";
import type { ParameterReader } from "./parameter-service.ts";
import type { BuildableVersion } from "./version-service.ts";

export interface EvaluationNeeds {
  readonly db: Database;
  readonly parameters: Pick<ParameterReader, "read">;
}

/** A form of a user for a workspace, which may be another user's. */
export interface FormSubject {
  readonly version: BuildableVersion;
  readonly user: UserCaller;
  /** The owner unless a request names another one. */
  readonly ownerId: string;
}

/**
 * Evaluates the parameters of a version with the inputs of a form, for the owner that it names. A failure is told in the answer,
 * with the parameters of the defaults. Rejects with `NotFound` for an owner for whom the user may not act, and with `Unavailable`
 * if too many wait.
 */
export async function evaluateVersion(
  { db, parameters }: EvaluationNeeds,
  { version, user, ownerId: usual }: FormSubject,
  request: DynamicParametersRequest,
  signal: AbortSignal,
): Promise<DynamicParametersResponse> {
  const { definition } = version;
  if (definition.parameterSources === undefined) return evaluateDefinition(definition, request);
  const { inputs: values, owner_id: owner = "" } = request;
  const ownerId = ["", nilUuid].includes(owner) ? usual : await findUserId(db, user, owner);
  try {
    const read = await parameters.read(user.id, { version, ownerId, values }, signal);
    const { inexact } = read;
    const notes =
      inexact === undefined
        ? []
        : [
            diagnostic(
              "warning",
              "not_evaluated",
              "Parameters do not follow",
              notFollowed(inexact),
            ),
          ];
    return answer(definition, read, request, notes);
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    const failure = diagnostic(
      "error",
      "evaluation_failed",
      "Parameters cannot be read",
      `${error.message}. Change the values, or mend the template.`,
    );
    return answer(definition, definition, request, [failure]);
  }
}

function notFollowed(reason: string): string {
  return `Some parameters of the template depend on other values or on the owner, but ${reason}: the form shows all parameters as they are with the defaults.`;
}

/** Evaluates the inputs of the parameters that there are; a form may still have those of others. */
function answer(
  { parameterSources = [] }: Pick<TemplateDefinition, "parameterSources">,
  present: Pick<TemplateDefinition, "parameters">,
  request: DynamicParametersRequest,
  notes: DynamicParametersResponse["diagnostics"],
): DynamicParametersResponse {
  const sources = new Set(parameterSources.map(({ name }) => name));
  const names = new Set(present.parameters.map(({ name }) => name));
  const mayComeBack = (name: string): boolean => sources.has(undefined) || sources.has(name);
  const inputs = Object.fromEntries(
    Object.entries(request.inputs).filter(([name]) => names.has(name) || !mayComeBack(name)),
  );
  const evaluated = evaluateDefinition(present, { id: request.id, inputs });
  return { ...evaluated, diagnostics: [...notes, ...evaluated.diagnostics] };
}

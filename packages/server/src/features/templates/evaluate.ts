import type {
  DynamicParametersRequest,
  DynamicParametersResponse,
  EvaluatedParameter,
  ParameterDiagnostic,
} from "@slipway/api/templates/dynamic-parameters";
import {
  type ParameterDefinition,
  RegexMatcher,
  type TemplateDefinition,
  valueProblem,
} from "@slipway/template";

type Inputs = DynamicParametersRequest["inputs"];

/** The maximum number of unknown names reported in one answer. */
const maxUnknown = 20;

/** Evaluates the parameters of a template with the given inputs: each with its value and its problems. */
export function evaluateDefinition(
  definition: Pick<TemplateDefinition, "parameters">,
  { id, inputs }: Pick<DynamicParametersRequest, "id" | "inputs">,
): DynamicParametersResponse {
  const known = new Set(definition.parameters.map(({ name }) => name));
  const matcher = new RegexMatcher();
  const unknown = Object.keys(inputs).filter((name) => !known.has(name));
  return {
    id,
    diagnostics: unknown
      .slice(0, maxUnknown)
      .map((name) =>
        diagnostic(
          "warning",
          "unknown_parameter",
          "Unknown parameter",
          `the template has no parameter ${JSON.stringify(name)}`,
        ),
      ),
    parameters: definition.parameters.map((parameter, order) =>
      evaluateOne(parameter, order, inputs, matcher),
    ),
  };
}

function evaluateOne(
  parameter: ParameterDefinition,
  order: number,
  inputs: Inputs,
  matcher: RegexMatcher,
): EvaluatedParameter {
  const value = Object.hasOwn(inputs, parameter.name) ? inputs[parameter.name] : parameter.default;
  const fallback = parameter.default;
  return {
    name: parameter.name,
    display_name: parameter.displayName,
    description: parameter.description,
    type: parameter.type,
    form_type: parameter.formType,
    styling: parameter.styling ?? {},
    mutable: parameter.isMutable,
    default_value: maybeValue(fallback),
    icon: parameter.icon,
    options: parameter.options.map((option) => ({
      name: option.name,
      description: option.description,
      value: maybeValue(option.value),
      icon: option.icon,
    })),
    validations: validationsOf(parameter),
    required: fallback === undefined,
    order,
    ephemeral: parameter.isEphemeral,
    value: maybeValue(value),
    diagnostics: diagnosticsOf(parameter, value, matcher),
  };
}

function maybeValue(value: string | undefined): EvaluatedParameter["value"] {
  return { value: value ?? "", valid: value !== undefined };
}

function validationsOf({ validation }: ParameterDefinition): EvaluatedParameter["validations"] {
  if (validation === undefined) return [];
  return [
    {
      validation_error: validation.error,
      validation_regex: validation.regex ?? null,
      validation_min: validation.min ?? null,
      validation_max: validation.max ?? null,
      validation_monotonic: validation.monotonic ?? null,
    },
  ];
}

function diagnosticsOf(
  parameter: ParameterDefinition,
  value: string | undefined,
  matcher: RegexMatcher,
): ParameterDiagnostic[] {
  if (value === undefined) {
    return [diagnostic("error", "required", "Value needed", "the parameter has no default")];
  }
  const problem = valueProblem(parameter, value, matcher);
  return problem === undefined
    ? []
    : [diagnostic("error", "invalid_value", "Value does not fit", problem)];
}

export function diagnostic(
  severity: ParameterDiagnostic["severity"],
  code: string,
  summary: string,
  detail: string,
): ParameterDiagnostic {
  return { severity, summary, detail, extra: { code } };
}

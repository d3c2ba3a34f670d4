import { Type } from "typebox";

import { type Infer, nullable, oneOf } from "../contract/scalars.ts";

/** The current values of a parameter form. The response repeats `id`. */
export const DynamicParametersRequest = Type.Object({
  id: Type.Integer(),
  inputs: Type.Record(Type.String({ maxLength: 128 }), Type.String({ maxLength: 65_536 }), {
    maxProperties: 256,
  }),
  owner_id: Type.Optional(Type.String({ maxLength: 64 })),
});
export type DynamicParametersRequest = Infer<typeof DynamicParametersRequest>;

/** A value; an absent one is empty and not `valid`. */
const MaybeValue = Type.Object({ value: Type.String(), valid: Type.Boolean() });

export const ParameterDiagnostic = Type.Object({
  severity: oneOf("error", "warning"),
  summary: Type.String(),
  detail: Type.String(),
  extra: Type.Object({ code: Type.String() }),
});
export type ParameterDiagnostic = Infer<typeof ParameterDiagnostic>;

/**
 * A parameter with the value that the inputs give it, and the problems with that value (docs/protocol/clients.md §2.2).
 */
export const EvaluatedParameter = Type.Object({
  name: Type.String(),
  display_name: Type.String(),
  description: Type.String(),
  type: Type.String(),
  form_type: Type.String(),
  styling: Type.Object({
    placeholder: Type.Optional(Type.String()),
    label: Type.Optional(Type.String()),
    disabled: Type.Optional(Type.Boolean()),
    mask_input: Type.Optional(Type.Boolean()),
  }),
  mutable: Type.Boolean(),
  default_value: MaybeValue,
  icon: Type.String(),
  options: Type.Array(
    Type.Object({
      name: Type.String(),
      description: Type.String(),
      value: MaybeValue,
      icon: Type.String(),
    }),
  ),
  validations: Type.Array(
    Type.Object({
      validation_error: Type.String(),
      validation_regex: nullable(Type.String()),
      validation_min: nullable(Type.Number()),
      validation_max: nullable(Type.Number()),
      validation_monotonic: nullable(Type.String()),
    }),
  ),
  required: Type.Boolean(),
  order: Type.Integer(),
  ephemeral: Type.Boolean(),
  value: MaybeValue,
  diagnostics: Type.Array(ParameterDiagnostic),
});
export type EvaluatedParameter = Infer<typeof EvaluatedParameter>;

export const DynamicParametersResponse = Type.Object({
  id: Type.Integer(),
  diagnostics: Type.Array(ParameterDiagnostic),
  parameters: Type.Array(EvaluatedParameter),
});
export type DynamicParametersResponse = Infer<typeof DynamicParametersResponse>;

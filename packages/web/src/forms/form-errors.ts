import { login } from "@slipway/api/users/routes";
import { ApiError } from "@slipway/sdk/http";

import { errorText } from "../ui/error-text.ts";

/** The errors of a form: those that the server gives for a field, and the one for the whole. */
export interface FormErrors {
  readonly of: (field: string) => string | undefined;
  /** The error that belongs to none of the fields of the form; undefined if all do, or there is none. */
  readonly general: string | undefined;
}

/** Sorts the failure of a request by the fields of the form that sent it. */
export function formErrors(error: unknown, fields: readonly string[]): FormErrors {
  if (error === null || error === undefined) return { of: () => undefined, general: undefined };
  const validations = error instanceof ApiError ? (error.body.validations ?? []) : [];
  const known = validations.filter(({ field }) => fields.includes(field));
  return {
    of: (field) => known.find((one) => one.field === field)?.detail,
    general: known.length > 0 && known.length === validations.length ? undefined : textOf(error),
  };
}

/** Returns the text of an error. The form is seen again once its user has logged in above it. */
function textOf(error: unknown): string {
  const hasEnded =
    error instanceof ApiError && error.status === 401 && error.target?.path !== login.path;
  return hasEnded ? "Nothing was saved: your session had ended. Try again." : errorText(error);
}

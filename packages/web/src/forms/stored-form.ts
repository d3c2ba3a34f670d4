import { useState } from "react";

import { isEqual, mergeStored } from "./merge-stored.ts";

/**
 * Holds the values of a form about something that is stored. When that changes, because it was saved here or elsewhere,
 * the fields that were not edited follow; those that were edited keep what was entered.
 */
export function useStoredForm<T extends object>(stored: T): [form: T, setForm: (form: T) => void] {
  const [state, setState] = useState({ stored, form: stored });
  const isOld = !isEqual(state.stored, stored);
  const form = isOld ? mergeStored(state.form, state.stored, stored) : state.form;
  if (isOld) setState({ stored, form });
  return [form, (next) => setState({ stored, form: next })];
}

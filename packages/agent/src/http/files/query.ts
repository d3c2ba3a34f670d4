import type { Validation } from "@slipway/api/contract/api-error";

import { ApiError } from "../errors.ts";

/** Reads the parameters of a query, and refuses all faults of it together (docs/protocol/agent.md §8). */
export class QueryReader {
  readonly #query: URLSearchParams;
  readonly #faults: Validation[] = [];

  /** `known` are the names of all parameters; others are refused. */
  constructor(query: URLSearchParams, known: readonly string[]) {
    this.#query = query;
    for (const name of new Set(query.keys())) {
      if (!known.includes(name))
        this.#fault(name, `Query param "${name}" is not a valid query param.`);
    }
  }

  /** Returns a required text. */
  text(name: string): string {
    const value = this.#query.get(name) ?? "";
    if (value === "") this.#fault(name, `Query param "${name}" is required.`);
    return value;
  }

  optionalText(name: string): string | undefined {
    return this.#query.get(name) ?? undefined;
  }

  /** Returns a whole number that is not negative. */
  number(name: string, fallback: number): number {
    return this.optionalNumber(name) ?? fallback;
  }

  optionalNumber(name: string): number | undefined {
    const value = this.#query.get(name);
    if (value === null || value === "") return undefined;
    if (/^\d{1,15}$/.test(value)) return Number(value);
    this.#fault(name, `Query param "${name}" must be a whole number that is not negative.`);
    return undefined;
  }

  /** Returns permissions in octal. */
  optionalMode(name: string): number | undefined {
    const value = this.#query.get(name);
    if (value === null) return undefined;
    if (/^[0-7]{1,4}$/.test(value)) return Number.parseInt(value, 8);
    this.#fault(name, `Query param "${name}" must be permissions in octal.`);
    return undefined;
  }

  /** Returns a time in milliseconds. */
  optionalTime(name: string): number | undefined {
    const value = this.#query.get(name);
    if (value === null) return undefined;
    const ms = Date.parse(value);
    if (!Number.isNaN(ms)) return ms;
    this.#fault(name, `Query param "${name}" must be a time.`);
    return undefined;
  }

  switch(name: string, fallback: boolean): boolean {
    const value = this.#query.get(name);
    if (value === null) return fallback;
    if (value !== "true" && value !== "false") {
      this.#fault(name, `Query param "${name}" must be true or false.`);
    }
    return value === "true";
  }

  /** Throws `ApiError` if anything was wrong. Call it before the values are used. */
  check(): void {
    if (this.#faults.length === 0) return;
    throw new ApiError(400, "Query parameters have invalid values.", { validations: this.#faults });
  }

  #fault(field: string, detail: string): void {
    this.#faults.push({ field, detail });
  }
}

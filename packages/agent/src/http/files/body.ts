import type { TextEdit } from "../../files/edit-text.ts";
import { ApiError } from "../errors.ts";

/** Reads the fields of a JSON body. All methods throw `ApiError` for a value of another type. */
export class BodyReader {
  readonly #body: object;
  readonly #place: string;

  /** `place` is the path of the object in the body, for errors. */
  constructor(body: unknown, place = "") {
    if (typeof body !== "object" || body === null || Array.isArray(body)) {
      throw new ApiError(400, `${place === "" ? "The body" : place} is not a JSON object.`);
    }
    this.#body = body;
    this.#place = place;
  }

  text(name: string): string {
    const value = this.#value(name);
    if (typeof value === "string") return value;
    throw this.#fault(name, "a text");
  }

  optionalText(name: string): string | undefined {
    return this.#value(name) === undefined ? undefined : this.text(name);
  }

  switch(name: string): boolean {
    const value = this.#value(name) ?? false;
    if (typeof value === "boolean") return value;
    throw this.#fault(name, "true or false");
  }

  optionalNumber(name: string): number | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
    throw this.#fault(name, "a whole number that is not negative");
  }

  /** Returns permissions in octal. */
  optionalMode(name: string): number | undefined {
    const text = this.optionalText(name);
    if (text === undefined) return undefined;
    if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8);
    throw this.#fault(name, "permissions in octal");
  }

  texts(name: string, max: number): readonly string[] {
    const value = this.#list(name, max);
    if (value.every((item) => typeof item === "string")) return value;
    throw this.#fault(name, "a list of texts");
  }

  objects(name: string, max: number): readonly BodyReader[] {
    return this.#list(name, max).map(
      (item, index) => new BodyReader(item, `${this.#place}${name}[${index}]`),
    );
  }

  #list(name: string, max: number): readonly unknown[] {
    const value = this.#value(name) ?? [];
    if (!Array.isArray(value)) throw this.#fault(name, "a list");
    if (value.length > max) throw this.#fault(name, `at most ${max} items`);
    return value;
  }

  #value(name: string): unknown {
    const value: unknown = Reflect.get(this.#body, name);
    return value === null ? undefined : value;
  }

  #fault(name: string, wanted: string): ApiError {
    const field = this.#place === "" ? name : `${this.#place}.${name}`;
    return new ApiError(400, `The field ${field} must be ${wanted}.`);
  }
}

/** Reads an edit of a file. */
export function readEdit(fields: BodyReader): TextEdit {
  return {
    search: fields.text("search"),
    replace: fields.text("replace"),
    replaceAll: fields.switch("replace_all"),
  };
}

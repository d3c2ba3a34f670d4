import type {
  DynamicParametersResponse,
  EvaluatedParameter,
} from "@slipway/api/templates/dynamic-parameters";
import {
  evaluateParameters,
  listTemplateVersionParameters,
} from "@slipway/api/templates/parameter-routes";
import type { TemplateVersionParameter } from "@slipway/api/templates/template-version";
import { ApiError } from "@slipway/sdk/http";

import type { ClientNeeds } from "../../command/needs.ts";

/** A choice of a parameter. */
export interface ParameterOption {
  readonly name: string;
  readonly description: string;
  readonly value: string;
}

/** A parameter as shown in a prompt; its choices may depend on the values of others. */
export interface FormParameter {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly type: string;
  readonly formType: string;
  readonly options: readonly ParameterOption[];
  readonly defaultValue: string | undefined;
  /** True if the template hides the value of a text (`mask_input`). */
  readonly isMasked: boolean;
  /** The problem with the given value, in the template's own words if it has any. */
  readonly problem: string | undefined;
}

/** The part of a parameter that decides whether a command asks for its value. */
export type KnownParameter = Pick<
  TemplateVersionParameter,
  "name" | "required" | "ephemeral" | "mutable"
>;

type RequestNeeds = Pick<ClientNeeds, "client" | "signal">;
type Values = ReadonlyMap<string, string>;

/** The version of a form, and the owner of the workspace. */
export interface FormSubject {
  readonly version: string;
  /** The name or the id of the owner; undefined for the user. */
  readonly owner: string | undefined;
}

/** The parameters of a version, evaluated by the server for given values: some templates have others for each. */
export class ParameterForm {
  readonly #subject: FormSubject;
  readonly #plain: readonly TemplateVersionParameter[];
  readonly #needs: RequestNeeds;
  /** The last answer, and the values that it is for. */
  #last: { readonly key: string; readonly answer: DynamicParametersResponse } | undefined;
  #isEvaluated = true;

  private constructor(
    subject: FormSubject,
    plain: readonly TemplateVersionParameter[],
    needs: RequestNeeds,
  ) {
    this.#subject = subject;
    this.#plain = plain;
    this.#needs = needs;
  }

  static async open(
    subject: FormSubject,
    { client, signal }: RequestNeeds,
  ): Promise<ParameterForm> {
    const params = { version: subject.version };
    const parameters = await client.call(listTemplateVersionParameters, { params, signal });
    return new ParameterForm(subject, parameters, { client, signal });
  }

  get version(): string {
    return this.#subject.version;
  }

  /** Returns the parameters that there are for the given values; those of the defaults if the server lacks the route. */
  async present(values: Values): Promise<readonly KnownParameter[]> {
    return (await this.#evaluate(values))?.parameters ?? this.#plain;
  }

  /** Returns the names that values may have: those of parameters that other values may bring, too, if the server knows all. */
  async possible(values: Values): Promise<readonly string[]> {
    const answer = await this.#evaluate(values);
    const { diagnostics = [], parameters = [] } = answer ?? {};
    const areKnown =
      answer !== undefined && !diagnostics.some(({ extra }) => extra.code === "unknown_parameter");
    const names = [...this.#plain, ...parameters].map(({ name }) => name);
    return [...new Set(areKnown ? [...names, ...values.keys()] : names)];
  }

  /**
   * Returns a parameter for the given values. If the server lacks the route, values are not checked before they are
   * sent. A problem with the whole form is one of the parameter that was answered last.
   */
  async parameter(name: string, values: Values): Promise<FormParameter> {
    const answer = await this.#evaluate(values);
    const found = answer?.parameters.find((parameter) => parameter.name === name);
    if (answer !== undefined && found !== undefined) return evaluatedParameter(found, answer);
    const known = this.#plain.find((parameter) => parameter.name === name);
    if (known === undefined) throw new TypeError(`the version has no parameter ${name}`);
    return plainParameter(known);
  }

  async #evaluate(values: Values): Promise<DynamicParametersResponse | undefined> {
    if (!this.#isEvaluated) return undefined;
    const key = JSON.stringify([...values].toSorted(([one], [other]) => (one < other ? -1 : 1)));
    if (this.#last?.key === key) return this.#last.answer;
    const { client, signal } = this.#needs;
    const { version, owner } = this.#subject;
    try {
      const inputs = Object.fromEntries(values);
      const body = { id: 0, inputs, ...(owner === undefined ? {} : { owner_id: owner }) };
      const answer = await client.call(evaluateParameters, { params: { version }, body, signal });
      this.#last = { key, answer };
      return answer;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 401) throw error;
      this.#isEvaluated = false;
      return undefined;
    }
  }
}

function evaluatedParameter(
  found: EvaluatedParameter,
  { diagnostics }: DynamicParametersResponse,
): FormParameter {
  const error = [...found.diagnostics, ...diagnostics].find(({ severity }) => severity === "error");
  return {
    name: found.name,
    title: found.display_name || found.name,
    description: found.description,
    type: found.type,
    formType: found.form_type,
    options: found.options.map((option) => ({ ...option, value: option.value.value })),
    defaultValue: found.default_value.valid ? found.default_value.value : undefined,
    isMasked: found.styling.mask_input === true,
    problem: error === undefined ? undefined : error.detail || error.summary,
  };
}

function plainParameter(parameter: TemplateVersionParameter): FormParameter {
  const { name, display_name, description_plaintext, type, form_type, options } = parameter;
  return {
    name,
    title: display_name || name,
    description: description_plaintext,
    type,
    formType: form_type,
    options,
    defaultValue: parameter.required ? undefined : parameter.default_value,
    isMasked: false,
    problem: undefined,
  };
}

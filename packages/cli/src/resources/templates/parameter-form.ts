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
  /** The problem with the given value, in the template's own words if it has any. */
  readonly problem: string | undefined;
}

type RequestNeeds = Pick<ClientNeeds, "client" | "signal">;

/** The parameters of a version, evaluated by the server for given values. */
export class ParameterForm {
  readonly parameters: readonly TemplateVersionParameter[];
  readonly #version: string;
  readonly #needs: RequestNeeds;
  #isEvaluated = true;

  private constructor(
    version: string,
    parameters: readonly TemplateVersionParameter[],
    needs: RequestNeeds,
  ) {
    this.#version = version;
    this.parameters = parameters;
    this.#needs = needs;
  }

  static async open(version: string, { client, signal }: RequestNeeds): Promise<ParameterForm> {
    const parameters = await client.call(listTemplateVersionParameters, {
      params: { version },
      signal,
    });
    return new ParameterForm(version, parameters, { client, signal });
  }

  /**
   * Returns a parameter for the given values. If the server lacks the route, values are not checked before they are
   * sent.
   */
  async parameter(name: string, values: ReadonlyMap<string, string>): Promise<FormParameter> {
    const known = this.parameters.find((parameter) => parameter.name === name);
    if (known === undefined) throw new TypeError(`the version has no parameter ${name}`);
    return (await this.#evaluated(name, values)) ?? plainParameter(known);
  }

  async #evaluated(
    name: string,
    values: ReadonlyMap<string, string>,
  ): Promise<FormParameter | undefined> {
    if (!this.#isEvaluated) return undefined;
    const { client, signal } = this.#needs;
    try {
      const body = { id: 0, inputs: Object.fromEntries(values) };
      const params = { version: this.#version };
      const answer = await client.call(evaluateParameters, { params, body, signal });
      const found = answer.parameters.find((parameter) => parameter.name === name);
      if (found === undefined) return undefined;
      const error = found.diagnostics.find(({ severity }) => severity === "error");
      return {
        name,
        title: found.display_name || name,
        description: found.description,
        type: found.type,
        formType: found.form_type,
        options: found.options.map((option) => ({ ...option, value: option.value.value })),
        defaultValue: found.default_value.valid ? found.default_value.value : undefined,
        problem: error === undefined ? undefined : error.detail || error.summary,
      };
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 401) throw error;
      this.#isEvaluated = false;
      return undefined;
    }
  }
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
    problem: undefined,
  };
}

import { clusterForm } from "./cluster-settings.ts";
import { externalAuthForm } from "./external-auth-settings.ts";
import { limitDefinitions, limitVariable, mapLimits } from "./limits.ts";
import { logInForm } from "./login-settings.ts";
import { numberedSummary } from "./numbered-settings.ts";
import { isSecretVariable } from "./secret-variables.ts";
import { mapSettings, settingDefinitions, variableOf } from "./setting-definitions.ts";
import { type SettingSource, withoutPassword } from "./setting-source.ts";

/** A variable of the configuration, without its value if that is a secret. */
export interface SettingVariable {
  readonly name: string;
  /** The value that was given; empty for secrets, and if there is none. */
  readonly value: string;
  /** The value that applies if none is given, in words; empty if there is none. */
  readonly fallback: string;
  readonly isGiven: boolean;
  readonly isSecret: boolean;
  /** One phrase about it; empty for a variable that is no setting. */
  readonly summary: string;
}

/** The descriptions of settings and limits, by their variables. */
const descriptions: ReadonlyMap<string, Pick<SettingVariable, "fallback" | "summary">> = new Map([
  ...Object.values(
    mapSettings((name) => {
      const { summary, fallback = "", value } = settingDefinitions[name];
      return [
        variableOf(name),
        { summary, fallback: value === undefined ? "false" : fallback },
      ] as const;
    }),
  ),
  ...Object.values(
    mapLimits((name) => {
      const { summary, default: fallback } = limitDefinitions[name];
      return [limitVariable(name), { summary, fallback: String(fallback) }] as const;
    }),
  ),
]);

const numberedForms = [externalAuthForm, logInForm, clusterForm];

/** Lists the variables that were looked for, and those of providers, whose names have numbers, if they are given. */
export function listVariables(
  given: SettingSource,
  asked: ReadonlySet<string>,
): readonly SettingVariable[] {
  return [...asked]
    .filter((name) => name.startsWith("SLIPWAY_"))
    .toSorted()
    .map((name) => {
      const text = given[name] ?? "";
      const about = descriptions.get(name);
      const numbered = numberedForms.map((form) => numberedSummary(form, name)).find(Boolean);
      const isSecret = isSecretVariable(name);
      return {
        name,
        value: isSecret ? "" : withoutPassword(text),
        fallback: about?.fallback ?? "",
        isGiven: text !== "",
        isSecret,
        summary: about?.summary ?? numbered ?? "",
      };
    });
}

import { limitDefinitions, limitVariable, mapLimits } from "./limits.ts";
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
  /** One phrase about it; empty for the settings of providers, which the guide describes. */
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
      const isSecret = isSecretVariable(name);
      return {
        name,
        value: isSecret ? "" : withoutPassword(text),
        fallback: about?.fallback ?? "",
        isGiven: text !== "",
        isSecret,
        summary: about?.summary ?? "",
      };
    });
}

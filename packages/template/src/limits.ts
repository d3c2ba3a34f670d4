/** Largest archive of a template, in bytes. The receiver of the upload checks it before reading the body. */
export const maxArchiveBytes = 10 * 1024 * 1024;
/** Most entries (files, directories, links) of an archive. */
export const maxArchiveEntries = 1_000;
/** Longest path or link target in an archive, in characters. */
export const maxPathLength = 1_024;
/** Largest `slipway.yaml`, in bytes. */
export const maxDefinitionBytes = 1024 * 1024;
/** Largest `README.md`, in bytes. */
export const maxReadmeBytes = 1024 * 1024;

/** Most tokens of a `slipway.yaml`: bounds the YAML library's time (about 0.2 s). */
export const maxYamlTokens = 50_000;
/** Most characters of values read from one `slipway.yaml`; each use of an alias counts again. */
export const maxReadCharacters = 4 * 1024 * 1024;
/** Most values read from one `slipway.yaml`; each use of an alias counts again. */
export const maxReadValues = 20_000;
/** Most problems reported for one file. */
export const maxProblems = 100;
/** Longest message or path of a problem, in characters. */
export const maxProblemText = 600;

export const maxAgents = 32;
/** Of one agent; so are the next three. */
export const maxScripts = 100;
export const maxMetadata = 64;
export const maxApps = 100;
export const maxEnv = 256;
export const maxVolumes = 32;
export const maxParameters = 100;
/** Of one parameter. */
export const maxOptions = 128;
export const maxPresets = 64;
export const maxExternalAuth = 16;
/** Longest id of an external auth provider, in characters. */
export const maxProviderIdLength = 64;
/** Of one schedule. */
export const maxWindows = 32;

/** Longest name, slug or key, in characters. */
export const maxKeyLength = 32;
/** Longest display name, group or path, in characters. */
export const maxLineLength = 256;
/** Longest address, in characters. */
export const maxUrlLength = 2_048;
/** Longest description, in characters. */
export const maxDescriptionLength = 16 * 1024;
/** Longest script, command or environment value, in characters. */
export const maxScriptLength = 64 * 1024;
/** Longest value of a parameter, in characters. */
export const maxValueLength = 16 * 1024;
/** Longest total of the values of one build, in characters. */
export const maxValuesLength = 128 * 1024;
/** Longest total of a template's texts once their expressions are replaced, in characters. */
export const maxRenderedLength = 2 * 1024 * 1024;
/** Longest regular expression, in characters. */
export const maxRegexLength = 512;
/** Largest program that one compiles to, in instructions: about one a character, times its counted repetitions. */
export const maxRegexSize = 1_000;
/** The same of all regular expressions of a template: bounds the time to compile them (about 50 ms, once). */
export const maxRegexesLength = 4_096;
export const maxRegexesSize = 20_000;
/**
 * Most work of one request that checks values, in steps: the size of a regular expression times the length of the value,
 * added up (about 10 ns a step, 30 ns at worst).
 */
export const maxRegexSteps = 262_144;
/** The same of one `slipway.yaml`, whose defaults, options and presets are values too. */
export const maxDefinitionRegexSteps = 2_097_152;

/** Most prebuilds that a preset may ask for. */
export const maxInstances = 1_000;

/** The longest name of a cloud's machine, in characters; real ones have less than 40. */
export const maxInstanceIdLength = 256;

/** Reports whether a text can be a cloud's name for a machine: visible ASCII. */
export function isInstanceId(text: string): boolean {
  return text.length <= maxInstanceIdLength && /^[!-~]+$/.test(text);
}

/** Completes the sentence "wanted …". */
export const instanceIdWanted = `1 to ${maxInstanceIdLength} visible ASCII characters without spaces`;

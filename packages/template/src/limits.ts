/** The maximum size of a template's archive, in bytes. The receiver of the upload checks it before reading the body. */
export const maxArchiveBytes = 10 * 1024 * 1024;
/** The maximum number of entries (files, directories, links) in an archive. */
export const maxArchiveEntries = 1_000;
/** The maximum length of a path or link target in an archive, in characters. */
export const maxPathLength = 1_024;
/** The maximum size of `slipway.yaml`, in bytes. */
export const maxDefinitionBytes = 1024 * 1024;
/** The maximum size of `README.md`, in bytes. */
export const maxReadmeBytes = 1024 * 1024;

/** The maximum number of tokens in a `slipway.yaml`, which bounds the YAML library's time (about 0.2 s). */
export const maxYamlTokens = 50_000;
/** The maximum number of characters in values of one `slipway.yaml`; each use of an alias counts again. */
export const maxReadCharacters = 4 * 1024 * 1024;
/** The maximum number of values in one `slipway.yaml`; each use of an alias counts again. */
export const maxReadValues = 20_000;
/** The maximum number of problems reported for one file. */
export const maxProblems = 100;
/** The maximum length of a problem's message or path, in characters. */
export const maxProblemText = 600;

/** The limits of provisioners' tags are those of the API. */
export const maxTags = 32;
export const maxTagLength = 128;
export const maxTagValueLength = 256;

export const maxAgents = 32;
/** The maximum for one agent; so are the next five. */
export const maxScripts = 100;
export const maxMetadata = 64;
export const maxApps = 100;
export const maxEnv = 256;
export const maxVolumes = 32;
export const maxDevContainers = 32;
/** The maximum for one container; so are the next three. */
export const maxPorts = 64;
export const maxCommandWords = 64;
export const maxDockerItems = 32;
export const maxKubernetesItems = 32;
export const maxParameters = 100;
/** The maximum for one parameter. */
export const maxOptions = 128;
export const maxPresets = 64;
export const maxExternalAuth = 16;
/** The maximum length of an external auth provider's id, in characters. */
export const maxProviderIdLength = 64;
/** The maximum for one schedule. */
export const maxWindows = 32;

/** The maximum length of a name, slug or key, in characters. */
export const maxKeyLength = 32;
/** The maximum length of a display name, group or path, in characters. */
export const maxLineLength = 256;
/** The maximum length of an address, in characters. */
export const maxUrlLength = 2_048;
/** The maximum length of a description, in characters. */
export const maxDescriptionLength = 16 * 1024;
/** The maximum length of a script, command or environment value, in characters. */
export const maxScriptLength = 64 * 1024;
/** The maximum length of a parameter value, in characters. */
export const maxValueLength = 16 * 1024;
/** The maximum total length of the values of one build, in characters. */
export const maxValuesLength = 128 * 1024;
/** The maximum total length of a template's texts after replacing their expressions, in characters. */
export const maxRenderedLength = 2 * 1024 * 1024;
/** The maximum length of a regular expression, in characters. */
export const maxRegexLength = 512;
/**
 * The maximum size of a compiled expression, in instructions: about one per character, times its counted repetitions.
 */
export const maxRegexSize = 1_000;
/** The same for all regular expressions of a template, which bounds the time to compile them (about 50 ms, once). */
export const maxRegexesLength = 4_096;
export const maxRegexesSize = 20_000;
/**
 * The maximum work of one request that checks values, in steps: the size of a regular expression times the length of
 * the value, added up (about 10 ns per step, 30 ns at worst).
 */
export const maxRegexSteps = 262_144;
/** The same for one `slipway.yaml`, whose defaults, options and presets are values too. */
export const maxDefinitionRegexSteps = 2_097_152;

/** The maximum number of prebuilds for a preset. */
export const maxInstances = 1_000;

/** The maximum length of a cloud machine's name, in characters; real ones are shorter than 40. */
export const maxInstanceIdLength = 256;

/** Reports whether a text can be a cloud's name for a machine: visible ASCII. */
export function isInstanceId(text: string): boolean {
  return text.length <= maxInstanceIdLength && /^[!-~]+$/.test(text);
}

/** The end of the sentence "wanted …". */
export const instanceIdWanted = `1 to ${maxInstanceIdLength} visible ASCII characters without spaces`;

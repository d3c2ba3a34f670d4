/** Parsers of outside bytes, for their fuzzing alone (`npm run fuzz:codecs`). */
export { parseScriptCron, parseWindowCron } from "./cron.ts";
export { parseDuration } from "./duration.ts";
export { maxDefinitionBytes, maxReadmeBytes, maxRegexSize } from "./limits.ts";
export { regexProblem, regexSize } from "./regex.ts";
export { parseTemplateText } from "./template-text.ts";

import { templateFileName } from "../../../resources/templates/template-file.ts";

const position = new RegExp(
  `^(\\s*)(?:\\./)?${templateFileName.replaceAll(".", "\\.")}(?=:\\d+)`,
  "gm",
);

/** Replaces the file's name inside the tar by its path, which people and editors know: `box/slipway.yaml:12:5: …`. */
export function withPath(text: string, templatePath: string): string {
  return text.replaceAll(position, (_match, indent: string) => `${indent}${templatePath}`);
}
